/** Every door of the lab and its router, each as somebody who has logged in there. */
import { wampPlace } from '../../packages/server/src/lab/browser/wamp-users.ts'
import { labP12Password } from '../../packages/server/src/lab/p12.ts'
import type {
  AuditOptions,
  ExpiringToken,
  LoginOptions,
  TokenPlace,
} from '../../packages/server/src/audit/options.ts'
import type { ClientCertificate } from '../../packages/server/src/audit/presented.ts'
import { runLab, type PublishedDoor, type RunningLab } from '../../test/support/running-lab.ts'
import { exchangeAt, guestScans } from './own-guests.ts'
import { formAt, greeting, issued, keepLog, secretOfLogin, ticketMs, type OwnTargets } from './own.ts'

type Account = RunningLab['doors']['accounts'][number]

/** What is known of the lab when a door is looked at. */
export interface Place {
  readonly site: string
  readonly door: PublishedDoor
  readonly alice: Account
  /** An administrator. */
  readonly carol: Account
  readonly certificate: { readonly tls: ClientCertificate; readonly authority: string }
}

/** One audit of a door. */
export interface DoorScan {
  readonly door: string
  /** What is different, where a door has several. */
  readonly about?: string
  /** Where it is not the door's own. */
  readonly path?: string
  readonly least: number
  /** What it is told beside what all of them are. */
  readonly options: (place: Place) => AuditOptions
}

/** Starts the lab. @throws TypeError for a door of which nobody has said how it is audited */
export async function openLab(): Promise<OwnTargets> {
  const lab = await runLab(['--log', 'debug'])
  const log = keepLog(lab.child)
  const site = lab.url
  const [alice, carol] = [accountOf(lab, 'alice'), accountOf(lab, 'carol')]
  const certificate = await certificateOf(lab)
  const unknown = lab.doors.doors.find(({ id }) => !scans.some(({ door }) => door === id))
  if (unknown !== undefined) throw new TypeError(`nobody has said how ${unknown.id} is audited`)
  const targets = [...scans, ...guestScans].map(({ door: id, about, path = '', least, options }) => {
    const door = lab.door(id)
    return {
      name: `lab ${id}${about === undefined ? '' : `, ${about}`}`,
      url: new URL(path, door.url.replace(/^http/, 'ws')).href,
      least,
      options: {
        ...greeting,
        allowCrashProbes: true,
        origin: site.slice(0, -1),
        page: `${site}lab`,
        logFile: log.file,
        ...options({ site, door, alice, carol, certificate }),
      },
    }
  })
  return {
    targets,
    async stop() {
      await lab.stop()
      await log.forget()
    },
  }
}

function accountOf({ doors }: RunningLab, name: string): Account {
  const account = doors.accounts.find(({ username }) => username === name)
  if (account === undefined) throw new TypeError(`the lab has no account ${name}`)
  return account
}

/** Alice’s certificate as browsers import it, and the authority that signed it and the server’s. */
async function certificateOf({ url }: RunningLab): Promise<Place['certificate']> {
  const [packed, authority] = [await fetch(`${url}lab/client.p12`), await fetch(`${url}lab/ca.pem`)]
  if (!packed.ok) throw new Error('the lab packs no certificate: is openssl installed?')
  const pfx = Buffer.from(await packed.arrayBuffer())
  return { tls: { pfx, passphrase: labP12Password }, authority: await authority.text() }
}

/** Low and high, the same way for both. */
function both(
  { alice, carol }: Place,
  way: (account: Account) => LoginOptions,
): NonNullable<AuditOptions['identities']> {
  return { low: way(alice), high: way(carol) }
}

/** Whoever is logged out loses what the login has opened. */
function atLogin(
  place: Place,
  more: (account: Account) => Omit<LoginOptions, 'form'> = () => ({}),
): AuditOptions {
  const { site } = place
  return {
    identities: both(place, (account) => ({
      form: formAt(site, account.username, account.password),
      ...more(account),
    })),
    hooks: { logout: { url: `${site}logout` } },
  }
}

/** JWTs of the login for this door: each is good for five minutes and for any number of sockets. */
function byJwt(place: Place, as: TokenPlace): AuditOptions {
  const { site, door } = place
  const body = JSON.stringify({ audience: door.id })
  const token = issued(site, 'token', { body, member: 'access_token', as })
  return { ...atLogin(place, () => ({ token })), jwks: { url: `${site}.well-known/jwks.json` } }
}

/** Tickets of the login for this door. */
function byTicket(place: Place, as: TokenPlace): AuditOptions {
  const { door } = place
  const request = { body: JSON.stringify({ audience: door.id }), member: 'ticket' }
  return byToken(place, { route: 'ticket', request, as })
}

/** Something of the login that opens one socket within half a minute. */
function byToken(
  place: Place,
  {
    route,
    request,
    as,
  }: {
    readonly route: string
    readonly request: Omit<ExpiringToken, 'as' | 'ttlMs'>
    readonly as: TokenPlace
  },
): AuditOptions {
  const token = issued(place.site, route, { ...request, as, singleUse: true })
  const { singleUse: _, ...expiring } = token
  return { ...atLogin(place, () => ({ token })), expiring: { ...expiring, ttlMs: ticketMs } }
}

/** Socket.IO: whoever is in may have words echoed, and an administrator is heard by everybody. */
const events: AuditOptions = {
  protocol: 'socket.io',
  messages: [{ event: 'echo', args: ['of an audit'] }],
  canaries: [
    {
      name: 'announce',
      send: { event: 'announce', args: ['audit {marker}'] },
      effect: '"announce","audit {marker}"',
    },
  ],
}

const topic = 'com.example.audit'

/** The router: names below `com.example.` are for whoever has logged in, and for nobody else. */
const realm: AuditOptions = {
  protocol: 'wamp',
  realm: 'realm1',
  whoami: { expect: '"authrole":"(?<identity>user|admin)"' },
  private: ['"authrole":"(?:user|admin)"'],
  messages: [{ publish: topic, args: ['of an audit'] }],
  canaries: [
    {
      name: 'publish',
      send: { publish: topic, args: ['audit {marker}'] },
      watch: { subscribe: topic },
      effect: 'audit {marker}',
      allowedFor: 'low',
      seenBy: 'low',
    },
  ],
  resources: [
    {
      name: 'what is published',
      of: 'low',
      subscribe: { subscribe: topic },
      trigger: { publish: topic, args: ['of {marker}'] },
      data: 'of {marker}',
    },
  ],
}

const scans: readonly DoorScan[] = [
  { door: 'D1', least: 35, options: (place) => byTicket(place, { first: '{token}' }) },
  { door: 'D2', least: 34, options: (place) => byTicket(place, { query: 'ticket' }) },
  {
    door: 'D3',
    least: 31,
    options: (place) => {
      const { site, door } = place
      const asking = JSON.stringify({ audience: door.id, purpose: 'frame' })
      return atLogin(place, () => ({
        steps: [
          { url: `${site}countersign/ticket`, body: asking, take: { ticket: { member: 'ticket' } } },
          exchangeAt(place),
        ],
      }))
    },
  },
  {
    door: 'D4',
    least: 29,
    options: (place) => ({
      identities: both(place, ({ username, password }) => ({ basic: `${username}:${password}` })),
      knownUsers: ['bob', 'carol'],
    }),
  },
  {
    door: 'D5',
    least: 27,
    options: (place) => ({
      identities: both(place, ({ api_key: key }) => ({ headers: { Authorization: `Bearer ${key}` } })),
    }),
  },
  {
    door: 'D5',
    about: 'JWTs',
    least: 34,
    options: (place) => byJwt(place, { header: 'Authorization', value: 'Bearer {token}' }),
  },
  {
    door: 'D6',
    least: 34,
    options: (place) => byJwt(place, { subprotocols: ['countersign.v1', 'countersign.bearer.{token}'] }),
  },
  { door: 'D7', least: 32, options: (place) => ({ ...atLogin(place), knownUsers: ['bob', 'carol'] }) },
  {
    door: 'D8',
    least: 34,
    options: (place) =>
      atLogin(place, () => ({
        token: { url: `${place.site}lab/alias`, method: 'GET', member: 'alias', as: { first: '{token}' } },
      })),
  },
  {
    door: 'D9',
    least: 34,
    options: (place) =>
      byToken(place, { route: 'preauth', request: { member: 'csrf' }, as: { query: 'csrf' } }),
  },
  {
    door: 'D10',
    least: 34,
    options: (place) =>
      byToken(place, {
        route: 'connect',
        request: { body: JSON.stringify({ audience: place.door.id }), pattern: '[?&]ticket=([\\w-]+)' },
        as: { query: 'ticket' },
      }),
  },
  {
    door: 'D11',
    least: 29,
    options: ({ certificate }) => ({
      tls: { ca: certificate.authority },
      identities: { low: { tls: certificate.tls } },
    }),
  },
  {
    door: 'D11',
    about: 'WAMP',
    path: '/ws',
    least: 33,
    options: ({ certificate }) => ({
      ...realm,
      tls: { ca: certificate.authority },
      identities: { low: { tls: certificate.tls, wamp: { authid: 'alice', method: 'tls' } } },
    }),
  },
  {
    door: 'D12',
    least: 31,
    options: ({ door: { challenge } }) => ({
      identities: {
        low: { wamp: { authid: 'alice', ...challenge?.plain, method: 'wampcra' } },
        high: { wamp: { authid: 'bob', ...challenge?.salted, method: 'wampcra' } },
      },
      knownUsers: ['alice', 'bob'],
    }),
  },
  {
    door: 'D13',
    least: 35,
    options: (place) => ({
      ...atLogin(place, () => secretOfLogin(place.site)),
      knownUsers: ['bob', 'carol'],
    }),
  },
  { door: 'D14', least: 34, options: (place) => ({ ...atLogin(place), ...events }) },
  {
    door: 'D14',
    about: 'tickets',
    least: 38,
    options: (place) => ({ ...byTicket(place, { payload: 'ticket' }), ...events }),
  },
  {
    door: 'WAMP',
    least: 38,
    options: (place) => ({
      ...atLogin(place, () => secretOfLogin(place.site)),
      ...realm,
      knownUsers: ['joe', 'peter'],
    }),
  },
  {
    door: 'WAMP',
    about: 'remembering',
    path: wampPlace.cookiePath,
    least: 33,
    options: (place) => ({
      ...realm,
      identities: both(place, ({ username, password: secret }) => ({
        wamp: { authid: username, method: 'ticket', secret },
      })),
      knownUsers: ['bob', 'carol'],
    }),
  },
]
