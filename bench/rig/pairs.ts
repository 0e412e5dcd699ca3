/**
 * Floor and candidate, measured in turns: what else the machine does hits both alike. CPU time is asked of the server
 * itself, before and after each slice.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { generate, type Attempt, type Outcome } from './generator.ts'
import { median, quantile } from './numbers.ts'
import type { Server } from './process.ts'

/** One of the two servers, and what is sent to it. */
export interface Side {
  readonly server: Server
  readonly status: number
  /** Makes the attempts of a slice; called outside of what is measured. */
  attempts(count: number): Promise<readonly Attempt[]>
}

/** How long and how often. */
export interface Plan {
  readonly pairs: number
  /** Length of a slice of the floor; the candidate gets as many operations, unless it takes three times as long. */
  readonly sliceMs: number
  /** Handshakes of either side before anything is counted: until then compilers are at work, on the server's time. */
  readonly warmUp: number
}

/** What one slice cost. */
export interface Slice {
  /** CPU time of the server, µs an operation. */
  readonly us: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** The slices of both sides; those of one index were neighbours in time. */
export interface Pairs {
  readonly floor: readonly Slice[]
  readonly guarded: readonly Slice[]
}

const concurrent = 16
/** Measures handshakes of both sides in turns. */
export async function measurePairs(
  sides: { readonly floor: Side; readonly guarded: Side },
  plan: Plan,
): Promise<Pairs> {
  const portion = { count: 2_000, untilMs: Infinity }
  let perSecond = 0
  for (let done = 0; done < plan.warmUp; done += portion.count) {
    await slice(sides.guarded, portion)
    perSecond = (await slice(sides.floor, portion)).perSecond
  }
  const measured = {
    count: Math.max(200, Math.round((perSecond * plan.sliceMs) / 1_000)),
    untilMs: plan.sliceMs * 3,
  }
  const floor: Slice[] = []
  const guarded: Slice[] = []
  for (let pair = 0; pair < plan.pairs; pair++) {
    // Neither side always comes first: what one leaves behind must not always hit the other.
    if (pair % 2 === 0) floor.push(await slice(sides.floor, measured))
    guarded.push(await slice(sides.guarded, measured))
    if (pair % 2 === 1) floor.push(await slice(sides.floor, measured))
  }
  return { floor, guarded }
}

interface Portion {
  readonly count: number
  readonly untilMs: number
}

async function slice(side: Side, portion: Portion): Promise<Slice> {
  const { server, status } = side
  const requests = await side.attempts(portion.count)
  await sleep(settleMs)
  const before = await server.ask('cpu', undefined)
  const outcome = await generate({
    port: server.port,
    requests,
    concurrent,
    status,
    untilMs: portion.untilMs,
  })
  await sleep(settleMs)
  const after = await server.ask('cpu', undefined)
  return sliceOf(outcome, (after.us - before.us) / outcome.count)
}

/** Time in which a server finishes closing, or collecting what minting has left. */
const settleMs = 25

function sliceOf(outcome: Outcome, us: number): Slice {
  return {
    us,
    perSecond: (outcome.count / outcome.elapsedMs) * 1_000,
    p50Ms: quantile(outcome.latenciesMs, 0.5),
    p99Ms: quantile(outcome.latenciesMs, 0.99),
  }
}

/** The figures of a series: medians, and shares of the floor by both measures. */
export function figuresOf(pairs: Pairs): Readonly<Record<string, number>> {
  const { floor, guarded } = pairs
  const shares = floor.map((slice, at) => slice.us / (guarded[at]?.us ?? NaN))
  const floorUs = floor.map((slice) => slice.us)
  const guardedUs = guarded.map((slice) => slice.us)
  return {
    share: median(shares),
    'share (quietest)': Math.min(...floorUs) / Math.min(...guardedUs),
    'floor µs': median(floorUs),
    'guarded µs': median(guardedUs),
    'more µs': median(floor.map((slice, at) => (guarded[at]?.us ?? NaN) - slice.us)),
    'handshakes/s': median(guarded.map((slice) => slice.perSecond)),
    'p50 ms': median(guarded.map((slice) => slice.p50Ms)),
    'p99 ms': median(guarded.map((slice) => slice.p99Ms)),
  }
}
