import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocketServer } from 'ws'
import {
  createGuard,
  firstMessage as messageCarrier,
  memory,
  query as queryCarrier,
  type Guard,
} from '../../../packages/countersign/src/index.ts'
import { ticket } from '../../../packages/countersign/src/methods/index.ts'
import { guardUpgrades } from '../../../packages/countersign/src/adapters/ws.ts'
import { firstMessage, query, type Carrier } from '../../../packages/countersign/src/client/index.ts'
import { pageOrigin } from '../support/guard.ts'
import { openGuarded, until } from '../support/sockets.ts'
import { bases, connect, pageSocket, testClock, ticketsOf, type Watched } from './client.ts'

const crowd = 500

const pool = { total: 4_000, perSource: 4_000, perSubnet: 4_000, talking: 4_000 }
const limits = { pool, handshakesPerSecond: 100_000 }

/** Opens the sockets of a crowd, a few at a time. */
async function gather(
  door: { readonly port: number },
  carrierOf: (at: number) => Carrier,
  options: Partial<Parameters<typeof connect>[1]> = {},
): Promise<readonly Watched[]> {
  const clients: Watched[] = []
  for (let at = 0; at < crowd; at++) {
    clients.push(connect(door, { carrier: carrierOf(at), WebSocket: pageSocket, ...options }))
    if (at % 50 === 49) await until(() => clients.every(({ heard }) => heard.length > 0), 20_000)
  }
  return clients
}

describe('five hundred clients', () => {
  test('whose token is revoked while they are connected make no further attempt', async () => {
    const door = await openGuarded({ accept: [ticket({ from: messageCarrier() })], limits })
    const tickets = ticketsOf(door)
    const clients = await gather(door, () => firstMessage(tickets))
    await until(() => door.guests.length === crowd, 20_000)
    await door.guard.revoke({ subject: 'alice' })
    await until(() => clients.every(({ heard }) => heard.at(-1) === 'close 3003 revoked'), 20_000)
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(tickets.count).toBe(crowd)
    expect(door.refusals()).toEqual([])
  })

  test.each([
    ['a reusable token that is refused make one attempt', (): string => 'cst_revoked', 1],
    ['ever other tokens that are refused make two', (): string => `cst_${String(serial++)}`, 2],
  ])('with %s', async (_name, token, attempts) => {
    const door = await openGuarded({ accept: [ticket({ from: messageCarrier() })], limits })
    const clients = await gather(door, () => firstMessage(token), { pauses: { minMs: 20 } })
    await until(() => clients.every(({ heard }) => heard.at(-1)?.startsWith('close 3000')), 20_000)
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(door.refusals()).toHaveLength(crowd * attempts)
  })

  test('that are no browsers and are told by HTTP stop as soon', async () => {
    const door = await openGuarded({ accept: [ticket({ from: queryCarrier('ticket') })], limits })
    const [, base = pageSocket] = bases[1] ?? []
    const clients = await gather(door, () => query(() => `cst_${String(serial++)}`), {
      WebSocket: base,
      pauses: { minMs: 20 },
    })
    await until(() => clients.every(({ heard }) => heard.at(-1)?.startsWith('close 1006')), 20_000)
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(door.refusals()).toHaveLength(crowd * 2)
  })

  test.each([
    [
      'shuts down',
      (socket: { close(code: number, reason: string): void }) => socket.close(1001, 'shutting_down'),
    ],
    ['is killed', (socket: { terminate(): void }) => socket.terminate()],
  ])('of a server that %s come back spread over the advised window, once', async (_name, end) => {
    const guard = createGuard({
      records: memory(),
      origins: [pageOrigin],
      accept: [ticket({ from: messageCarrier() })],
      limits: { jitter: 0, ...limits },
    })
    onTestFinished(() => guard.close())
    const first = await serve(guard, 0)
    const tickets = async (): Promise<string> => (await guard.issue.ticket({ subject: 'alice' })).ticket
    const clock = testClock()
    const clients = await gather(first, () => firstMessage(tickets), { clock })
    await until(() => first.wss.clients.size === crowd, 20_000)
    for (const socket of first.wss.clients) end(socket)
    await until(() => clients.every(({ pauses }) => pauses.length === 1), 20_000)
    await first.stop()
    const second = await serve(guard, first.port)

    const slots = 20
    const arrivals: number[] = []
    for (let slot = 0; slot < slots; slot++) {
      const before = second.connections
      clock.advance(5_000 / slots)
      const due = clients.filter(({ pauses }) => (pauses[0] ?? 0) <= ((slot + 1) * 5_000) / slots).length
      await until(() => clients.filter(({ heard }) => heard.at(-1) === 'open').length >= due, 20_000)
      arrivals.push(second.connections - before)
    }
    clock.advance(60_000)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(second.connections).toBe(crowd)
    expect(Math.max(...arrivals)).toBeLessThan((crowd / slots) * 2.5)
    expect(Math.min(...arrivals)).toBeGreaterThan(0)
  })
})

let serial = 0

interface Served {
  readonly port: number
  readonly wss: WebSocketServer
  readonly connections: number
  stop(): Promise<void>
}

/** A guarded server at a port, which can be stopped and another put in its place. */
async function serve(guard: Guard, port: number): Promise<Served> {
  let connections = 0
  const wss = new WebSocketServer({ noServer: true })
  const server = createServer().listen(port, '127.0.0.1')
  const unguard = guardUpgrades(server, wss, guard)
  wss.on('connection', () => connections++)
  await once(server, 'listening')
  let stopped = false
  const stop = async (): Promise<void> => {
    if (stopped) return
    stopped = true
    unguard()
    for (const socket of wss.clients) socket.terminate()
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  onTestFinished(stop)
  return {
    port: (server.address() as AddressInfo).port,
    wss,
    stop,
    get connections() {
      return connections
    },
  }
}
