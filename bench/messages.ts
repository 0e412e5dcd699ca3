/** Messages after acceptance: what the gate of a lease costs on each. */
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench } from './rig/bench.ts'
import { echo, hold, release, type Attempt } from './rig/generator.ts'
import { median } from './rig/numbers.ts'
import { Server } from './rig/process.ts'
import type { Row } from './rig/report.ts'
import { handshakeRequest, textFrame } from './rig/requests.ts'
import { unusedKey } from './rig/tokens.ts'

const connections = 16
const window = 16

/** What is sent and echoed. */
interface Case {
  readonly name: string
  readonly text: string
  readonly policy: boolean
  readonly targets: Row['targets']
}

/** Both texts are 64 bytes long; what a policy reads has to be JSON. */
const cases: readonly Case[] = [
  {
    name: 'echo',
    text: 'x'.repeat(64),
    policy: false,
    targets: [{ figure: 'share', bound: 0.98, sense: 'at least' }],
  },
  {
    name: 'echo under a policy',
    text: '{"type":"chat.send","room":"lobby","text":"hello, how are you?"}',
    policy: true,
    targets: [],
  },
]

/** The messages bench. */
export const bench: Bench = {
  name: 'messages',
  about: 'echoes of 64 bytes over 16 accepted connections, CPU beside bare ws',
  async run({ quick, only, done }) {
    for (const one of cases) if (one.name.includes(only)) done(await measure(one, quick))
  },
}

async function measure({ name, text, policy, targets }: Case, quick: boolean): Promise<Row> {
  const bare = await Server.start({ kind: 'bare', application: 'echo' })
  const guarded = await Server.start({
    kind: 'guarded',
    application: 'echo',
    records: 'memory',
    key: unusedKey,
    policy,
  })
  const tickets = await guarded.ask('mint', { what: 'ticket', count: connections })
  const attempts = tickets.map((ticket): Attempt => ({
    request: handshakeRequest({ target: `/?ticket=${ticket}` }),
    frame: undefined,
  }))
  const floorSide = { server: bare, sockets: await hold(bare.port, attempts), text }
  const guardedSide = { server: guarded, sockets: await hold(guarded.port, attempts), text }
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
    return {
      bench: 'messages',
      name,
      figures: {
        share: median(shares),
        'share (quietest)': Math.min(...floorUs) / Math.min(...guardedUs),
        'floor µs': median(floorUs),
        'guarded µs': median(guardedUs),
        'messages/s': median(rates),
      },
      targets,
    }
  } finally {
    await release([...floorSide.sockets, ...guardedSide.sockets])
    await Promise.all([bare.stop(), guarded.stop()])
  }
}

interface EchoSide {
  readonly server: Server
  readonly sockets: readonly Socket[]
  readonly text: string
}

async function slice(
  side: EchoSide,
  messagesEach: number,
): Promise<{ readonly us: number; readonly perSecond: number }> {
  const before = await side.server.ask('cpu', undefined)
  const elapsedMs = await echo({
    sockets: side.sockets,
    frame: textFrame(side.text),
    // A server's frames are not masked: two bytes of head.
    answerBytes: side.text.length + 2,
    window,
    messagesEach,
  })
  await sleep(10)
  const after = await side.server.ask('cpu', undefined)
  const messages = messagesEach * side.sockets.length
  return { us: (after.us - before.us) / messages, perSecond: (messages / elapsedMs) * 1_000 }
}
