/** Connecting to a Socket.IO server until its namespace has accepted, unguarded and guarded. */
import { setTimeout as sleep } from 'node:timers/promises'
import { openEngine, type Carried, type EngineCall } from '../rig/engine-io.ts'
import { stayAwake } from '../rig/generator.ts'
import { quantile } from '../rig/numbers.ts'
import type { Part } from '../rig/part.ts'
import type { Row } from '../rig/report.ts'
import { besideFloor, inRounds, type RoundPlan, type RoundSlice } from '../rig/rounds.ts'
import { callsOf, floors, startSides, type Contender, type Side } from './socket-io-sides.ts'

const contenders: readonly Contender[] = [
  ...floors,
  { name: 'a look-up by hand', door: 'by hand', shows: 'ticket', atLeast: undefined },
  { name: 'the least of any guard', door: 'least', shows: 'ticket', atLeast: undefined },
  { name: 'guarded, ticket in auth', door: 'every event', shows: 'ticket', atLeast: 0.9 },
  { name: 'guarded, session cookie', door: 'every event', shows: 'session', atLeast: 0.9 },
]

/** How many connects are a slice, and how many slices there are. */
interface Plan extends RoundPlan {
  readonly slice: number
}

const whole: Plan = { slice: 600, warmUps: 6, rounds: 14, withinMs: 45_000 }
const small: Plan = { slice: 300, warmUps: 2, rounds: 3, withinMs: 15_000 }
const concurrent = 16
/** Time in which a server finishes closing. */
const settleMs = 25

/** One table for each way to be carried. */
export const parts: readonly Part[] = (['websocket', 'polling, then upgrade'] as const).map((carried) => ({
  name: `connects: ${carried}`,
  async *measure(quick) {
    yield* await measureConnects(carried, quick ? small : whole)
  },
}))

async function measureConnects(carried: Carried, plan: Plan): Promise<readonly Row[]> {
  const sides = await startSides(contenders)
  try {
    const slices = await inRounds(
      sides.map((side) => () => slice(side, carried, plan.slice)),
      plan,
    )
    return rowsOf(carried, slices)
  } finally {
    await Promise.all(sides.map(({ server }) => server.stop()))
  }
}

function rowsOf(carried: Carried, slices: readonly (readonly RoundSlice[])[]): readonly Row[] {
  const [floor = []] = slices
  return contenders.slice(1).map(({ name, atLeast }, at) => ({
    bench: 'adapters',
    table: `Socket.IO connects, ${carried}: CPU of the server a connect, beside an unguarded server`,
    name,
    figures: besideFloor(slices[at + 1] ?? [], floor, 'connects'),
    targets: atLeast === undefined ? [] : [{ figure: 'share', bound: atLeast, sense: 'at least' }],
  }))
}

async function slice(side: Side, carried: Carried, count: number): Promise<RoundSlice> {
  const calls = await callsOf(side, count)
  const { server } = side
  await sleep(settleMs)
  const before = await server.ask('cpu', undefined)
  const startedAt = performance.now()
  const latenciesMs = await connectAll(calls, carried)
  const elapsedMs = performance.now() - startedAt
  await sleep(settleMs)
  const after = await server.ask('cpu', undefined)
  return {
    us: (after.us - before.us) / count,
    perSecond: (count / elapsedMs) * 1_000,
    p50Ms: quantile(latenciesMs, 0.5),
  }
}

/** @returns ms from the first byte to the last that is awaited, ascending */
async function connectAll(calls: readonly EngineCall[], carried: Carried): Promise<Float64Array> {
  const latenciesMs = new Float64Array(calls.length)
  let next = 0
  const one = async (): Promise<void> => {
    for (let at = next++; at < calls.length; at = next++) {
      const call = calls[at]
      if (call === undefined) return
      const startedAt = performance.now()
      const peer = await openEngine(call, carried)
      latenciesMs[at] = performance.now() - startedAt
      peer.drop()
    }
  }
  await Promise.all(Array.from({ length: concurrent }, one)).finally(stayAwake())
  return latenciesMs.sort()
}
