/** Sessions of the web application: on the handshake as a cookie, or as first message. */
import { findSession, hash, takeTicket, touchSession } from '../core/ask.ts'
import type { HandshakeCarrier } from '../core/carrier.ts'
import type { Talk } from '../core/drive.ts'
import { prefixes } from '../core/issue.ts'
import { placesOf, type From, type Method, type Shown } from '../core/method.ts'
import { noClaims } from '../core/principal.ts'
import type { SessionPurpose, SessionRow, TicketRow } from '../core/records.ts'
import { isSessionOver, sessionGrant, touchEveryMs } from '../core/rows.ts'
import { accept, deny, type Verdict } from '../core/verdict.ts'
import { tokenOf } from './token.ts'
import { acceptTicket } from './ticket.ts'

/** Options of the session method. */
export interface SessionMethodOptions {
  readonly from: From
  /** Demands a CSRF token here besides, issued by `guard.issue.preauth` for this very session. */
  readonly csrf?: HandshakeCarrier
  /** Kinds of session that are accepted. @default ['login'] */
  readonly purposes?: readonly SessionPurpose[]
}

/**
 * Accepts a session from `guard.issue.session`; its lease ends when the session does.
 * Refuses as `invalid_credential` what is unknown, of another purpose or bound to another page; as
 * `expired_credential` what is over, by age or by silence. With `csrf` the token is taken besides, and the
 * lease has the id that was promised with it.
 */
export function session(options: SessionMethodOptions): Method {
  const purposes = options.purposes ?? ['login']
  return {
    name: 'session',
    from: placesOf(options.from),
    csrf: options.csrf,
    recognises: (credential) => isSession(tokenOf(credential)),
    *judge(shown: Shown): Talk<Verdict> {
      const row = yield* liveSession(shown, purposes)
      if (row === undefined) return deny('invalid_credential')
      if (isSessionOver(row, shown.now)) return deny('expired_credential')
      const proved = options.csrf === undefined ? undefined : yield* takeProof(row, shown)
      if (proved?.kind === 'deny') return proved
      if (shown.now - row.lastSeenMs >= touchEveryMs) yield* touchSession(row.key, shown.now)
      return acceptSession(row, proved?.lease)
    },
  }
}

/** Options of the preauth method. */
export interface PreauthMethodOptions {
  /** Where the preauth cookie travels. */
  readonly from: From<HandshakeCarrier>
  /** Where the CSRF token travels. */
  readonly csrf: HandshakeCarrier
}

/**
 * Accepts a preauth cookie together with a single-use CSRF token bound to it (`guard.issue.preauth`). The guard's
 * Origin rule is the third proof.
 */
export function preauth(options: PreauthMethodOptions): Method {
  return {
    name: 'preauth',
    from: placesOf(options.from),
    csrf: options.csrf,
    recognises: (credential) => isSession(tokenOf(credential)),
    *judge(shown: Shown): Talk<Verdict> {
      const row = yield* liveSession(shown, ['preauth'])
      if (row === undefined) return deny('invalid_credential')
      if (isSessionOver(row, shown.now)) return deny('expired_credential')
      return yield* takeProof(row, shown)
    },
  }
}

/** The session that the credential names, if it is one of these kinds and bound to no other origin. */
function* liveSession(shown: Shown, purposes: readonly SessionPurpose[]): Talk<SessionRow | undefined> {
  const row = yield* findSession(yield* hash(tokenOf(shown.credential) ?? ''))
  if (row === undefined || !purposes.includes(row.purpose)) return undefined
  return row.origin === undefined || row.origin === shown.handshake.origin ? row : undefined
}

/**
 * Takes the CSRF token and checks that it was made for what is shown beside it: the preauth session that it is bound
 * to, or the login that both descend from.
 */
function* takeProof(row: SessionRow, shown: Shown): Talk<Verdict> {
  if (shown.proof === undefined) return deny('missing_credential')
  const token = yield* takeTicket(yield* hash(shown.proof))
  if (token === undefined || token.purpose !== 'csrf' || token.subject !== row.subject)
    return deny('invalid_credential')
  if (!isBound(token, row)) return deny('invalid_credential')
  if (token.expiresAtMs <= shown.now) return deny('expired_credential')
  return acceptTicket(token, 'preauth')
}

/**
 * A token made for a preauth session opens with that session alone; one made for a login, with any session
 * of it.
 */
function isBound(token: TicketRow, row: SessionRow): boolean {
  const sameLogin = token.session === row.root
  if (token.sessionKey === row.key) return sameLogin || token.session === undefined
  return sameLogin && row.purpose !== 'preauth'
}

/**
 * By prefix alone, so that tokens of other methods are left to them. Purposes are told apart after the
 * lookup.
 */
function isSession(token: string | undefined): boolean {
  if (token === undefined) return false
  return (
    token.startsWith(prefixes.session) ||
    token.startsWith(prefixes.alias) ||
    token.startsWith(prefixes.preauth)
  )
}

/** The lease rests upon the login at the root: ending that ends everything that came of it. */
function acceptSession(row: SessionRow, lease: string | undefined): Verdict {
  const { subject, roles } = row
  return accept({
    principal: {
      id: subject,
      roles,
      realm: undefined,
      method: 'session',
      provider: 'records',
      claims: noClaims,
    },
    grant: sessionGrant(row),
    untilMs: row.expiresAtMs,
    lease,
  })
}
