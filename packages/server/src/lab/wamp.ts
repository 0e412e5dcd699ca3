/** The lab's WAMP router: one realm for its users and accounts, on the site's own listener and on D11's. */
import {
  createGuard,
  wampBearer,
  wampHello,
  type Guard,
  type GuardOptions,
  type Journal,
  type Method,
  type PasswordHasher,
  type Records,
} from 'countersign'
import {
  accounts,
  anonymous,
  cryptosign,
  cryptosignPrincipals,
  memoryCookies,
  tlsPrincipals,
  wampCookie,
  wampcra,
  wampcraUsers,
  wampTicket,
  wampTls,
} from 'countersign/methods'
import { answerHttp } from 'countersign/http'
import { nodePlatform } from 'countersign/platform/node'
import { Router, ruleOf, type Action, type PermissionRule, type RoleOptions } from 'countersign/wamp'
import { nodeRouterPorts } from 'countersign/wamp/node'
import { wampWebSockets } from 'countersign/wamp/ws'
import { heartbeatMs } from '../server/heartbeat.ts'
import { pathOf, type WebSocketRoute } from './web-socket-route.ts'
import { wampNames, wampPlace, wampSigner, wampUsers } from './browser/wamp-users.ts'

/** What the router stands on. */
export interface LabWampOptions {
  /** `localhost:8000`: the site that it shares its listener with. */
  readonly host: string
  readonly records: Records
  readonly passwords: PasswordHasher
  readonly journal: Journal
  readonly origins: readonly string[]
  readonly hosts: readonly string[]
  readonly limits: NonNullable<GuardOptions['limits']>
  /** Path of its URL. @default '/ws' */
  readonly path?: string
  /** `Host`s of D11, where the router listens over TLS. */
  readonly secureHosts: readonly string[]
  /** The one client certificate that is let in there, by its SHA-256, and the name of its sessions. */
  readonly client: { readonly fingerprint: string; readonly authid: string }
}

/** A router that takes over upgrades of its path. */
export interface LabWamp {
  readonly id: string
  readonly url: string
  readonly realm: string
  readonly guard: Guard
  /** `guard`, and those of the transport that sets cookies and of the one over TLS. */
  readonly guards: readonly Guard[]
  /** For the `upgrade` event of the listener; other paths are answered with 404. */
  readonly upgrade: WebSocketRoute['upgrade']
  /** For the upgrades of this path at D11. */
  readonly secure: WebSocketRoute
  /** Says goodbye to every session. */
  close(): void
}

const everything: readonly Action[] = ['call', 'register', 'publish', 'subscribe']

function allow(uri: string, actions: readonly Action[]): PermissionRule {
  const can = (action: Action): boolean => actions.includes(action)
  return {
    ...ruleOf(uri),
    allow: {
      call: can('call'),
      register: can('register'),
      publish: can('publish'),
      subscribe: can('subscribe'),
    },
    disclose: { caller: false, publisher: false },
    cache: true,
  }
}

/** Whoever has logged in, in whatever role, may use the names below `com.example.`; nobody in particular may listen. */
const roles: readonly RoleOptions[] = [
  ...['frontend', 'user', 'admin'].map((name) => ({ name, rules: [allow(`${wampNames.own}*`, everything)] })),
  { name: 'anonymous', rules: [allow(wampNames.open, ['subscribe'])] },
]

/** What PBKDF2 made of peter's password, as configurations keep it. */
const salted = {
  secret: 'VlINM+gMcTKJWtnZqApuoCfLnGHzMV1yIQf6jF7PDLQ=',
  salt: 'salt-of-the-lab-1',
  iterations: 100_000,
  keylen: 32,
} as const

/** The cases at `cookiePath` are alone in using it. */
const cookieName = 'countersign-wamp'

/** How long an upgrade of another path has to take its answer, ms. */
const farewellMs = 1_000

type Upgrade = LabWamp['upgrade']

/** Makes the router, ready to be joined. The caller hands it upgrades. */
export async function createLabWamp(options: LabWampOptions): Promise<LabWamp> {
  const { path = wampPlace.path, host, client, secureHosts, ...parts } = options
  const router = new Router({ realms: [{ name: wampPlace.realm, roles }] }, nodeRouterPorts())
  const guardOf = (accept: readonly Method[], more: Partial<GuardOptions> = {}): Guard =>
    createGuard({ ...parts, name: wampPlace.id, audience: wampPlace.id, accept, ...more })
  const guard = guardOf(await openMethods())
  const store = memoryCookies()
  const cookie = { store, name: cookieName }
  const remembering = guardOf(
    [wampCookie({ from: wampBearer(), ...cookie }), wampTicket({ from: wampBearer() })],
    { name: `${wampPlace.id} cookie` },
  )
  const certified = guardOf(
    [wampTls({ from: wampHello(), sources: [tlsPrincipals({ [client.authid]: known(client) })] })],
    { name: `${wampPlace.id} TLS`, hosts: secureHosts },
  )
  const beating = { pingIntervalMs: heartbeatMs }
  const sockets = wampWebSockets(router, { guard, ...beating })
  // The lab is on loopback, without TLS.
  const returning = wampWebSockets(router, {
    guard: remembering,
    cookie: { ...cookie, secure: false },
    ...beating,
  })
  const secure = wampWebSockets(router, { guard: certified, ...beating })
  const guards = [guard, remembering, certified]
  return {
    id: wampPlace.id,
    url: `ws://${host}${path}`,
    realm: wampPlace.realm,
    guard,
    guards,
    upgrade: byPath({ [path]: sockets.upgrade, [wampPlace.cookiePath]: returning.upgrade }),
    secure: { path, upgrade: secure.upgrade },
    close: () => {
      router.close()
      for (const transport of [sockets, returning, secure]) transport.close()
      for (const one of guards) one.close()
    },
  }
}

/** What the site's own path takes. */
async function openMethods(): Promise<readonly Method[]> {
  const { plain, salted: other } = wampUsers
  const platform = nodePlatform()
  const users = wampcraUsers(
    {
      [plain.authid]: { secret: plain.secret, role: 'frontend' },
      [other.authid]: { ...salted, role: 'frontend' },
    },
    (secret, how) => platform.derive(secret, how),
  )
  await users.ready
  const { authid, publicKey } = wampSigner
  const signers = cryptosignPrincipals({ [authid]: { authorized_keys: [publicKey], role: 'frontend' } })
  return [
    wampcra({ from: wampHello(), sources: [users, accounts()] }),
    cryptosign({ from: wampHello(), sources: [signers] }),
    wampTicket({ from: wampBearer() }),
    anonymous({ from: wampHello() }),
  ]
}

function known({ fingerprint }: LabWampOptions['client']): {
  readonly sha256: string
  readonly role: string
} {
  return { sha256: fingerprint, role: 'user' }
}

function byPath(routes: Readonly<Record<string, Upgrade>>): Upgrade {
  const table = new Map(Object.entries(routes))
  return (request, socket, head) => {
    const upgrade = table.get(pathOf(request))
    if (upgrade !== undefined) upgrade(request, socket, head)
    else answerHttp(socket, { status: 404, headers: {}, body: 'Not found' }, farewellMs)
  }
}
