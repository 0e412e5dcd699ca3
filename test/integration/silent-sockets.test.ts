import { connect, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { firstMessage } from '../../packages/countersign/src/index.ts'
import { ticket } from '../../packages/countersign/src/methods/index.ts'
import { call, expectAccepted, openGuarded, until, upgradeLines } from '../countersign/support/sockets.ts'

const silentSockets = 2_000
const deadlineMs = 3_000
const request = [...upgradeLines('/'), '', ''].join('\r\n')

/** Opens a socket, asks for the upgrade and never says a word. */
function fallSilent(port: number): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    // Refused, dropped or let in to wait: all that matters is that the server has seen it.
    socket.once('data', () => resolve(socket))
    socket.once('close', () => resolve(socket))
    socket.resume()
    socket.write(request)
    onTestFinished(() => void socket.destroy())
  })
}

describe('2,000 silent sockets at the door of first messages', () => {
  test('keep nobody out, never exceed the pool, and are gone a second after the deadline', async () => {
    const door = await openGuarded({
      accept: [ticket({ from: firstMessage() })],
      limits: {
        deadlineMs,
        handshakesPerSecond: 10_000,
        pool: { total: 1_000, perSource: 1_000, perSubnet: 1_000 },
      },
    })
    let largest = 0
    door.server.on('upgrade', () => (largest = Math.max(largest, door.guard.pool.size)))
    const sockets: Promise<Socket>[] = []
    for (let at = 0; at < silentSockets; at += 100) {
      const some = Array.from({ length: 100 }, () => fallSilent(door.port))
      sockets.push(...some)
      await Promise.all(some)
    }
    const lastMs = Date.now()
    expect(door.guard.pool.size).toBe(1_000)

    const { ticket: text } = await door.guard.issue.ticket({ subject: 'alice' })
    const began = Date.now()
    const caller = call(door)
    await caller.outcome
    caller.socket.send(text)
    await expectAccepted(door, caller, 'alice')
    expect(Date.now() - began).toBeLessThan(1_000)

    await until(() => door.guard.pool.size === 0, deadlineMs + 2_000)
    const all = await Promise.all(sockets)
    await until(() => all.every((socket) => socket.closed), deadlineMs + 2_000)
    expect(Date.now() - lastMs).toBeLessThan(deadlineMs + 1_000)
    expect(largest).toBe(1_000)
    expect(caller.socket.readyState).toBe(caller.socket.OPEN)
  })
})
