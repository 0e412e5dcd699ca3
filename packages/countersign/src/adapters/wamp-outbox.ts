/** Frames of one turn of the event loop leave each socket in one write. */
import type { Duplex } from 'node:stream'

/** Somebody who has written in this turn. */
interface Corked {
  readonly socket: Duplex
  /** Set by the outbox alone. */
  corked: boolean
}

/**
 * Corks a socket at its first frame of a turn and lets all go in the check phase, which comes after every readable
 * socket of the turn was served: so the frames that many peers caused are merged, too. One for all sockets of a process.
 */
export class Outbox {
  #corked: Corked[] = []
  readonly #flush = (): void => this.flush()

  /** Before a frame is written: holds the socket until the end of the turn. */
  cork(one: Corked): void {
    if (one.corked) return
    one.corked = true
    one.socket.cork()
    if (this.#corked.push(one) === 1) setImmediate(this.#flush)
  }

  /** Lets one go now: what follows (a close) must not overtake. */
  release(one: Corked): void {
    if (!one.corked) return
    one.corked = false
    one.socket.uncork()
  }

  /** Lets everybody go. */
  flush(): void {
    const corked = this.#corked
    this.#corked = []
    for (const one of corked) this.release(one)
  }
}

/** The one of this process. */
export const outbox: Outbox = new Outbox()
