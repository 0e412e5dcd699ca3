/** Judges a login: one answer for a wrong name and a wrong password, at the same cost, decided by the lockout first. */
import type { AccountRow, JournalEntry, Reason } from 'countersign'
import { normaliseUsername } from 'countersign/methods'
import { subnetOf } from 'countersign/wire'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { LoginBody } from './bodies.ts'
import { setCookie } from './cookies.ts'
import { knownDevice, markDevice } from './device-cookie.ts'
import { findLogin } from './sessions.ts'
import type { SiteContext } from './site-options.ts'

/** How a login ended. */
export type LoginOutcome =
  | { readonly kind: 'right'; readonly username: string; readonly roles: readonly string[] }
  | {
      readonly kind: 'refused'
      readonly reason: 'invalid_credential' | 'too_many_attempts' | 'overloaded'
      readonly retryAfterMs: number | undefined
    }

/** Longest origin that the journal is told, in characters. */
const maxJournalledOrigin = 320

/** What a client is asked to wait where too many passwords wait to be judged, ms: as at the guards. */
const busyMs = 5_000

/** Characters of a name by which its failures are counted, as at the guards; no account has a longer one. */
const maxTallied = 64

type Judged =
  { readonly kind: 'right'; readonly account: AccountRow } | (LoginOutcome & { readonly kind: 'refused' })

/**
 * Judges name and password and, when they are right, replaces the session of the request by a fresh one (against
 * fixation), sets its cookie and marks the device.
 * @throws OutageError when the records or the counts of failures are out of reach
 */
export async function logIn(
  site: SiteContext,
  body: LoginBody,
  at: { readonly request: FastifyRequest; readonly reply: FastifyReply },
): Promise<LoginOutcome> {
  const judged = await judge(site, body, at.request)
  const outcome = judged.kind === 'right' ? await open(site, judged.account, at) : judged
  record(site, at.request, outcome)
  return outcome
}

/** The lockout decides before anything is looked up; unknown names cost and count like known ones. */
async function judge(site: SiteContext, body: LoginBody, request: FastifyRequest): Promise<Judged> {
  const username = normaliseUsername(body.username)
  const source = subnetOf(site.clientOf(request))
  const device = await knownDevice(site, request, username)
  const guess = { identity: username.slice(0, maxTallied), source, device }
  const waitMs = await site.guesses.waitMs({ ...guess, now: site.now() })
  if (waitMs > 0) return refused('too_many_attempts', waitMs)
  const account = await site.options.records.findAccount(username)
  const stored = account === undefined || account.disabled ? undefined : account.passwordHash
  const outcome = await site.options.passwords.verify(body.password, stored, source)
  if (outcome === 'busy') return refused('overloaded', busyMs)
  const right = outcome === 'right' && account !== undefined && stored !== undefined
  const lateMs = await site.guesses.tried({ ...guess, now: site.now() }, right)
  if (lateMs > 0) return refused('too_many_attempts', lateMs)
  return right ? { kind: 'right', account } : refused('invalid_credential')
}

/**
 * Ends the session that the request came with, opens a fresh one (against fixation), and makes sure that the
 * account is still what was judged.
 */
async function open(
  site: SiteContext,
  account: AccountRow,
  at: { readonly request: FastifyRequest; readonly reply: FastifyReply },
): Promise<LoginOutcome> {
  const { issuer, records, secure } = site.options
  const former = await findLogin(site, at.request)
  if (former !== undefined) await issuer.revoke({ session: former.id }, 'logged_out')
  const { username, roles } = account
  const { idleMs, sessionMs } = site
  const issued = await issuer.issue.session({ subject: username, roles, idleMs, ttlMs: sessionMs })
  // A password changed while this login was judged: the session must not outlive that change.
  const unchanged = (await records.findAccount(username))?.changedAtMs === account.changedAtMs
  if (!unchanged) {
    await issuer.revoke({ session: issued.id })
    return refused('invalid_credential')
  }
  setCookie(at.reply, { name: site.cookies.session, value: issued.session, sameSite: 'Lax', secure })
  await markDevice(site, at.reply, username)
  return { kind: 'right', username, roles }
}

function refused(
  reason: 'invalid_credential' | 'too_many_attempts' | 'overloaded',
  retryAfterMs?: number,
): LoginOutcome & { readonly kind: 'refused' } {
  return { kind: 'refused', reason, retryAfterMs }
}

/** A refused name is not written down: people type passwords there. */
function record(site: SiteContext, request: FastifyRequest, outcome: LoginOutcome): void {
  const reason: Reason | undefined = outcome.kind === 'refused' ? outcome.reason : undefined
  const entry: JournalEntry = {
    kind: outcome.kind === 'right' ? 'accepted' : 'refused',
    atMs: site.now(),
    guard: 'site',
    method: 'password',
    subject: outcome.kind === 'right' ? outcome.username : undefined,
    lease: undefined,
    reason,
    remoteAddress: site.clientOf(request),
    origin: request.headers.origin?.slice(0, maxJournalledOrigin),
    detail: 'login',
  }
  site.options.journal.record(entry)
}
