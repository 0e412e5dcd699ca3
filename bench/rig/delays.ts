/** Delays of messages, by when they were due. */
import type { Pulse } from './crowd-protocol.ts'
import { quantile } from './numbers.ts'

/** Delays of the messages that were due from `fromMs` to before `toMs`, ascending; one that was never answered is `Infinity`. */
export function delaysBetween(pulse: Pulse, fromMs: number, toMs: number): readonly number[] {
  return pulse.delayMs
    .filter((_delay, at) => {
      const dueMs = pulse.dueAtMs[at] ?? NaN
      return dueMs >= fromMs && dueMs < toMs
    })
    .map((delay) => delay ?? Infinity)
    .toSorted((one, other) => one - other)
}

/** Median, 99th percentile and greatest of several windows together. */
export function spreadOf(windows: readonly (readonly number[])[]): {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
} {
  const all = windows.flat().toSorted((one, other) => one - other)
  return { p50Ms: quantile(all, 0.5), p99Ms: quantile(all, 0.99), maxMs: all.at(-1) ?? NaN }
}
