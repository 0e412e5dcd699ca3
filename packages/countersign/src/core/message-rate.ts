/** How many messages one lease may send: the generic cell rate algorithm, in whole numbers, a number for each limit. */
import { checkWhole, MisuseError } from './errors.ts'

/**
 * So many messages in so much time. All `max` may come at once; each of them is given back `intervalMs / max` later. In
 * the long run it is `max` in an interval, in any single interval less than twice that.
 */
export interface MessageRate {
  readonly max: number
  readonly intervalMs: number
}

/** Bounds that keep the arithmetic exact: interval times messages, over a year of connection, stays below 2^53. */
const maxMessages = 100_000
const maxIntervalMs = 86_400_000

/** A copy of a rate. @throws MisuseError for what is no rate */
export function checkRate(what: string, rate: MessageRate): MessageRate {
  if (typeof rate !== 'object' || rate === null) {
    throw new MisuseError('invalid_option', `${what} is { max, intervalMs }`)
  }
  const { max, intervalMs } = rate
  checkWhole(`${what}: max`, max, [1, maxMessages])
  checkWhole(`${what}: intervalMs`, intervalMs, [1, maxIntervalMs])
  return { max, intervalMs }
}

/**
 * What one lease has spent of several limits: for each the instant at which all of it is given back, in units of
 * `1 / max` ms since this meter was made, so that every step is a whole number and no message is lost to rounding.
 */
export class Meter {
  readonly #rates: readonly MessageRate[]
  readonly #sinceMs: number
  readonly #full: number[]

  /** @param rates the limits, shared by all leases of a policy */
  constructor(rates: readonly MessageRate[], now: number) {
    this.#rates = rates
    this.#sinceMs = Math.floor(now)
    this.#full = rates.map(() => 0)
  }

  /**
   * Spends one message of a limit, unless there is none left.
   * @returns 0: it was spent. Otherwise the ms until there is one again, whole, at most `intervalMs`
   */
  spend(limit: number, now: number): number {
    const rate = this.#rates[limit]
    if (rate === undefined) return 0
    const { max, intervalMs } = rate
    const capacity = intervalMs * max
    // Where the clock has been set back, what was spent is never further ahead than all of it.
    const at = (Math.floor(now) - this.#sinceMs) * max
    const full = Math.min(Math.max(this.#full[limit] ?? 0, at), at + capacity)
    const over = full + intervalMs - (at + capacity)
    if (over > 0) {
      this.#full[limit] = full
      return Math.ceil(over / max)
    }
    this.#full[limit] = full + intervalMs
    return 0
  }
}
