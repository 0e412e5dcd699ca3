/** Reads the login session of a request: everything that could have ended it is asked. */
import { isSessionOver, prefixes, sessionGrant, touchEveryMs, type SessionRow } from 'countersign'
import type { FastifyRequest } from 'fastify'
import { readCookie } from './cookies.ts'
import type { LoginSession, SiteContext } from './site-options.ts'

/**
 * The login session whose cookie the request shows, if it is good: of purpose `login`, within its absolute and its idle
 * time, not revoked, of an account that exists, is enabled and has not changed since.
 * @throws OutageError when the records are out of reach
 */
export async function findLogin(
  site: SiteContext,
  request: FastifyRequest,
): Promise<LoginSession | undefined> {
  const cookie = readCookie(request, site.cookies.session)
  if (cookie === undefined || !cookie.startsWith(prefixes.session)) return undefined
  const { records, platform } = site.options
  const now = site.now()
  const row = await records.findSession(await platform.hash(cookie))
  if (row === undefined || row.purpose !== 'login' || isSessionOver(row, now)) return undefined
  if ((await records.findMark(sessionGrant(row), '')) !== undefined) return undefined
  if (!(await isAccountUnchanged(site, row))) return undefined
  if (now - row.lastSeenMs >= touchEveryMs) await records.touchSession(row.key, now)
  // Children end with their root: whoever logs out of one has logged out.
  const { root: id, key, subject, roles } = row
  const endsAtMs = row.expiresAtMs
  return { id, key, subject, roles, expiresAtMs: Math.min(endsAtMs, now + row.idleMs), endsAtMs }
}

/** A changed password or role ends every login from before; in the records, not only by the mark. */
async function isAccountUnchanged(site: SiteContext, row: SessionRow): Promise<boolean> {
  const account = await site.options.records.findAccount(row.subject)
  return account !== undefined && !account.disabled && account.changedAtMs <= row.issuedAtMs
}
