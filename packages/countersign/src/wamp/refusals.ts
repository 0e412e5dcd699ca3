/** How refusals and ends are told in WAMP: the table of reasons, in one of two vocabularies, and a few constant words. */
import { reasons, type Reason } from '../core/reasons.ts'
import type { Abort, ErrorMessage, Goodbye, RequestKind } from './messages.ts'
import { noDict } from './messages.ts'
import { noPayload, payloadOf } from './values.ts'

/** Vocabulary of refusals; see `RouterOptions.errorUris`. */
export type Vocabulary = 'spec' | 'crossbar'

/**
 * Conditions that pass by themselves, and the close code that says so (RFC 6455 §7.4.1): clients take any ABORT as final,
 * so they are sent none.
 */
export const temporary: Partial<Readonly<Record<Reason, number>>> = { overloaded: 1013, shutting_down: 1001 }

/** Where applications of Crossbar.io compare with other words than the specification's. */
const crossbarUris: Partial<Readonly<Record<Reason, string>>> = {
  missing_credential: 'wamp.error.no_auth_method',
  no_matching_method: 'wamp.error.no_auth_method',
  insecure_transport: 'wamp.error.no_auth_method',
  expired_credential: 'wamp.error.not_authorized',
  invalid_credential: 'wamp.error.not_authorized',
  revoked: 'wamp.error.not_authorized',
  logged_out: 'wamp.error.not_authorized',
}

/** Reasons that the table of reasons has no word for in WAMP, or has one for ends and not for refusals. */
const refusalUris: Partial<Readonly<Record<Reason, string>>> = {
  insecure_transport: 'wamp.error.no_matching_auth_method',
  revoked: 'wamp.error.authentication_denied',
  logged_out: 'wamp.error.authentication_denied',
  lease_expired: 'wamp.error.authentication_denied',
}

/** What a person may read. The same for everything that must not be told apart. */
const words: Readonly<Record<string, string>> = {
  'wamp.error.authentication_required': 'this realm needs authentication',
  'wamp.error.no_matching_auth_method': 'none of the offered authentication methods can be used here',
  'wamp.error.no_auth_method': 'none of the offered authentication methods can be used here',
  'wamp.error.authentication_denied': 'the authentication was not accepted',
  'wamp.error.not_authorized': 'the authentication was not accepted',
  'wamp.error.authentication_failed': 'the authentication could not be completed',
  'wamp.error.no_such_realm': 'there is no such realm',
  'wamp.error.no_such_role': 'the realm has no role for this identity',
  'wamp.error.protocol_violation': 'the message breaks the protocol',
  'wamp.close.system_shutdown': 'the router shuts down',
}

/** ABORT for a refusal: exactly three elements, and details that say the same to everyone. */
export function abortOf(reason: Reason, vocabulary: Vocabulary): Abort {
  const ours = refusalUris[reason] ?? reasons[reason].wamp ?? 'wamp.error.authentication_failed'
  const uri = vocabulary === 'crossbar' ? (crossbarUris[reason] ?? ours) : ours
  return { kind: 'abort', details: { message: words[uri] ?? '' }, reason: uri }
}

/** URI of the GOODBYE that ends a session for this reason. */
export function endUri(reason: Reason): string {
  return reasons[reason].wamp ?? 'wamp.close.normal'
}

/** GOODBYE. `message` is told where there is one. */
export function goodbyeOf(reason: string, message?: string): Goodbye {
  return { kind: 'goodbye', details: message === undefined ? noDict : { message }, reason }
}

/** Answer to a client's GOODBYE; one object, so that transports may keep what it comes to. */
export const goodbyeAndOut: Goodbye = Object.freeze(goodbyeOf('wamp.close.goodbye_and_out'))

/** ERROR for a request. `message` is one short sentence without internals. */
export function errorOf(
  request: { readonly of: RequestKind; readonly request: number },
  error: string,
  message?: string,
): ErrorMessage {
  const payload = message === undefined ? noPayload : payloadOf([message])
  return { kind: 'error', of: request.of, request: request.request, details: noDict, error, payload }
}
