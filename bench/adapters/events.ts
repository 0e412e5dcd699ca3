/** Events on accepted Socket.IO connections: with an acknowledgement, and sent back as an event. */
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { answer, openEngine, question } from '../rig/engine-io.ts'
import { exchange, release } from '../rig/generator.ts'
import type { Part } from '../rig/part.ts'
import type { Row } from '../rig/report.ts'
import { textFrame } from '../rig/requests.ts'
import { besideFloor, inRounds, type RoundPlan, type RoundSlice } from '../rig/rounds.ts'
import { callsOf, floors, startSides, type Contender, type Side } from './socket-io-sides.ts'

const contenders: readonly Contender[] = [
  ...floors,
  { name: 'guarded, every event', door: 'every event', shows: 'ticket', atLeast: 0.95 },
  { name: 'guarded, policy', door: 'policy', shows: 'ticket', atLeast: 0.95 },
  { name: 'guarded, policy and schema', door: 'schema', shows: 'ticket', atLeast: 0.95 },
]

/** One shape of a round trip. */
interface Exchange {
  readonly name: string
  readonly event: string
  readonly answer: string
}

const exchanges: readonly Exchange[] = [
  { name: 'acknowledged', event: question, answer },
  {
    name: 'echoed',
    event: '42["say",{"room":"lobby","text":"hello"}]',
    answer: '42["say",{"room":"lobby","text":"hello"}]',
  },
]

const connections = 16
const whole: RoundPlan = { warmUps: 6, rounds: 16, withinMs: 30_000 }
const small: RoundPlan = { warmUps: 2, rounds: 3, withinMs: 10_000 }
/** A server's frames are not masked: two bytes of head. */
const headBytes = 2

/** One table for each shape. */
export const parts: readonly Part[] = exchanges.map((shape) => ({
  name: `events: ${shape.name}`,
  async *measure(quick) {
    yield* await measureExchange(shape, quick)
  },
}))

interface Open {
  readonly side: Side
  readonly sockets: readonly Socket[]
}

async function measureExchange(shape: Exchange, quick: boolean): Promise<readonly Row[]> {
  const sides = await startSides(contenders)
  const opened: Open[] = []
  try {
    for (const side of sides) opened.push({ side, sockets: await openAll(side) })
    const roundTrips = quick ? 60 : 500
    const slices = await inRounds(
      opened.map((one) => () => slice(one, shape, roundTrips)),
      quick ? small : whole,
    )
    return rowsOf(shape, slices)
  } finally {
    await release(opened.flatMap(({ sockets }) => sockets))
    await Promise.all(sides.map(({ server }) => server.stop()))
  }
}

async function openAll(side: Side): Promise<readonly Socket[]> {
  const calls = await callsOf(side, connections)
  const peers = await Promise.all(calls.map((call) => openEngine(call, 'websocket')))
  return peers.map((peer) => peer.raw())
}

/** One event of each connection is under way at a time. */
async function slice({ side, sockets }: Open, shape: Exchange, roundTrips: number): Promise<RoundSlice> {
  const { server } = side
  const before = await server.ask('cpu', undefined)
  const elapsedMs = await exchange({
    sockets,
    burst: textFrame(shape.event),
    answerBytes: shape.answer.length + headBytes,
    bursts: roundTrips,
  })
  await sleep(10)
  const after = await server.ask('cpu', undefined)
  const count = roundTrips * sockets.length
  return {
    us: (after.us - before.us) / count,
    perSecond: (count / elapsedMs) * 1_000,
    p50Ms: elapsedMs / roundTrips,
  }
}

function rowsOf({ name: shape }: Exchange, slices: readonly (readonly RoundSlice[])[]): readonly Row[] {
  const [floor = []] = slices
  return contenders.slice(1).map(({ name, atLeast }, at) => {
    const {
      'p50 ms': ms = NaN,
      'floor p50 ms': floorMs = NaN,
      ...figures
    } = besideFloor(slices[at + 1] ?? [], floor, 'round trips')
    return {
      bench: 'adapters',
      table: `Socket.IO events, ${shape}, ${connections} at once: CPU of the server a round trip, beside an unguarded server`,
      name,
      figures: { ...figures, 'round trip ms': ms, 'floor ms': floorMs },
      targets: atLeast === undefined ? [] : [{ figure: 'share', bound: atLeast, sense: 'at least' }],
    }
  })
}
