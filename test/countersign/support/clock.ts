import { fakeClock, type FakeClock } from '../../../packages/countersign/src/testing/index.ts'

/** A clock that stands still until it is moved, and knows how many timers run. */
export interface StillClock extends FakeClock {
  readonly timers: number
}

/** Starts at a fixed instant, so that a failing test says the same twice. */
export function stillClock(start: number = Date.parse('2030-01-01T00:00:00Z')): StillClock {
  const clock = fakeClock(start)
  const running = new Set<() => void>()
  return {
    now: () => clock.now(),
    advance: (ms) => clock.advance(ms),
    every(everyMs, tick) {
      const stop = clock.every(everyMs, tick)
      running.add(stop)
      return () => {
        running.delete(stop)
        stop()
      }
    },
    get timers() {
      return running.size
    },
  }
}
