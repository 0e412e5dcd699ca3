/** The net under sessions that nobody reports: each is looked at once an interval, spread over it, a few at a time. */
import { checkWhole, MisuseError } from '../core/errors.ts'
import { nodePlatform } from '../platform/node.ts'
import type { WatchOptions } from './coupled-sessions.ts'

/** An interval is walked in this many steps. */
const slices = 20

/** Where nothing is looked at again, what is idle is still forgotten, this often, ms. */
const sweepEveryMs = 5_000

/** Settings, defaults filled in. */
export type NetSettings = Readonly<Required<WatchOptions>>

/** What the net looks after. */
export interface Netted {
  /** How many there are. */
  size(): number
  /** Looks at the one that was not looked at for longest. Never rejects. */
  look(): Promise<void>
  /** Once an interval: what is idle or out of date. */
  sweep(): void
}

/**
 * Options with their defaults.
 * @throws MisuseError for what is out of range
 */
export function netSettings(options: WatchOptions): NetSettings {
  const { recheckEveryMs = 5_000, maxConcurrent = 16, clock = nodePlatform().clock } = options
  const staleMs = options.staleMs ?? Math.max(60_000, 4 * recheckEveryMs)
  if (recheckEveryMs !== 0) checkWhole('sessions: recheckEveryMs', recheckEveryMs, [100, 3_600_000])
  checkWhole('sessions: maxConcurrent', maxConcurrent, [1, 1_000])
  if (!(staleMs >= 2 * recheckEveryMs))
    throw new MisuseError('invalid_option', 'sessions: staleMs is at least two intervals')
  return { recheckEveryMs, staleMs, maxConcurrent, clock }
}

/** Walks in rounds: of n, one n-th of an interval is between two looks, however many come and go. */
export class SessionNet {
  readonly #settings: NetSettings
  readonly #netted: Netted
  /** Looks that are due, with fractions. */
  #credit = 0
  #running = 0
  #ticks = 0

  constructor(settings: NetSettings, netted: Netted) {
    this.#settings = settings
    this.#netted = netted
  }

  /** Begins to walk. @returns a function that ends it */
  start(): () => void {
    const { recheckEveryMs, clock } = this.#settings
    if (recheckEveryMs === 0) return clock.every(sweepEveryMs, () => this.#netted.sweep())
    return clock.every(Math.ceil(recheckEveryMs / slices), () => this.#tick())
  }

  #tick(): void {
    if (++this.#ticks % slices === 0) this.#netted.sweep()
    const size = this.#netted.size()
    // Fractions add up to a hair less than one.
    this.#credit = Math.min(size, this.#credit + size / slices + 1e-9)
    this.#pump()
  }

  /** What is due while all places are taken waits for the next that becomes free. */
  #pump(): void {
    while (this.#credit >= 1 && this.#running < this.#settings.maxConcurrent) {
      this.#credit--
      this.#running++
      void this.#netted.look().then(() => {
        this.#running--
        this.#pump()
      })
    }
  }
}
