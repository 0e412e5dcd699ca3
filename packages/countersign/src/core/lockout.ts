/** Slows the guessing of secrets that people choose: pure arithmetic over (identity, source), in bounded memory. */

/** Settings of the lockout. */
export interface LockoutLimits {
  /** Failures of one identity from one source before it must wait. */
  readonly failures: number
  /** First wait, ms; each further failure doubles it. */
  readonly firstWaitMs: number
  /** Longest wait, ms. */
  readonly maxWaitMs: number
  /** Silence after which failures are forgotten, ms. */
  readonly forgetMs: number
  /** Entries kept; the one untouched longest goes first. */
  readonly maxEntries: number
}

/** Defaults: five tries, then 1 s, 2 s, … up to a minute. */
export const defaultLockout: LockoutLimits = {
  failures: 5,
  firstWaitMs: 1_000,
  maxWaitMs: 60_000,
  forgetMs: 15 * 60_000,
  maxEntries: 100_000,
}

/** Failures of one pair, and when it was last let in. */
interface Tally {
  readonly failures: number
  readonly lastMs: number
}

/** Failures by (identity, source). Unknown identities are counted like known ones, so that an answer tells nothing. */
export class Lockout {
  readonly #limits: LockoutLimits
  /** In order of last touch: the first is the oldest. */
  readonly #tallies = new Map<string, Tally>()

  /** @param limits bounds; nothing is looked up and nothing is kept beside the tallies */
  constructor(limits: LockoutLimits = defaultLockout) {
    this.#limits = limits
  }

  /**
   * How long this pair must still wait, ms; 0: it may try. Ask before any lookup, once a try: a pair that has waited
   * is let in for one try and waits again, so that a burst in parallel gains nothing.
   */
  waitMs(identity: string, source: string, now: number): number {
    const key = pair(identity, source)
    const tally = this.#tallies.get(key)
    if (tally === undefined || now - tally.lastMs >= this.#limits.forgetMs) return 0
    const over = tally.failures - this.#limits.failures
    if (over < 0) return 0
    const wait = Math.min(this.#limits.firstWaitMs * 2 ** Math.min(over, 30), this.#limits.maxWaitMs)
    const left = tally.lastMs + wait - now
    if (left > 0) return left
    this.#tallies.set(key, { failures: tally.failures, lastMs: now })
    return 0
  }

  /** Counts how a try ended. A success clears the pair. */
  tried(identity: string, source: string, outcome: { readonly right: boolean; readonly now: number }): void {
    const key = pair(identity, source)
    const tally = this.#tallies.get(key)
    this.#tallies.delete(key)
    if (outcome.right) return
    const kept =
      tally !== undefined && outcome.now - tally.lastMs < this.#limits.forgetMs ? tally.failures : 0
    this.#tallies.set(key, { failures: kept + 1, lastMs: outcome.now })
    for (const oldest of this.#tallies.keys()) {
      if (this.#tallies.size <= this.#limits.maxEntries) return
      this.#tallies.delete(oldest)
    }
  }
}

/** Longest identity that is kept whole; longer ones with this beginning in common are counted together. */
const maxIdentityLength = 256

/** Length-prefixed, so that no two pairs share a key. */
function pair(identity: string, source: string): string {
  return `${identity.length}:${identity.slice(0, maxIdentityLength)}${source}`
}
