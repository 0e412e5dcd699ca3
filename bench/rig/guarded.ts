/** The guarded side of a pair: one guard with everything in place, whichever door is measured. */
import type { Server } from 'node:http'
import {
  authorization,
  cookie,
  createGuard,
  firstMessage,
  memory,
  messagePolicy,
  query,
  subprotocol,
  type Guard,
  type PasswordHasher,
  type Policy,
  type Records,
} from 'countersign'
import { hmacSecret, jwt, localJwks, password, session, ticket, type KeySource } from 'countersign/methods'
import { guardUpgrades } from 'countersign/ws'
import type { WebSocketServer } from 'ws'
import {
  audience,
  host,
  issuer,
  origin,
  sessionCookie,
  type Role,
  type ServerQuestions,
  type TokenKey,
} from './protocol.ts'

/** Makes credentials that the guard will accept. */
export type Mint = (what: ServerQuestions['mint']['ask']['what'], count: number) => Promise<readonly string[]>

/** Puts a guard before the server. */
export async function guardedServer(
  server: Server,
  wss: WebSocketServer,
  role: Role & { readonly kind: 'guarded' },
): Promise<Mint> {
  const guard = createGuard({
    records: await recordsOf(role.records),
    audience,
    origins: [origin],
    hosts: [host],
    // One address sends all the load: its rate is counted, and never reached.
    limits: { handshakesPerSecond: 1e9 },
    passwords: nobody,
    accept: [
      ticket({ from: [query('ticket'), firstMessage()] }),
      session({ from: cookie(sessionCookie) }),
      jwt({
        from: [authorization('Bearer'), subprotocol()],
        issuer,
        audience,
        algorithms: [role.key.algorithm],
        keys: keysOf(role.key),
        cacheSize: role.key.cacheSize,
      }),
      password({ from: authorization('Basic') }),
    ],
  })
  guardUpgrades(server, wss, guard, role.policy === true ? { messages: policy() } : {})
  return (what, count) => mintAll(guard, what, count)
}

/** One exact row of a table with patterns beside it, and rates that are counted and never reached. */
function policy(): Policy {
  const rate = { max: 100_000, intervalMs: 1_000 }
  return messagePolicy({
    actions: {
      'chat.send': { roles: ['admin', 'member'], resource: 'room', rate },
      'chat.*.read': { roles: ['member'] },
      'chat.*': { roles: ['admin'] },
    },
    rate,
  })
}

/** The password method is in place but not measured: its cost is that of argon2id, whatever the guard does. */
const nobody: PasswordHasher = { hash: () => '', verify: () => 'wrong' }

function keysOf({ algorithm, jwk }: TokenKey): KeySource {
  if (algorithm === 'HS256') return hmacSecret(Buffer.from(jwk['k'] ?? '', 'base64url'))
  return localJwks({ keys: [jwk] })
}

async function recordsOf(records: string): Promise<Records> {
  if (records === 'memory') return memory()
  const { sqlite } = await import('countersign/stores/sqlite')
  return sqlite(records)
}

let lastUser = 0

async function mintAll(guard: Guard, what: 'ticket' | 'session', count: number): Promise<readonly string[]> {
  const secrets: string[] = []
  for (let at = 0; at < count; at++) {
    // Everybody has one connection: what a second one costs is the application's choice.
    const subject = `user-${++lastUser}`
    const roles = ['member']
    if (what === 'ticket') secrets.push((await guard.issue.ticket({ subject, roles })).ticket)
    else secrets.push((await guard.issue.session({ subject, roles })).session)
  }
  return secrets
}
