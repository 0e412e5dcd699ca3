/** Logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.4, §2.6): whom they log out. */
import type { EventAct } from './event-acts.ts'
import type { EventRefusal, EventToken } from './event-token.ts'
import { backChannelLogout, isName, isNameOrAbsent } from './jwt-claims.ts'

/**
 * What a verified logout token asks for. With `sid` one session ends; without it everything of `sub` that was there before
 * the token was issued. A `nonce` makes it something else (an ID token), whatever its value.
 */
export function readLogout({ issuer, payload, events, issuedAtMs }: EventToken): EventAct | EventRefusal {
  const { sid, sub, exp } = payload
  const names = Object.keys(events)
  if (names.length !== 1 || names[0] !== backChannelLogout || 'nonce' in payload) return 'invalid_request'
  if (exp === undefined && !issuer.withoutExpiry) return 'invalid_request'
  if (!isNameOrAbsent(sid) || !isNameOrAbsent(sub)) return 'invalid_request'
  const common = { issuer: issuer.issuer, reason: 'logged_out', word: 'logout_token' } as const
  const bySession = isName(sid) && (issuer.logoutEnds === 'session' || !isName(sub))
  if (bySession) return { kind: 'session', name: sid, ...common }
  return isName(sub) ? { kind: 'subject', name: sub, beforeMs: issuedAtMs, ...common } : 'invalid_request'
}
