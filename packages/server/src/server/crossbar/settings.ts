/**
 * Our own keys. All of them begin with `x_`; everything else is the format of Crossbar.io.
 *
 * | key | where | what |
 * |---|---|---|
 * | `x_hello_timeout` | worker `options`, transport `options`, `auth` | ms from the opened transport to HELLO [10000] |
 * | `x_authenticate_timeout` | the same | ms from CHALLENGE to AUTHENTICATE [10000] |
 * | `x_authenticator_timeout` | the same | ms for the answer of an authenticator [5000] |
 * | `x_error_uris` | worker `options`, transport `options` | `spec` or `crossbar`: vocabulary of refusals [spec] |
 * | `x_cancel_reply` | the same | `auto`, `always`, `never`: whether CANCEL is answered [auto] |
 * | `x_max_queued_bytes` | the same | what waits for a client that reads slowly [1048576] |
 * | `x_second_factor` | a block of a method | the method that must succeed after it; no longer offered by itself |
 * | `x_dangerously_pass_headers` | a block of type `dynamic` | secret headers that the authenticator may see |
 * | `x_accounts` | as `type` of a block | the accounts of this program as a source |
 * | `x_router_key` | a block of `cryptosign` | by what clients know the router: a seed in hex, or a file of one |
 * | `x_certificate_sha256` | a principal of `tls` | fingerprint, instead of `certificate-sha1` |
 * | `x_trustlevel` | a role | told to callees and subscribers |
 * | `x_cache_ttl` | a role with `authorizer` | ms that a decision may be kept [60000] |
 * | `x_cache_key` | the same | `session`, `authid`, `role`: what it is kept by [session] |
 *
 * Besides them: a list of blocks under one method, whose sources are asked in this order.
 */
import type { SessionSettings } from './node.ts'
import { oneOf, optional, whole, type Reader } from './reader.ts'

/** Some of the settings, by their keys. */
export interface WrittenSettings {
  readonly x_hello_timeout?: number | undefined
  readonly x_authenticate_timeout?: number | undefined
  readonly x_authenticator_timeout?: number | undefined
  readonly x_error_uris?: 'spec' | 'crossbar' | undefined
  readonly x_cancel_reply?: 'auto' | 'always' | 'never' | undefined
  readonly x_max_queued_bytes?: number | undefined
}

const timeoutMs: Reader<number | undefined> = optional(whole(10, 600_000), undefined)

/** Keys that `auth` may have beside its methods. */
export const timeoutReaders: {
  readonly x_hello_timeout: Reader<number | undefined>
  readonly x_authenticate_timeout: Reader<number | undefined>
  readonly x_authenticator_timeout: Reader<number | undefined>
} = {
  x_hello_timeout: timeoutMs,
  x_authenticate_timeout: timeoutMs,
  x_authenticator_timeout: timeoutMs,
}

/** Keys that `options` may have, of workers and of transports. */
export const settingReaders: typeof timeoutReaders & {
  readonly x_error_uris: Reader<'spec' | 'crossbar' | undefined>
  readonly x_cancel_reply: Reader<'auto' | 'always' | 'never' | undefined>
  readonly x_max_queued_bytes: Reader<number | undefined>
} = {
  ...timeoutReaders,
  x_error_uris: optional(oneOf(['spec', 'crossbar'], 'spec'), undefined),
  x_cancel_reply: optional(oneOf(['auto', 'always', 'never'], 'auto'), undefined),
  x_max_queued_bytes: optional(whole(65_536, 1_073_741_824), undefined),
}

/** What holds where nothing is written. */
export const defaultSettings: SessionSettings = Object.freeze({
  helloTimeoutMs: 10_000,
  authenticateTimeoutMs: 10_000,
  authenticatorTimeoutMs: 5_000,
  errorUris: 'spec',
  cancelReply: 'auto',
  maxQueuedBytes: 1_048_576,
})

/** Settings with what is written laid over what holds otherwise. */
export function settingsOver(base: SessionSettings, written: WrittenSettings): SessionSettings {
  return {
    helloTimeoutMs: written.x_hello_timeout ?? base.helloTimeoutMs,
    authenticateTimeoutMs: written.x_authenticate_timeout ?? base.authenticateTimeoutMs,
    authenticatorTimeoutMs: written.x_authenticator_timeout ?? base.authenticatorTimeoutMs,
    errorUris: written.x_error_uris ?? base.errorUris,
    cancelReply: written.x_cancel_reply ?? base.cancelReply,
    maxQueuedBytes: written.x_max_queued_bytes ?? base.maxQueuedBytes,
  }
}
