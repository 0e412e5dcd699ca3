/** Deadlines that are set for everybody and reached by hardly anyone: one timer of Node for all of them. */
import { Wheel, type WheelEntry } from '../core/wheel.ts'
import type { Timer } from '../wamp/ports.ts'

/** How finely time is told, ms. */
const tickMs = 100

/** Deadlines of a second and more: they fire up to two ticks late, and no earlier than a timer of Node would. */
export class Deadlines {
  readonly #now: () => number
  readonly #wheel: Wheel<Deadline>
  readonly #beat = (): void => this.#tick()
  /** The time as of the last tick: reading it for every deadline would cost more than setting one. */
  #nowMs: number
  #timer: NodeJS.Timeout | undefined

  /** @param now monotonic, ms */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
    this.#nowMs = now()
    this.#wheel = new Wheel<Deadline>(tickMs, this.#nowMs, (deadline) => deadline.fire())
  }

  /** Calls `fire` once, after `ms`. Does not keep the process alive. */
  after(ms: number, fire: () => void): Timer {
    if (this.#timer === undefined) this.#start()
    // The tick that was last told may be one tick ago.
    const deadline = new Deadline(this.#wheel, this.#nowMs + tickMs + ms, fire)
    this.#wheel.set(deadline)
    return deadline
  }

  #start(): void {
    this.#nowMs = this.#now()
    this.#wheel.advance(this.#nowMs)
    this.#timer = setInterval(this.#beat, tickMs).unref()
  }

  /** The timer ends here, not with the last deadline: where connections come and go it would be set for each. */
  #tick(): void {
    this.#nowMs = this.#now()
    this.#wheel.advance(this.#nowMs)
    if (this.#wheel.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}

class Deadline implements Timer, WheelEntry<Deadline> {
  readonly dueMs: number
  readonly fire: () => void
  next: Deadline | undefined = undefined
  previous: Deadline | undefined = undefined
  slot: number = -1
  readonly #wheel: Wheel<Deadline>

  constructor(wheel: Wheel<Deadline>, dueMs: number, fire: () => void) {
    this.#wheel = wheel
    this.dueMs = dueMs
    this.fire = fire
  }

  cancel(): void {
    this.#wheel.delete(this)
  }
}
