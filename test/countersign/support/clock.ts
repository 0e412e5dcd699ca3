import type { Clock } from '../../../packages/countersign/src/core/ports.ts'

/** A clock that stands still until it is moved. */
export interface StillClock extends Clock {
  /** Moves time on and ticks every timer whose turn has come. */
  advance(ms: number): void
  /** Timers that run. */
  readonly timers: number
}

/** Starts at a fixed instant, so that a failing test says the same twice. */
export function stillClock(start: number = Date.parse('2030-01-01T00:00:00Z')): StillClock {
  let now = start
  const timers = new Set<{ readonly everyMs: number; readonly tick: () => void; nextMs: number }>()
  return {
    now: () => now,
    every(everyMs, tick) {
      const timer = { everyMs, tick, nextMs: now + everyMs }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    advance(ms) {
      const end = now + ms
      while (now < end) {
        now = Math.min(end, ...[...timers].map((timer) => timer.nextMs))
        for (const timer of timers) {
          if (timer.nextMs > now) continue
          timer.nextMs = now + timer.everyMs
          timer.tick()
        }
      }
    },
    get timers() {
      return timers.size
    },
  }
}
