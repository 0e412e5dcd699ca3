/** Costly work, a few pieces at a time and few in waiting. */

/**
 * Runs at most `maxConcurrent` pieces of work at once and lets at most `maxQueued` wait: in order of arrival of each
 * source, and each source in turn. A source that has a name gets at most half of the places.
 */
export class BoundedQueue {
  readonly #maxConcurrent: number
  readonly #maxQueued: number
  /** Who waits, by source; the first source is the next one. */
  readonly #waiting = new Map<string, (() => void)[]>()
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

  /** Does the work when its turn comes. `undefined`, at once: there are too many waiting already. */
  run<T>(work: () => Promise<T>, source?: string): Promise<T> | undefined {
    if (this.#running < this.#maxConcurrent) {
      this.#running++
      return this.#do(work)
    }
    const line = this.#waiting.get(source ?? '') ?? []
    const share = source === undefined ? this.#maxQueued : Math.ceil(this.#maxQueued / 2)
    if (this.#queued >= this.#maxQueued || line.length >= share) return undefined
    this.#queued++
    this.#waiting.set(source ?? '', line)
    const turn = new Promise<void>((resolve) => line.push(resolve))
    return turn.then(() => this.#do(work))
  }

  /** Takes the first of the first source, which goes behind the others. */
  #next(): (() => void) | undefined {
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
      else next()
    }
  }
}
