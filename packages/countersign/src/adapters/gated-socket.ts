/** A `ws` socket with a gate: what arrives goes to the waiting room, to the application, or nowhere; so does what is sent. */
import { Duplex } from 'node:stream'
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
  /** The socket has closed. */
  gone?(): void
}

/** A socket of a guarded server. `lease` is set from the `connection` event on. */
export interface GatedSocket extends WebSocket {
  lease: Lease | undefined
  /** Waits for acceptance; `undefined` afterwards. */
  visitor: Visitor | undefined
  /** Stands between the gate and the application; `undefined`: every message passes. */
  filter: MessageFilter | undefined
  /** Whether whoever sends after the end of the lease is told that nothing was sent. */
  tellsDrops: boolean
  /** Closes by the reason of its lease, once that has ended: until then nobody closes it for another one. */
  part(code: number, reason: string): void
}

/** What `ws` takes beside the data that it sends. */
type SendOptions = Parameters<WebSocket['send']>[1]
type Sent = (error?: Error) => void

/**
 * Class of gated sockets, on top of the class that the server would have used. Delivery is gated where `ws`
 * itself emits: listeners that an application adds, `on`, `once` or `addEventListener`, all stand behind it.
 */
export function gatedClass(Base: typeof WebSocket): typeof WebSocket {
  return class extends Base implements GatedSocket {
    lease: Lease | undefined = undefined
    visitor: Visitor | undefined = undefined
    filter: MessageFilter | undefined = undefined
    tellsDrops = true
    #parting = false

    part(code: number, reason: string): void {
      this.#parting = true
      super.close(code, reason)
    }

    /**
     * Whoever ended the lease closes the socket, and says why; an application that notices must not be sooner. What `ws`
     * itself calls to answer a close frame passes from then on.
     */
    override close(code?: number, reason?: string | Buffer): void {
      if (this.#parting || this.lease?.ended !== true) super.close(code, reason)
    }

    /** One comparison a message: after the end of the lease nothing reaches the application any more. */
    override emit(event: string | symbol, ...args: unknown[]): boolean {
      if (event === 'message') {
        if (this.visitor !== undefined) {
          // ws delivers Buffers until someone sets `binaryType`, and nobody has seen this socket yet.
          this.visitor.message(args[0] as Buffer, args[1] === true)
          return true
        }
        if (this.lease?.passes() === false) return false
        if (this.filter?.admits(args[0], args[1] === true) === false) return false
      } else if (event === 'close') {
        this.visitor?.gone()
        this.filter?.gone?.()
        this.lease?.leave()
      } else if (event === 'error' && this.listenerCount('error') === 0) return false
      return super.emit(event, ...args)
    }

    /** The same comparison for what leaves. After the end it is dropped, as `ws` drops what is sent while it closes. */
    override send(data: Parameters<WebSocket['send']>[0], options?: SendOptions | Sent, sent?: Sent): void {
      if (this.lease?.passes() !== false) {
        // A function in this place is told apart by ws itself.
        super.send(data, options as SendOptions, sent)
        return
      }
      const tell = typeof options === 'function' ? options : sent
      const error = this.tellsDrops ? new Error('The lease of this socket has ended') : undefined
      if (tell !== undefined) process.nextTick(tell, error)
    }
  }
}

/**
 * What a socket writes to: `ws` keeps it under this name and has no public word for it, and a field of our own would be
 * paid for by every connection. Without it an end is a close where it would have been a reset.
 */
export function transportOf(socket: GatedSocket): Duplex | undefined {
  const kept: unknown = Reflect.get(socket, '_socket')
  return kept instanceof Duplex ? kept : undefined
}

/**
 * Cuts a connection off, so that what is still queued is not delivered: closing it would send on what the kernel holds.
 * @param transport of a plain connection it is reset (RFC 9293 §3.5.2); of a TLS one what is not written yet is dropped
 */
export function cutOff(transport: Duplex): void {
  if (
    'resetAndDestroy' in transport &&
    typeof transport.resetAndDestroy === 'function' &&
    !('encrypted' in transport)
  )
    transport.resetAndDestroy()
  else transport.destroy()
}
