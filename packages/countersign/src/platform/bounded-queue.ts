/** Costly work, a few pieces at a time and few in waiting. */

/** Runs at most `maxConcurrent` pieces of work at once and lets at most `maxQueued` wait, in order of arrival. */
export class BoundedQueue {
  readonly #maxConcurrent: number
  readonly #maxQueued: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(maxConcurrent: number, maxQueued: number) {
    this.#maxConcurrent = maxConcurrent
    this.#maxQueued = maxQueued
  }

  /** Does the work when its turn comes. `undefined`, at once: there are too many waiting already. */
  run<T>(work: () => Promise<T>): Promise<T> | undefined {
    if (this.#running < this.#maxConcurrent) {
      this.#running++
      return this.#do(work)
    }
    if (this.#waiting.length >= this.#maxQueued) return undefined
    const turn = new Promise<void>((resolve) => this.#waiting.push(resolve))
    return turn.then(() => this.#do(work))
  }

  async #do<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } finally {
      // The place goes straight to whoever waits: a newcomer of this very moment cannot take it as well.
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }
}
