/** Time for tests: it stands still until it is told to go on. */
import type { Clock } from '../core/ports.ts'

/** A clock in the hands of a test. */
export interface FakeClock extends Clock {
  /** Moves on by so many ms. Timers that fall due are called in order, each at its own instant. */
  advance(ms: number): void
}

/** Something to be called again and again. */
interface Timer {
  readonly everyMs: number
  readonly tick: () => void
  dueMs: number
}

/** A clock that shows `startMs` until it is advanced. @param startMs ms since the epoch, by default early in 2026 */
export function fakeClock(startMs: number = Date.UTC(2026, 0, 1)): FakeClock {
  const timers = new Set<Timer>()
  let nowMs = startMs
  // The earliest timer that falls due until then; of several, the one that was set first.
  const nextDue = (untilMs: number): Timer | undefined => {
    const due = [...timers].filter((timer) => timer.dueMs <= untilMs)
    return due.sort((one, other) => one.dueMs - other.dueMs)[0]
  }
  return {
    now: () => nowMs,
    every(everyMs, tick) {
      const timer = { everyMs, tick, dueMs: nowMs + everyMs }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    advance(ms) {
      const untilMs = nowMs + ms
      for (let timer = nextDue(untilMs); timer !== undefined; timer = nextDue(untilMs)) {
        nowMs = timer.dueMs
        timer.dueMs += timer.everyMs
        timer.tick()
      }
      nowMs = untilMs
    },
  }
}
