/**
 * Any number of contestants, measured in turns: what else the machine does hits all alike. The first is the floor; the
 * second is the floor once more, so that a table says how far two equals are apart in this very run.
 */
import { median } from './numbers.ts'

/** What one slice of a contestant cost. */
export interface RoundSlice {
  /** CPU time of the measured process, µs an operation. */
  readonly us: number
  readonly perSecond: number
  /** Median time of an operation, ms. */
  readonly p50Ms: number
}

/** Measures one slice. */
export type Contestant = () => Promise<RoundSlice>

/** How often, and how long at most: on a machine that has something else to do, a round takes as long as it takes. */
export interface RoundPlan {
  /** Rounds before anything counts: until then compilers are at work. */
  readonly warmUps: number
  readonly rounds: number
  /** No further round is begun after this, once there are three, ms. A quarter of it is for warming up. */
  readonly withinMs: number
}

const fewestRounds = 3

/** Slices of each contestant; those of one index were neighbours in time. */
export async function inRounds(
  contestants: readonly Contestant[],
  plan: RoundPlan,
): Promise<readonly (readonly RoundSlice[])[]> {
  const startedAt = performance.now()
  const spentMs = (): number => performance.now() - startedAt
  for (let at = 0; at < plan.warmUps && (at === 0 || spentMs() < plan.withinMs / 4); at++)
    for (const contestant of contestants) await contestant()
  const slices: RoundSlice[][] = contestants.map(() => [])
  for (let at = 0; at < plan.rounds && (at < fewestRounds || spentMs() < plan.withinMs); at++) {
    for (const turn of turnsOf(at, contestants.length)) {
      const measured = await contestants[turn]?.()
      if (measured !== undefined) slices[turn]?.push(measured)
    }
  }
  return slices
}

/** Nobody always comes first, and nobody always comes behind the same one. */
export function turnsOf(round: number, count: number): readonly number[] {
  const turns = Array.from({ length: count }, (_none, at) => (at + (round >> 1)) % count)
  return round % 2 === 0 ? turns : turns.toReversed()
}

/** A contestant beside the floor: medians, and medians of what neighbours in time come to. */
export function besideFloor(
  slices: readonly RoundSlice[],
  floor: readonly RoundSlice[],
  unit: string,
): Readonly<Record<string, number>> {
  const pairs = slices.map((slice, at) => ({ slice, beside: floor[at] ?? noSlice }))
  return {
    share: median(pairs.map(({ slice, beside }) => beside.us / slice.us)),
    'share (quietest)': least(floor) / least(slices),
    'share of rate': median(pairs.map(({ slice, beside }) => slice.perSecond / beside.perSecond)),
    'floor µs': median(floor.map(({ us }) => us)),
    µs: median(slices.map(({ us }) => us)),
    'more µs': median(pairs.map(({ slice, beside }) => slice.us - beside.us)),
    [`${unit}/s`]: median(slices.map(({ perSecond }) => perSecond)),
    'p50 ms': median(slices.map(({ p50Ms }) => p50Ms)),
    'floor p50 ms': median(floor.map(({ p50Ms }) => p50Ms)),
    rounds: pairs.length,
  }
}

const noSlice: RoundSlice = { us: NaN, perSecond: NaN, p50Ms: NaN }

function least(slices: readonly RoundSlice[]): number {
  return Math.min(...slices.map(({ us }) => us))
}
