import { describe, expect, test } from 'vitest'
import { Closings } from '../../../packages/countersign/src/adapters/closings.ts'
import type { GatedSocket } from '../../../packages/countersign/src/adapters/gated-socket.ts'

/** What is closed is only passed on here. */
const socketOf = (at: number): GatedSocket => ({ at }) as unknown as GatedSocket

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

describe('closings', () => {
  test('are told at once where they are few, and a few a turn where they are many, in order', async () => {
    const closed: unknown[] = []
    const closings = new Closings((socket) => void closed.push(Reflect.get(socket, 'at')))
    for (let at = 0; at < 100; at++) closings.add(socketOf(at), 'revoked')
    expect(closed).toHaveLength(32)
    const counts: number[] = []
    for (let turns = 0; turns < 4; turns++) {
      await turn()
      counts.push(closed.length)
    }
    expect(counts).toEqual([64, 96, 100, 100])
    expect(closed).toEqual(Array.from({ length: 100 }, (_, at) => at))
  })

  test('that come while others wait stand behind them', async () => {
    const closed: string[] = []
    const closings = new Closings((_socket, reason) => void closed.push(reason))
    for (let at = 0; at < 40; at++) closings.add(socketOf(at), 'revoked')
    closings.add(socketOf(40), 'logged_out')
    expect(closed).not.toContain('logged_out')
    await turn()
    expect(closed.at(-1)).toBe('logged_out')
  })
})
