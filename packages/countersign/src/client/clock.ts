/** Time, as a client is lent it. */
import type { Clock } from '../core/ports.ts'

/**
 * The runtime's clock. Unlike a server's, its timers keep a process of Node alive: somebody who waits for a connection
 * has something to do.
 */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  every(everyMs: number, tick: () => void) {
    const timer = setInterval(tick, everyMs)
    return () => clearInterval(timer)
  },
})

/** Timers of the platform overflow beyond this, and then fire at once. */
const longestMs = 2_147_483_647

/** Calls `run` once, in so many ms. @returns what calls it off */
export function after(clock: Clock, ms: number, run: () => void): () => void {
  const stop = clock.every(Math.min(Math.max(ms, 0), longestMs), () => {
    stop()
    run()
  })
  return stop
}
