/** Notices that the machine has slept, and that the network is back. */
import type { Clock } from '../core/ports.ts'
import type { Surroundings } from './base.ts'

/** How often the time is looked at; oftener where shorter gaps count. */
const tickMs = 15_000

/** Who hears of it. */
export interface WakeEars {
  /** The machine, or this page, did not run for a while: the connection is not to be trusted. */
  woke(): void
  /** The time was looked at: it is `now`, and the gap since the last look was shorter. */
  looked(gapMs: number, now: number): void
  /** The network is back. */
  online(): void
}

/** Lasts as long as a socket does. */
export class WakeWatch {
  readonly #clock: Clock
  readonly #sleepMs: number
  readonly #ears: WakeEars
  readonly #around: Surroundings
  readonly #stopTicking: () => void
  #lastMs: number
  readonly #online = (): void => this.#ears.online()
  readonly #seen = (): void => void this.look()

  /** @param sleepMs a gap of this length is a sleep: browsers slow the timers of hidden pages to one a minute */
  constructor(ears: WakeEars, around: Surroundings, { clock, sleepMs }: { clock: Clock; sleepMs: number }) {
    this.#ears = ears
    this.#around = around
    this.#clock = clock
    this.#sleepMs = sleepMs
    this.#lastMs = clock.now()
    this.#stopTicking = clock.every(Math.min(tickMs, sleepMs / 2), this.#seen)
    around.addEventListener?.('online', this.#online)
    around.addEventListener?.('visibilitychange', this.#seen)
  }

  /** Whether the runtime knows that there is no network. */
  get offline(): boolean {
    const { navigator } = this.#around
    return navigator !== undefined && 'onLine' in navigator && navigator.onLine === false
  }

  /** Looks at the time: before each message that is sent, and now and then. @returns whether there was a sleep */
  look(): boolean {
    const now = this.#clock.now()
    const gapMs = now - this.#lastMs
    const slept = gapMs >= this.#sleepMs
    this.#lastMs = now
    if (slept) this.#ears.woke()
    else this.#ears.looked(gapMs, now)
    return slept
  }

  stop(): void {
    this.#stopTicking()
    this.#around.removeEventListener?.('online', this.#online)
    this.#around.removeEventListener?.('visibilitychange', this.#seen)
  }
}
