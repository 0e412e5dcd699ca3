/** The lab's WAMP router: one realm on the site's own listener, for the users and the accounts of the lab. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import {
  createGuard,
  wampBearer,
  wampHello,
  type Guard,
  type GuardOptions,
  type Journal,
  type PasswordHasher,
  type Records,
} from 'countersign'
import {
  accounts,
  anonymous,
  cryptosign,
  cryptosignPrincipals,
  wampcra,
  wampcraUsers,
  wampTicket,
} from 'countersign/methods'
import { answerHttp } from 'countersign/http'
import { nodePlatform } from 'countersign/platform/node'
import { Router, ruleOf, type Action, type PermissionRule, type RoleOptions } from 'countersign/wamp'
import { nodeRouterPorts } from 'countersign/wamp/node'
import { wampWebSockets } from 'countersign/wamp/ws'
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
}

/** A router that takes over upgrades of its path. */
export interface LabWamp {
  readonly id: string
  readonly url: string
  readonly realm: string
  readonly guard: Guard
  /** For the `upgrade` event of the listener; other paths are answered with 404. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
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
  secret: 'prq7+YkJ1/KlW1X0YczMHw==',
  salt: 'salt123',
  iterations: 100,
  keylen: 16,
} as const

/** How long an upgrade of another path has to take its answer, ms. */
const farewellMs = 1_000

/** Makes the router, ready to be joined. The caller hands it upgrades. */
export async function createLabWamp(options: LabWampOptions): Promise<LabWamp> {
  const { path = wampPlace.path, host, ...parts } = options
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
  const guard = createGuard({
    ...parts,
    name: wampPlace.id,
    audience: wampPlace.id,
    accept: [
      wampcra({ from: wampHello(), sources: [users, accounts()] }),
      cryptosign({ from: wampHello(), sources: [signers] }),
      wampTicket({ from: wampBearer() }),
      anonymous({ from: wampHello() }),
    ],
  })
  const router = new Router({ realms: [{ name: wampPlace.realm, roles }] }, nodeRouterPorts())
  const sockets = wampWebSockets(router, { guard })
  return {
    id: wampPlace.id,
    url: `ws://${host}${path}`,
    realm: wampPlace.realm,
    guard,
    upgrade: (request, socket, head) => {
      if (pathOf(request) === path) sockets.upgrade(request, socket, head)
      else answerHttp(socket, { status: 404, headers: {}, body: 'Not found' }, farewellMs)
    },
    close: () => {
      router.close()
      sockets.close()
      guard.close()
    },
  }
}

function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? ''
}
