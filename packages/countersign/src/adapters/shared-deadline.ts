/** One deadline for many: all have as long, so that they stand in a line in order, and one timer does for all of them. */

/** Whoever stands in the line is told, once, when its time is over. */
export class SharedDeadline<W extends object> {
  readonly #withinMs: number
  readonly #late: (waiting: W) => void
  /** When each has come, ms of the monotonic clock, in order. */
  readonly #sinceMs = new Map<W, number>()
  #timer: NodeJS.Timeout | undefined

  /**
   * @param withinMs how long each may stand
   * @param late told of whoever stood that long; it has left the line by then. It must not throw
   */
  constructor(withinMs: number, late: (waiting: W) => void) {
    this.#withinMs = withinMs
    this.#late = late
  }

  /** Begins to count, for whoever is not in the line. */
  enter(waiting: W): void {
    this.#sinceMs.set(waiting, performance.now())
    if (this.#timer === undefined) this.#timer = this.#ringIn(this.#withinMs)
  }

  /** Counts no more; nothing happens when it is not in the line. */
  leave(waiting: W): void {
    this.#sinceMs.delete(waiting)
  }

  // Whoever stands holds a socket, which keeps the process alive; a line that has emptied does not.
  #ringIn(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#ring(), Math.ceil(ms)).unref()
  }

  #ring(): void {
    this.#timer = undefined
    const now = performance.now()
    for (const [waiting, sinceMs] of this.#sinceMs) {
      const leftMs = sinceMs + this.#withinMs - now
      if (leftMs > 0) {
        if (this.#timer === undefined) this.#timer = this.#ringIn(leftMs)
        return
      }
      this.#sinceMs.delete(waiting)
      this.#late(waiting)
    }
  }
}
