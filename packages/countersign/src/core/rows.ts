/**
 * What the rows of a store stand for: what an acceptance on their strength rests upon, and when they are over. One
 * place, because the doors, the stores and HTTP must agree: a mark that ends a socket also refuses the request.
 */
import type { Grant } from './principal.ts'
import type { ApiKeyRow, ChallengeSecretRow, SessionRow, TicketRow } from './records.ts'

/** Use of a session is written down at most this often, ms: every request would else be a write. */
export const touchEveryMs = 60_000

/** A grant that rests upon a subject and its roles, and upon what else is named: the rest is `undefined`. */
export function grantOf(roots: Pick<Grant, 'subject' | 'roles' | 'issuedAtMs'> & Partial<Grant>): Grant {
  // Member by member, always the same ones in the same order: grants are compared on the hot path.
  return {
    subject: roots.subject,
    roles: roots.roles,
    session: roots.session,
    token: roots.token,
    apiKey: roots.apiKey,
    certificate: roots.certificate,
    serial: roots.serial,
    issuer: roots.issuer,
    issuedAtMs: roots.issuedAtMs,
  }
}

/** What a taken ticket rests upon: itself, and the login session or the API key that it descends from. */
export function ticketGrant({ subject, roles, session, id, apiKey, issuedAtMs }: TicketRow): Grant {
  return grantOf({ subject, roles, session, token: id, apiKey, issuedAtMs })
}

/** What a session rests upon: itself, and the login session at its root. */
export function sessionGrant({ subject, roles, root, id, issuedAtMs }: SessionRow): Grant {
  return grantOf({ subject, roles, session: root, token: id, issuedAtMs })
}

/** What an API key rests upon: itself. */
export function apiKeyGrant({ subject, roles, id, issuedAtMs }: ApiKeyRow): Grant {
  return grantOf({ subject, roles, apiKey: id, issuedAtMs })
}

/** What a challenge secret rests upon: its name stands for a token, beside the login session that it dies with. */
export function secretGrant({ subject, roles, session, authid, issuedAtMs }: ChallengeSecretRow): Grant {
  return grantOf({ subject, roles, session, token: authid, issuedAtMs })
}

/** Whether a session has reached its absolute end or has been silent for longer than it may be. */
export function isSessionOver(row: SessionRow, now: number): boolean {
  return row.expiresAtMs <= now || now - row.lastSeenMs > row.idleMs
}
