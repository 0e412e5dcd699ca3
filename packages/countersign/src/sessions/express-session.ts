/** `countersign/sessions/express-session`: sockets that live and end with the sessions of `express-session`. */
import { connectSessions, type ConnectSessionsOptions, type StoreSessions } from './connect-sessions.ts'
import { decodedCookie, secretsOf, unsigned, type SigningSecret } from './signed-value.ts'

export type { SessionReaders, StoreSessions } from './connect-sessions.ts'
export type { CoupledSessions, WatchOptions } from './coupled-sessions.ts'
export type { SigningSecret } from './signed-value.ts'
export type { ConnectStore } from './store-events.ts'

/** The same `store` and `secret` that `express-session` was given, and how to read its sessions. */
export interface ExpressSessionsOptions<S> extends ConnectSessionsOptions<S> {
  /** As `express-session` takes it: one, or several of which the first signs and all are good. */
  readonly secret: SigningSecret | readonly SigningSecret[]
}

/**
 * Couples the sessions of `express-session`. The carrier has the cookie's name: `cookie('connect.sid')`, or what
 * `express-session` was told as `name`.
 * @throws MisuseError for options that cannot be
 */
export function expressSessions<S>(options: ExpressSessionsOptions<S>): StoreSessions<S> {
  const secrets = secretsOf(options.secret)
  return connectSessions(options, (value) => {
    const text = decodedCookie(value)
    return text.startsWith('s:') ? unsigned(text.slice(2), secrets) : undefined
  })
}
