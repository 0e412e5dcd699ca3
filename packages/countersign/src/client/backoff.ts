/** How long a client stays away. Always drawn over a whole window, so that a crowd does not come back as one. */
import type { Advice } from '../core/reasons.ts'

/** Bounds of the pauses between attempts, ms. */
export interface Pauses {
  /** First window where nothing speaks for more: another credential, an attempt that took too long. @default 1,000 */
  readonly minMs: number
  /** Widest window. @default 60,000 */
  readonly maxMs: number
  /** First window after a lost connection and after a server that is full, has failed or stops. @default 5,000 */
  readonly advisedMs: number
}

/** The pauses unless said otherwise. */
export const defaultPauses: Pauses = Object.freeze({ minMs: 1_000, maxMs: 60_000, advisedMs: 5_000 })

/** Where in a row of attempts we are. */
export interface Row {
  /** Attempts that have failed since a connection last held. */
  readonly failures: number
  /** What a server said: no sooner than this, ms. */
  readonly afterMs?: number | undefined
  /** In [0, 1). */
  random(): number
}

/**
 * Full jitter: a point of a window that doubles with each failure. Where a pause was asked for, the window begins behind
 * it. After a server that went away it is wide from the first attempt on: everybody else lost it at the same moment.
 */
export function pauseMs(advice: Advice, row: Row, pauses: Pauses = defaultPauses): number {
  const { minMs, maxMs, advisedMs } = pauses
  const asked = row.afterMs ?? (advice === 'wait' ? advisedMs : 0)
  const first = advice === 'reconnect' || advice === 'back_off' || asked > 0 ? advisedMs : minMs
  const window = Math.min(maxMs, first * 2 ** Math.min(row.failures, 16))
  return Math.round(asked + row.random() * window)
}
