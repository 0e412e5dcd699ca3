/** Costly work, a few pieces at a time and few in waiting. */

/** A piece of work that waits: `true` begins it, `false` sends it away. */
type Waiting = (begins: boolean) => void

/**
 * Runs at most `maxConcurrent` pieces of work at once and lets at most `maxQueued` wait: in order of arrival of each
 * source, and each source in turn. A source that has a name gets at most half of the places. Where all are taken, a
 * newcomer gets the last place of the source that has most, unless its own would then have as many: many sources that
 * have a few places each keep out nobody who has none.
 */
export class BoundedQueue {
  readonly #maxConcurrent: number
  readonly #maxQueued: number
  /** Who waits, by source; the first source is the next one. */
  readonly #waiting = new Map<string, Waiting[]>()
  #queued = 0
  #running = 0

  /**
   * @param maxConcurrent pieces at once, each of which holds a thread
   * @param maxQueued pieces that may wait; 0: none
   */
  constructor(maxConcurrent: number, maxQueued: number) {
    this.#maxConcurrent = maxConcurrent
    this.#maxQueued = maxQueued
  }

  /** Does the work when its turn comes. `undefined`, at once or later: there are too many waiting. */
  run<T>(work: () => Promise<T>, source?: string): Promise<T | undefined> | undefined {
    if (this.#running < this.#maxConcurrent) {
      this.#running++
      return this.#do(work)
    }
    const name = source ?? ''
    const own = this.#waiting.get(name)?.length ?? 0
    const share = source === undefined ? this.#maxQueued : Math.ceil(this.#maxQueued / 2)
    if (own >= share) return undefined
    if (this.#queued >= this.#maxQueued && !this.#displace(own)) return undefined
    this.#queued++
    const line = this.#waiting.get(name) ?? []
    this.#waiting.set(name, line)
    const turn = new Promise<boolean>((resolve) => line.push(resolve))
    return turn.then((begins) => (begins ? this.#do(work) : undefined))
  }

  /** Sends the youngest of the source away that has most. @returns whether one has gone */
  #displace(own: number): boolean {
    let most: Waiting[] = []
    for (const line of this.#waiting.values()) if (line.length > most.length) most = line
    // At least two: no line is ever left empty.
    if (most.length <= own + 1) return false
    this.#queued--
    most.pop()?.(false)
    return true
  }

  /** Takes the first of the first source, which goes behind the others. */
  #next(): Waiting | undefined {
    for (const [source, line] of this.#waiting) {
      const next = line.shift()
      this.#queued--
      this.#waiting.delete(source)
      if (line.length > 0) this.#waiting.set(source, line)
      return next
    }
    return undefined
  }

  async #do<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } finally {
      // The place goes straight to whoever waits: a newcomer of this very moment cannot take it as well.
      const next = this.#next()
      if (next === undefined) this.#running--
      else next(true)
    }
  }
}
