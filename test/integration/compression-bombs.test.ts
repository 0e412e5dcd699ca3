import { deflateRawSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { authorization, firstMessage } from '../../packages/countersign/src/index.ts'
import { apiKey } from '../../packages/countersign/src/methods/index.ts'
import { call, frame, openGuarded, until } from '../countersign/support/sockets.ts'
import { opening } from './support/attacker.ts'
import { Flood } from './support/flood.ts'

const maxPayload = 1_048_576

/** A compressed message of zeros, in a frame that says so. */
function bomb(bytes: number): Buffer {
  const text = frame(deflateRawSync(Buffer.alloc(bytes), { level: 9 }), 2)
  text[0] = 0xc2
  return text
}

describe('where permessage-deflate was agreed upon', () => {
  it.each([
    // As much as fits into the bytes that may come before acceptance: four thousand on the wire.
    ['before acceptance', 3 * 1_048_576, { accepted: false, size: 200, perRound: 5 }],
    // Whoever is in is somebody, and zlib takes its time: these come a little slower.
    ['after acceptance', 16 * 1_048_576, { accepted: true, size: 150, perRound: 3 }],
  ])(
    'bombs from twenty addresses %s cost a bounded amount of memory and keep nobody out',
    async (_when, inflated, { accepted, size, perRound }) => {
      const door = await openGuarded({
        accept: [apiKey({ from: authorization('Bearer') }), apiKey({ from: firstMessage() })],
        dangerouslyAllowCleartext: true,
        application: ({ socket, lease }) => socket.send(`Hello ${lease.principal.id}`),
        wss: { noServer: true, perMessageDeflate: true, maxPayload },
      })
      const keyOf = (subject: string): Promise<{ readonly key: string }> =>
        door.guard.issue.apiKey({ name: 'k', subject })
      const [{ key }, { key: stranger }] = [await keyOf('alice'), await keyOf('mallory')]
      const fields = [
        'Sec-WebSocket-Extensions: permessage-deflate',
        ...(accepted ? [`Authorization: Bearer ${stranger}`] : []),
      ]
      const upgraded = bomb(inflated)
      expect(upgraded.length).toBeLessThan(accepted ? 70_000 : 4_096)
      const flood = new Flood(
        { port: door.port, first: opening(door.port, fields), upgraded },
        size,
        perRound,
      )
      const before = process.memoryUsage().rss
      const took: number[] = []
      let largest = 0
      try {
        const endMs = Date.now() + 5_000
        while (Date.now() < endMs) {
          await new Promise((resolve) => setTimeout(resolve, 250))
          largest = Math.max(largest, process.memoryUsage().rss)
          const began = performance.now()
          const caller = call(door)
          await caller.outcome
          caller.socket.send(key)
          await until(() => caller.frames.includes('Hello alice'))
          took.push(performance.now() - began)
          caller.socket.terminate()
        }
      } finally {
        flood.stop()
      }
      const { opened, shed } = flood.report()
      const mib = Math.round((largest - before) / 1_048_576)
      const slowest = Math.max(...took)
      console.log(
        `${_when}: ${opened} bombs, ${shed} shed, ${mib} MiB more, slowest client ${slowest.toFixed(0)} ms`,
      )
      expect(shed).toBeGreaterThan(100)
      expect(mib).toBeLessThan(256)
      expect(slowest).toBeLessThan(1_000)
      expect(door.guests.flatMap(({ messages }) => messages).filter((text) => text.length > 0)).toEqual([])
    },
  )
})
