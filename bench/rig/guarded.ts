/** The guarded side of a pair: one guard with everything in place, whichever door is measured. */
import type { Server } from 'node:http'
import {
  authorization, cookie, createGuard, firstMessage, memory, query, subprotocol, type Guard, type PasswordHasher,
  type Records,
} from 'countersign'
import { apiKey, password, session, ticket } from 'countersign/methods'
import { guardUpgrades } from 'countersign/ws'
import type { WebSocketServer } from 'ws'
import { audience, host, origin, sessionCookie, type Role, type ServerQuestions } from './protocol.ts'

/** Makes credentials that the guard will accept. */
export type Mint = (
  what: ServerQuestions['mint']['ask']['what'],
  count: number,
) => Promise<readonly string[]>

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
      apiKey({ from: [authorization('Bearer'), subprotocol()] }),
      password({ from: authorization('Basic') }),
    ],
  })
  guardUpgrades(server, wss, guard)
  return (what, count) => mintAll(guard, what, count)
}

/** The password method is in place but not measured: its cost is that of argon2id, whatever the guard does. */
const nobody: PasswordHasher = { hash: () => '', verify: () => 'wrong' }

async function recordsOf(records: string): Promise<Records> {
  if (records === 'memory') return memory()
  const { sqlite } = await import('countersign/stores/sqlite')
  return sqlite(records)
}

async function mintAll(guard: Guard, what: 'ticket' | 'session', count: number): Promise<readonly string[]> {
  const secrets: string[] = []
  for (let at = 0; at < count; at++) {
    const subject = `user-${at}`
    const roles = ['member']
    if (what === 'ticket') secrets.push((await guard.issue.ticket({ subject, roles })).ticket)
    else secrets.push((await guard.issue.session({ subject, roles })).session)
  }
  return secrets
}
