/** A `ws` socket with a gate: what arrives goes to the waiting room, to the application, or nowhere. */
import type { WebSocket } from 'ws'
import type { Lease } from '../core/lease.ts'

/** Takes what arrives before acceptance. */
export interface Visitor {
  message(data: Buffer, isBinary: boolean): void
  /** The socket has closed, by either side. */
  gone(): void
}

/** Judges what arrives after acceptance. */
export interface MessageFilter {
  /** @returns whether this message may be emitted now; otherwise it is the filter's to emit later, or never */
  admits(data: unknown, isBinary: boolean): boolean
}

/** A socket of a guarded server. `lease` is set from the `connection` event on. */
export interface GatedSocket extends WebSocket {
  lease: Lease | undefined
  /** Waits for acceptance; `undefined` afterwards. */
  visitor: Visitor | undefined
  /** Stands between the gate and the application; `undefined`: every message passes. */
  filter: MessageFilter | undefined
  /** Whether its client speaks Countersign's own frames, so that a warning would be understood. */
  framed: boolean
}

/**
 * Class of gated sockets, on top of the class that the server would have used. Delivery is gated where `ws`
 * itself emits: listeners that an application adds, `on`, `once` or `addEventListener`, all stand behind it.
 */
export function gatedClass(Base: typeof WebSocket): typeof WebSocket {
  return class extends Base implements GatedSocket {
    lease: Lease | undefined = undefined
    visitor: Visitor | undefined = undefined
    filter: MessageFilter | undefined = undefined
    framed = false

    /** One comparison a message: after the end of the lease nothing reaches the application any more. */
    override emit(event: string | symbol, ...args: unknown[]): boolean {
      if (event === 'message') {
        if (this.visitor !== undefined) {
          // ws delivers Buffers until someone sets `binaryType`, and nobody has seen this socket yet.
          this.visitor.message(args[0] as Buffer, args[1] === true)
          return true
        }
        if (this.lease?.ended === true) return false
        if (this.filter?.admits(args[0], args[1] === true) === false) return false
      } else if (event === 'close') {
        this.visitor?.gone()
        this.lease?.leave()
      } else if (event === 'error' && this.listenerCount('error') === 0) return false
      return super.emit(event, ...args)
    }
  }
}
