/** What ends leases: each pulled by the means that a site has for it. */
import { setDisabled, setPassword, setRoles } from '../../../../packages/server/src/server/accounts.ts'
import type { Reason } from 'countersign'
import type { Guest } from './guest.ts'
import { roles, type Town } from './town.ts'
import type { Root, Way } from './ways.ts'

/** What a trigger is pulled with. */
export interface Levers {
  readonly town: Town
  /** `wamp.session.kill` of the realm's meta API. */
  kill(session: number): Promise<void>
}

/** One cause of an end. */
export interface Trigger {
  readonly name: string
  readonly reason: Reason
  /** What a lease must rest upon to be hit; one of these. Empty: every lease is. */
  readonly roots: readonly Root[]
  /** Acknowledged when it resolves. `undefined`: nobody pulls it, time does. */
  readonly pull: ((levers: Levers, guest: Guest, nth: number) => Promise<unknown>) | undefined
  /** Counted from the acknowledgement: what comes before it is hashing, on purpose. */
  readonly fromAcknowledgement?: boolean
}

/** In the order of the table. */
export const triggers: readonly Trigger[] = [
  {
    name: 'logout, one',
    reason: 'logged_out',
    roots: ['session'],
    async pull({ town }, { person }) {
      const status = await town.logOut(person)
      if (status !== 200) throw new Error(`POST /logout: ${status}`)
    },
  },
  {
    name: 'logout, all',
    reason: 'logged_out',
    roots: [],
    pull: ({ town }, { person }) => town.issuer.revoke({ subject: person.subject }, 'logged_out'),
  },
  { name: 'expiry', reason: 'lease_expired', roots: [], pull: undefined },
  {
    name: 'password change',
    reason: 'revoked',
    roots: [],
    pull: ({ town }, { person }) => setPassword(town.accounts, person.subject, 'another long enough one'),
    fromAcknowledgement: true,
  },
  {
    name: 'account disabled',
    reason: 'revoked',
    roots: [],
    pull: ({ town }, { person }) => setDisabled(town.accounts, person.subject, true),
  },
  {
    name: 'role removed',
    reason: 'revoked',
    roots: [],
    pull: ({ town }, { person }) => setRoles(town.accounts, person.subject, roles.slice(0, 1)),
  },
  {
    name: 'key or issuer removed',
    reason: 'revoked',
    roots: ['apiKey', 'issuer', 'secret'],
    pull: ({ town }, guest) => town.issuer.revoke(keyOf(guest)),
  },
  {
    name: 'certificate revoked',
    reason: 'revoked',
    roots: ['certificate'],
    pull: ({ town }, { certificate }, nth) => {
      const { fingerprint = '', serial = '' } = certificate ?? {}
      return town.issuer.revoke(nth % 2 === 0 ? { certificate: fingerprint } : { serial })
    },
  },
  {
    name: 'administrator’s kill',
    reason: 'revoked',
    roots: [],
    pull: ({ town }, { lease }) => town.issuer.revoke({ lease: lease.id }),
  },
  {
    name: 'kill by meta API',
    reason: 'revoked',
    roots: ['wamp'],
    pull: ({ kill }, { wampSession }) => kill(wampSession ?? 0),
  },
]

/** Whether a trigger has a meaning where this way was taken. */
export function hits({ roots }: Trigger, way: Way): boolean {
  return roots.length === 0 || roots.some((root) => way.roots.includes(root))
}

/** The one root of this kind that the lease has. */
function keyOf({ lease, person }: Guest): Parameters<Town['issuer']['revoke']>[0] {
  const { apiKey, issuer, token } = lease.grant
  if (apiKey !== undefined) return { apiKey }
  if (issuer !== undefined) return { issuer }
  if (token !== person.secret.authid) throw new Error(`${person.subject} came by no key`)
  return { token }
}
