/** Messages that wait until a framework has put its listeners on the socket. */
import type { GatedSocket, Visitor } from './gated-socket.ts'
import type { QueuedMessage } from './waiting-room.ts'

/**
 * Holds what arrives, in order. The socket is paused meanwhile: what is held beyond the queue is what had been read
 * already.
 */
export class HeldMessages implements Visitor {
  readonly socket: GatedSocket
  #held: QueuedMessage[]

  /** @param queued what came behind the credential */
  constructor(socket: GatedSocket, queued: readonly QueuedMessage[]) {
    this.socket = socket
    this.#held = [...queued]
    socket.visitor = this
    socket.pause()
  }

  /** See `Visitor`. */
  message(data: Buffer, isBinary: boolean): void {
    this.#held.push({ data, isBinary })
  }

  /** See `Visitor`. */
  gone(): void {
    this.#held = []
  }

  /** The framework has its socket: it hears everything from the next turn on, also where it adds its listeners late. */
  release(): void {
    setImmediate(() => {
      this.socket.visitor = undefined
      for (const { data, isBinary } of this.#held) this.socket.emit('message', data, isBinary)
      this.#held = []
      this.socket.resume()
    })
  }
}
