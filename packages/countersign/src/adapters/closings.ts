/** Ends of sockets, a few a turn of the event loop: whoever ends a thousand at once does not keep the others waiting. */
import type { Reason } from '../core/reasons.ts'

/** What one turn of the event loop closes at most: about a millisecond's worth. */
const perTurn = 32

/** A socket that is to be told. Nothing has passed its gate since it was handed over. */
interface Closing<S> {
  readonly socket: S
  readonly reason: Reason
}

/** The first few are closed at once, what is beyond them in the turns that follow, in order. */
export class Closings<S extends object> {
  readonly #close: (socket: S, reason: Reason) => void
  #waiting: Closing<S>[] = []
  #closedInTurn = 0
  #scheduled = false
  readonly #next = (): void => this.#turn()

  constructor(close: (socket: S, reason: Reason) => void) {
    this.#close = close
  }

  /** Closes the socket, now or in a turn to come. */
  add(socket: S, reason: Reason): void {
    if (!this.#scheduled) {
      this.#scheduled = true
      setImmediate(this.#next)
    }
    if (this.#closedInTurn < perTurn) {
      this.#closedInTurn++
      this.#close(socket, reason)
    } else this.#waiting.push({ socket, reason })
  }

  #turn(): void {
    const now = this.#waiting.slice(0, perTurn)
    this.#waiting = this.#waiting.slice(perTurn)
    this.#closedInTurn = now.length
    this.#scheduled = now.length > 0
    if (this.#scheduled) setImmediate(this.#next)
    for (const { socket, reason } of now) this.#close(socket, reason)
  }
}
