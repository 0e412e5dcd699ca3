/** Reads the login session of a request: everything that could have ended it is asked. */
import { prefixes, type Grant, type SessionRow } from 'countersign'
import type { FastifyRequest } from 'fastify'
import { readCookie } from './cookies.ts'
import type { LoginSession, SiteContext } from './site-options.ts'

/** Use of a session is written down at most this often, ms. */
const touchEveryMs = 60_000

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
  if (row === undefined || row.purpose !== 'login' || isOver(row, now)) return undefined
  if ((await records.findMark(grantOf(row), '')) !== undefined) return undefined
  if (!(await isAccountUnchanged(site, row))) return undefined
  if (now - row.lastSeenMs >= touchEveryMs) await records.touchSession(row.key, now)
  const { id, key, subject, roles } = row
  const endsAtMs = row.expiresAtMs
  return { id, key, subject, roles, expiresAtMs: Math.min(endsAtMs, now + row.idleMs), endsAtMs }
}

function isOver(row: SessionRow, now: number): boolean {
  return row.expiresAtMs <= now || now - row.lastSeenMs > row.idleMs
}

async function isAccountUnchanged(site: SiteContext, row: SessionRow): Promise<boolean> {
  const account = await site.options.records.findAccount(row.subject)
  return account !== undefined && !account.disabled && account.changedAtMs <= row.issuedAtMs
}

function grantOf(row: SessionRow): Grant {
  return {
    subject: row.subject,
    roles: row.roles,
    session: row.root,
    token: row.id,
    apiKey: undefined,
    certificate: undefined,
    issuedAtMs: row.issuedAtMs,
  }
}
