/** One clock for all processes of the bench. */

/** Milliseconds since this machine started, the same for every process on it; fractions count. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
