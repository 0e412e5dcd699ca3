/** Makes credentials that are genuine and too old: the lab's "expired" cases show them at the doors. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Guard } from 'countersign'
import { labCookies } from './doors.ts'

/** What can be had too late. */
export type ExpiredKind = 'ticket' | 'jwt' | 'session' | 'alias' | 'preauth' | 'challenge_secret' | 'frame'

/** Every kind. */
export const expiredKinds: readonly ExpiredKind[] = [
  'ticket',
  'jwt',
  'session',
  'alias',
  'preauth',
  'challenge_secret',
  'frame',
]

/** What is needed to make one. */
export interface ExpiredOptions {
  readonly guard: Guard
  readonly url: string
  readonly kind: ExpiredKind
  readonly holder: {
    readonly subject: string
    readonly roles: readonly string[]
    readonly session: string | undefined
  }
  /** Page origin that a frame ticket is issued to. */
  readonly origin: string
  readonly issuer: string
  sign(payload: Readonly<Record<string, unknown>>): string
}

/** The answer of the normal issuing route, and the cookie to set beside it. */
export interface Expired {
  readonly body: Readonly<Record<string, unknown>>
  readonly cookie: string | undefined
}

/** One millisecond of life, and time enough to lose it. */
const lifeMs = 1
const waitMs = 5

/** Issues by the same code as ever, with a life of a millisecond. */
export async function issueExpired(options: ExpiredOptions): Promise<Expired> {
  const expired = await makers[options.kind](options)
  await delay(waitMs)
  return expired
}

/** By kind, in the words that the real issuing route would answer in: the page treats both alike. */
const makers: Readonly<Record<ExpiredKind, (options: ExpiredOptions) => Promise<Expired>>> = {
  ticket: async ({ guard, holder, url }) => {
    const { ticket, lease } = await guard.issue.ticket({ ...holder, ttlMs: lifeMs })
    return {
      body: { ticket, expires_in: 0, lease, ok: true, url: `${url}?ticket=${ticket}` },
      cookie: undefined,
    }
  },
  frame: async ({ guard, holder, origin }) => {
    const { ticket, lease } = await guard.issue.ticket({ ...holder, purpose: 'frame', origin, ttlMs: lifeMs })
    return { body: { ticket, expires_in: 0, lease }, cookie: undefined }
  },
  jwt: async (options) => {
    const minuteAgo = Math.floor(Date.now() / 1_000) - 60
    const access_token = options.sign({
      iss: options.issuer,
      aud: options.guard.audience,
      sub: options.holder.subject,
      roles: options.holder.roles,
      iat: minuteAgo - 60,
      exp: minuteAgo,
    })
    return { body: { access_token, token_type: 'Bearer', expires_in: 0 }, cookie: undefined }
  },
  session: async ({ guard, holder }) => {
    const { session } = await guard.issue.session({ ...holder, ttlMs: lifeMs })
    return { body: { session, expires_in: 0 }, cookie: `${labCookies.session}=${session}` }
  },
  alias: async ({ guard, holder }) => {
    const { session } = await guard.issue.session({ ...holder, purpose: 'alias', ttlMs: lifeMs })
    return { body: { alias: session }, cookie: undefined }
  },
  preauth: async ({ guard, holder }) => {
    const { cookie, csrf, lease } = await guard.issue.preauth({ ...holder, ttlMs: lifeMs })
    return { body: { csrf, expires_in: 0, lease }, cookie: `${labCookies.preauth}=${cookie}` }
  },
  challenge_secret: async ({ guard, holder }) => {
    const { authid, secret } = await guard.issue.challengeSecret({ ...holder, ttlMs: lifeMs })
    return { body: { authid, secret, expires_in: 0 }, cookie: undefined }
  },
}
