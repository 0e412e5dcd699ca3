/** Messages after acceptance: what the gate of a lease costs on each. */
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench } from './rig/bench.ts'
import { echo, hold, release, type Attempt } from './rig/generator.ts'
import { median } from './rig/numbers.ts'
import { Server } from './rig/process.ts'
import { handshakeRequest, textFrame } from './rig/requests.ts'
import { unusedKey } from './rig/tokens.ts'

const connections = 16
const window = 16
const text = 'x'.repeat(64)
/** A server's frames are not masked: two bytes of head. */
const answerBytes = text.length + 2

/** The messages bench. */
export const bench: Bench = {
  name: 'messages',
  about: 'echoes of 64 bytes over 16 accepted connections, CPU beside bare ws',
  async run({ quick, done }) {
    const bare = await Server.start({ kind: 'bare', application: 'echo' })
    const guarded = await Server.start({
      kind: 'guarded',
      application: 'echo',
      records: 'memory',
      key: unusedKey,
    })
    const tickets = await guarded.ask('mint', { what: 'ticket', count: connections })
    const attempts = tickets.map((ticket): Attempt => ({
      request: handshakeRequest({ target: `/?ticket=${ticket}` }),
      frame: undefined,
    }))
    const floorSide = { server: bare, sockets: await hold(bare.port, attempts) }
    const guardedSide = { server: guarded, sockets: await hold(guarded.port, attempts) }
    try {
      const shares: number[] = []
      const floorUs: number[] = []
      const guardedUs: number[] = []
      const rates: number[] = []
      const messagesEach = quick ? 1_600 : 4_800
      for (const side of [floorSide, guardedSide]) await slice(side, messagesEach)
      for (let pair = 0; pair < (quick ? 4 : 12); pair++) {
        const order = pair % 2 === 0 ? [floorSide, guardedSide] : [guardedSide, floorSide]
        const costs = new Map<Server, { readonly us: number; readonly perSecond: number }>()
        for (const side of order) costs.set(side.server, await slice(side, messagesEach))
        const [floor, cost] = [costs.get(bare), costs.get(guarded)]
        if (floor === undefined || cost === undefined) continue
        floorUs.push(floor.us)
        guardedUs.push(cost.us)
        shares.push(floor.us / cost.us)
        rates.push(cost.perSecond)
      }
      done({
        bench: 'messages',
        name: 'echo',
        figures: {
          share: median(shares),
          'share (quietest)': Math.min(...floorUs) / Math.min(...guardedUs),
          'floor µs': median(floorUs),
          'guarded µs': median(guardedUs),
          'messages/s': median(rates),
        },
        targets: [{ figure: 'share', bound: 0.98, sense: 'at least' }],
      })
    } finally {
      await release([...floorSide.sockets, ...guardedSide.sockets])
      await Promise.all([bare.stop(), guarded.stop()])
    }
  },
}

interface EchoSide {
  readonly server: Server
  readonly sockets: readonly Socket[]
}

async function slice(
  side: EchoSide,
  messagesEach: number,
): Promise<{ readonly us: number; readonly perSecond: number }> {
  const before = await side.server.ask('cpu', undefined)
  const elapsedMs = await echo({
    sockets: side.sockets,
    frame: textFrame(text),
    answerBytes,
    window,
    messagesEach,
  })
  await sleep(10)
  const after = await side.server.ask('cpu', undefined)
  const messages = messagesEach * side.sockets.length
  return { us: (after.us - before.us) / messages, perSecond: (messages / elapsedMs) * 1_000 }
}
