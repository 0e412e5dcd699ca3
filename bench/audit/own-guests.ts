/** What ends what a guest of the lab has opened, at every door: the end of its time, an operator, a lost role, its logout. */
import type {
  AuditOptions,
  Hook,
  LoginOptions,
  LoginStep,
  TokenPlace,
} from '../../packages/server/src/audit/options.ts'
import type { Probe } from '../../packages/server/src/audit/dialects/dialect.ts'
import type { DoorScan, Place } from './own-lab.ts'
import { echo, formAt } from './own.ts'

/** How long a lease of a guest lives, milliseconds: longer than an end from outside may take, or to be seen to its end. */
const lives = { long: 30_000, short: 3_000 } as const

/** How soon an end from outside reaches the socket, milliseconds: long before the lease would end by itself. */
const endBudgetMs = 1_500

/** How a guest comes in at a door. */
interface Way {
  readonly door: string
  /** Whether what it shows rests upon its login. */
  readonly ofLogin: boolean
  readonly login: (place: Place, lifeMs: number) => LoginOptions
  readonly options?: AuditOptions
  /** What comes back to whoever says it; `nothing` where nothing does. @default words on a plain socket */
  readonly says?: Probe
}

const inCredential = (name: string): { readonly pattern: string } => ({
  pattern: `"credential":\\{[^}]*"${name}":"([^"]+)"`,
})

/** Alice has a guest for this door. */
function invited(
  { site, door, alice }: Place,
  lifeMs: number,
  take: LoginStep['take'] = {},
): Pick<LoginOptions, 'form' | 'steps'> {
  const invitation: LoginStep = {
    url: `${site}lab/guests`,
    body: JSON.stringify({ door: door.id, life_ms: lifeMs }),
    take: { guest: { member: 'guest' }, ...take },
  }
  return { form: formAt(site, alice.username, alice.password), steps: [invitation] }
}

/** The guest is given something anew for each socket. */
function renewing(door: string, as: TokenPlace, more: Pick<Way, 'options' | 'says'> = {}): Way {
  return {
    door,
    ofLogin: true,
    ...more,
    login: (place, lifeMs) => ({
      ...invited(place, lifeMs),
      token: {
        url: `${place.site}lab/guests/{guest}/credential`,
        body: JSON.stringify({ life_ms: lifeMs }),
        member: 'credential',
        as,
        singleUse: true,
      },
    }),
  }
}

/** The guest has a name and a secret. */
function proving(door: string, ofLogin: boolean): Way {
  return {
    door,
    ofLogin,
    login: (place, lifeMs) => ({
      ...invited(place, lifeMs, { authid: inCredential('authid'), secret: inCredential('secret') }),
      wamp: { authid: '{authid}', method: 'wampcra', secret: '{secret}' },
    }),
  }
}

const ways: readonly Way[] = [
  renewing('D1', { first: '{token}' }),
  renewing('D2', { query: 'ticket' }),
  {
    door: 'D3',
    ofLogin: true,
    login(place, lifeMs) {
      const { steps = [], ...form } = invited(place, lifeMs, { ticket: inCredential('ticket') })
      return { ...form, steps: [...steps, exchangeAt(place)] }
    },
  },
  {
    door: 'D5',
    ofLogin: false,
    login: (place, lifeMs) => ({
      ...invited(place, lifeMs, { key: inCredential('api_key') }),
      headers: { Authorization: 'Bearer {key}' },
    }),
  },
  renewing('D6', { subprotocols: ['countersign.v1', 'countersign.bearer.{token}'] }),
  { door: 'D7', ofLogin: true, login: invited },
  renewing('D8', { first: '{token}' }),
  renewing('D9', { query: 'csrf' }),
  renewing('D10', { query: 'ticket' }),
  proving('D12', false),
  proving('D13', true),
  renewing(
    'D14',
    { payload: 'ticket' },
    { options: { protocol: 'socket.io' }, says: { event: 'echo', args: ['{marker}'] } },
  ),
  {
    door: 'WAMP',
    ofLogin: true,
    says: 'nothing',
    options: { protocol: 'wamp', whoami: { expect: '"authid":"(?<identity>guest-\\d+)"' } },
    login: (place, lifeMs) => ({
      ...invited(place, lifeMs, { name: { member: 'username' }, ticket: inCredential('ticket') }),
      wamp: { authid: '{name}', method: 'ticket', secret: '{ticket}' },
    }),
  },
]

/** The frame makes a cookie of a ticket. */
export function exchangeAt({ site, door }: Place): LoginStep {
  const frame = new URL(door.url.replace(/^ws/, 'http'))
  return {
    url: `${frame.href}countersign/exchange`,
    headers: { Origin: frame.origin },
    body: JSON.stringify({ ticket: '{ticket}', origin: site.slice(0, -1) }),
  }
}

function hooksOf({ site }: Place, { ofLogin }: Way): NonNullable<AuditOptions['hooks']> {
  const guest = `${site}lab/guests/{guest}`
  const undo: Hook = { url: guest, method: 'DELETE' }
  const ending = (by: string): Hook => ({ url: `${guest}/end`, body: JSON.stringify({ by }), undo })
  return {
    kill: ending('revoke'),
    role: ending('remove-role'),
    ...(ofLogin ? { logout: ending('log-out') } : {}),
  }
}

/** Two audits of each door: one of ends from outside, and one of the end that comes by itself. */
export const guestScans: readonly DoorScan[] = ways.flatMap((way): readonly DoorScan[] => {
  const { door, login, options = {}, ofLogin, says = echo.send } = way
  return [
    {
      door,
      about: 'a guest',
      least: 1 + Number(ofLogin) + Number(says !== 'nothing'),
      options: (place) => ({
        ...options,
        only: ['A8', 'A9', 'Z6'],
        canaries: says === 'nothing' ? [] : [{ ...echo, send: says }],
        identities: { low: login(place, lives.long) },
        hooks: hooksOf(place, way),
        endBudgetMs,
      }),
    },
    {
      door,
      about: 'a guest in time',
      least: 1,
      options: (place) => ({
        ...options,
        only: ['A9'],
        identities: { low: login(place, lives.short) },
        hooks: { expiry: { command: ['true'], undo: hooksOf(place, way).kill?.undo ?? {} } },
      }),
    },
  ]
})
