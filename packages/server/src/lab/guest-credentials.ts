/** What guests show at each door: issued as ever, with a lease of seconds. */
import type { Guard } from 'countersign'
import { labCookies } from './doors.ts'
import type { Guest } from './guests.ts'

/** What is asked for. */
export interface GuestOrder {
  readonly guest: Guest
  readonly guard: Guard
  readonly url: string
  /** Origin of the page that asks. */
  readonly origin: string
  /** Life of the lease that it opens, ms. */
  readonly lifeMs: number
}

/** The answer in the words of the normal issuing route, and a cookie to set beside it. */
export interface GuestCredential {
  readonly body: Readonly<Record<string, unknown>>
  readonly cookie?: { readonly name: string; readonly value: string; readonly sameSite: 'Strict' | 'Lax' }
}

type Maker = (order: GuestOrder) => Promise<GuestCredential>

const roles = ['user', 'speaker']

const ticket: Maker = async ({ guest, guard, url, lifeMs }) => {
  const issued = await guard.issue.ticket({ ...holderOf(guest), leaseMs: lifeMs })
  const target = new URL(url)
  target.searchParams.set('ticket', issued.ticket)
  return { body: { ticket: issued.ticket, url: target.href } }
}

const secret =
  (rests: 'login' | 'account'): Maker =>
  async ({ guest, guard, lifeMs }) => {
    const { subject, session } = holderOf(guest)
    const root = rests === 'login' ? { session } : {}
    const { authid, secret } = await guard.issue.challengeSecret({ subject, roles, ...root, ttlMs: lifeMs })
    return { body: { authid, secret } }
  }

/** By door. Those that are missing take tickets. */
const makers: ReadonlyMap<string, Maker> = new Map<string, Maker>([
  [
    'D3',
    async ({ guest, guard, origin, lifeMs }) => {
      const holder = holderOf(guest)
      const issued = await guard.issue.ticket({ ...holder, purpose: 'frame', origin, leaseMs: lifeMs })
      return { body: { ticket: issued.ticket } }
    },
  ],
  [
    'D5',
    async ({ guest, guard, lifeMs }) => {
      const { subject } = holderOf(guest)
      const { key } = await guard.issue.apiKey({ subject, name: 'lab guest', roles, ttlMs: lifeMs })
      return { body: { api_key: key } }
    },
  ],
  [
    'D7',
    async ({ guest, guard, lifeMs }) => {
      const { session } = await guard.issue.session({ ...holderOf(guest), ttlMs: lifeMs })
      return {
        body: { session },
        cookie: { name: labCookies.session, value: session, sameSite: 'Lax' },
      }
    },
  ],
  [
    'D8',
    async ({ guest, guard, lifeMs }) => {
      const holder = holderOf(guest)
      const { session } = await guard.issue.session({ ...holder, purpose: 'alias', ttlMs: lifeMs })
      return { body: { alias: session } }
    },
  ],
  [
    'D9',
    async ({ guest, guard, lifeMs }) => {
      const { cookie, csrf } = await guard.issue.preauth({ ...holderOf(guest), leaseMs: lifeMs })
      return { body: { csrf }, cookie: { name: labCookies.preauth, value: cookie, sameSite: 'Strict' } }
    },
  ],
  ['D12', secret('account')],
  ['D13', secret('login')],
])

/** What the guest shows at its door. */
export function issueForGuest(order: GuestOrder): Promise<GuestCredential> {
  return (makers.get(order.guest.door) ?? ticket)(order)
}

/** What extends its lease. */
export interface RenewedCredential {
  /** As text; `undefined` where the cookie alone does. Secret. */
  readonly credential?: string
  /** The name that a secret goes with. */
  readonly authid?: string
  /** To be set in the browser. */
  readonly cookie?: GuestCredential['cookie']
}

/** The same again: as text, as a cookie, or both. The cookie of another origin, which pages cannot read, is named to this one. */
export async function renewForGuest(order: GuestOrder): Promise<RenewedCredential> {
  const { guest, guard, origin, lifeMs } = order
  if (guest.door === 'D3') {
    const holder = holderOf(guest)
    const frame = { ...holder, purpose: 'frame', origin, ttlMs: lifeMs } as const
    return { credential: (await guard.issue.session(frame)).session }
  }
  const { body, cookie } = await issueForGuest(order)
  const { authid } = body
  const texts = ['ticket', 'alias', 'csrf', 'api_key', 'secret'].map((name) => body[name])
  const credential = texts.find((value) => typeof value === 'string')
  return {
    ...(credential === undefined ? {} : { credential }),
    ...(typeof authid === 'string' ? { authid } : {}),
    ...(cookie === undefined ? {} : { cookie }),
  }
}

function holderOf({ username, login }: Guest): {
  readonly subject: string
  readonly roles: readonly string[]
  readonly session: string
} {
  return { subject: username, roles, session: login.id }
}
