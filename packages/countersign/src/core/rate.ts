/** How many handshakes a source may make a second: a counter per source, forgotten every second. */

/** Bounded counters. When more sources call within a second than it can hold, the rest share one counter. */
export class Rate {
  readonly #perSecond: number
  readonly #maxSources: number
  /** Emptied every second, so that it never holds more than one second's sources. */
  readonly #counts = new Map<string, number>()
  #second = 0

  /**
   * @param perSecond most calls of one source in a second
   * @param maxSources most sources that are counted apart, which bounds the memory
   */
  constructor(perSecond: number, maxSources: number) {
    this.#perSecond = perSecond
    this.#maxSources = maxSources
  }

  /** Counts one call. @returns whether it is within the rate */
  allows(source: string, now: number): boolean {
    const second = Math.floor(now / 1_000)
    if (second !== this.#second) {
      this.#second = second
      this.#counts.clear()
    }
    const known = this.#counts.get(source)
    const apart = known !== undefined || this.#counts.size < this.#maxSources
    const count = (apart ? (known ?? 0) : (this.#counts.get('') ?? 0)) + 1
    this.#counts.set(apart ? source : '', count)
    return count <= this.#perSecond
  }
}
