import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { logIn, postAs, runLab, type RunningLab } from '../support/running-lab.ts'

const silentSockets = 2_000

let lab: RunningLab
beforeAll(async () => {
  lab = await runLab()
})
afterAll(() => lab.stop())

/** How many sockets wait at a door, by the program's own word. */
async function waiting(door: string): Promise<number> {
  const health = (await (await fetch(`${lab.url}healthz`)).json()) as {
    readonly guards: readonly { readonly name: string; readonly pool: { readonly size: number } }[]
  }
  return health.guards.find((one) => one.name === door)?.pool.size ?? -1
}

describe('2,000 silent sockets at the first-message door', () => {
  it('neither shut a legitimate client out nor outlive the deadline, and never exceed the published limit', async () => {
    const { url } = lab.door('D1')
    const { preauth_total: total, preauth_deadline_ms: deadlineMs } = lab.doors.limits
    const cookie = await logIn(lab)
    const open = new Map<WebSocket, number>()
    /** How long each socket was open, ms. */
    const stays: number[] = []
    const sizes: number[] = []
    for (let at = 0; at < silentSockets; at++) {
      const socket = new WebSocket(url)
      socket.on('open', () => open.set(socket, performance.now()))
      socket.on('error', () => undefined)
      socket.on('close', () => {
        const openedAt = open.get(socket)
        if (openedAt !== undefined) stays.push(performance.now() - openedAt)
        open.delete(socket)
      })
      if (at % 100 === 99) {
        await new Promise((resolve) => setTimeout(resolve, 20))
        sizes.push(await waiting('D1'))
      }
    }
    sizes.push(await waiting('D1'))

    const { ticket } = await postAs(lab, cookie, { path: '/countersign/ticket', body: { audience: 'D1' } })
    const startedAt = Date.now()
    const greeting = await new Promise<string>((resolve, reject) => {
      const socket = new WebSocket(url)
      socket.on('open', () => socket.send(String(ticket)))
      socket.on('message', (data) => {
        resolve(String(data))
        socket.close()
      })
      socket.on('error', reject)
      socket.on('close', (code) => reject(new Error(`closed with ${String(code)}`)))
    })
    expect(greeting).toBe('Hello alice!')
    expect(Date.now() - startedAt).toBeLessThan(1_000)

    expect(Math.max(...sizes)).toBeGreaterThan(total / 2)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(total)
    // Nothing is in time on a machine that has no time: the program’s slowest answer to anything says how late it is.
    let slowestMs = 0
    const endMs = Date.now() + deadlineMs + 10_000
    while (open.size > 0 && Date.now() < endMs) {
      const askedAt = performance.now()
      await waiting('D1')
      slowestMs = Math.max(slowestMs, performance.now() - askedAt)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    expect(open.size).toBe(0)
    expect(stays.length).toBeGreaterThan(total / 2)
    expect(Math.max(...stays) - slowestMs).toBeLessThanOrEqual(deadlineMs + 1_000)
    expect(await waiting('D1')).toBe(0)
  })
})
