/** `countersign/sessions/fastify-session`: sockets that live and end with the sessions of `@fastify/session`. */
import { connectSessions, type ConnectSessionsOptions, type StoreSessions } from './connect-sessions.ts'
import { decodedCookie, secretsOf, unsigned } from './signed-value.ts'

export type { SessionReaders, StoreSessions } from './connect-sessions.ts'
export type { CoupledSessions, WatchOptions } from './coupled-sessions.ts'
export type { ConnectStore } from './store-events.ts'

/** A signer as `@fastify/cookie` has it: `new Signer(secrets)`. */
export interface CookieSigner {
  unsign(text: string): { readonly valid: boolean; readonly value: string | null }
}

/** The same `store`, `secret` and so on that `@fastify/session` was given, and how to read its sessions. */
export interface FastifySessionsOptions<S> extends ConnectSessionsOptions<S> {
  /** As `@fastify/session` takes it: one, several of which the first signs and all are good, or a signer. */
  readonly secret: string | readonly string[] | CookieSigner
  /** Digest of the signature, where the secret is no signer. @default 'sha256' */
  readonly algorithm?: string
  /** What stands before the signed id in the cookie's value. @default '' */
  readonly cookiePrefix?: string
}

/**
 * Couples the sessions of `@fastify/session`. The carrier has the cookie's name: `cookie('sessionId')`, or what
 * `@fastify/session` was told as `cookieName`.
 * @throws MisuseError for options that cannot be
 */
export function fastifySessions<S>(options: FastifySessionsOptions<S>): StoreSessions<S> {
  const { cookiePrefix = '' } = options
  const unsign = unsignerOf(options)
  return connectSessions(options, (value) => {
    const text = decodedCookie(value)
    return text.startsWith(cookiePrefix) ? unsign(text.slice(cookiePrefix.length)) : undefined
  })
}

function unsignerOf<S>(options: FastifySessionsOptions<S>): (text: string) => string | undefined {
  const { secret, algorithm } = options
  if (typeof secret === 'object' && 'unsign' in secret) {
    return (text) => {
      const { valid, value } = secret.unsign(text)
      return valid && value !== null && value !== '' ? value : undefined
    }
  }
  const secrets = secretsOf(secret)
  return (text) => unsigned(text, secrets, algorithm)
}
