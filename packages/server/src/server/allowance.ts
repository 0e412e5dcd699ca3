/** How many lasting credentials one login may ask for: a counter per key and minute, in bounded memory. */

const minuteMs = 60_000
const defaultMaxKeys = 10_000

/** Counts what is handed out. When more keys ask within a minute than it can hold, the rest share one counter. */
export class Allowance {
  readonly #perMinute: number
  readonly #maxKeys: number
  readonly #counts = new Map<string, number>()
  #minute = 0

  /** @param maxKeys [10,000] */
  constructor(perMinute: number, maxKeys: number = defaultMaxKeys) {
    this.#perMinute = perMinute
    this.#maxKeys = maxKeys
  }

  /** Counts one. @returns 0: granted; else how long to wait, ms */
  take(key: string, now: number): number {
    const minute = Math.floor(now / minuteMs)
    if (minute !== this.#minute) {
      this.#minute = minute
      this.#counts.clear()
    }
    const counted = this.#counts.has(key) || this.#counts.size < this.#maxKeys ? key : ''
    const count = (this.#counts.get(counted) ?? 0) + 1
    this.#counts.set(counted, count)
    return count <= this.#perMinute ? 0 : (minute + 1) * minuteMs - now
  }
}
