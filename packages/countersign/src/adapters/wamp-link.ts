/** One socket that carries WAMP: its place in the pool, its queue, its end. What framing it has is told by a `Wire`. */
import type { Duplex } from 'node:stream'
import type { Guard } from '../core/guard.ts'
import type { Handshake } from '../core/handshake.ts'
import type { Waiting } from '../core/pool.ts'
import type { Malformed } from '../wamp/codec.ts'
import type { Connection } from '../wamp/connection.ts'
import type { EventMessage, Message, RouterMessage } from '../wamp/messages.ts'
import type { Transport, TransportIdentity } from '../wamp/ports.ts'
import { subnetOf } from '../wire/address.ts'
import type { TransportCookie } from './wamp-cookie.ts'
import { outbox } from './wamp-outbox.ts'

/** How messages become frames on one kind of transport. One object serves every socket of its kind. */
export interface Wire {
  /** Number of this serializer and framing: events are framed once for each. */
  readonly slot: number
  /** One message as one whole frame. */
  frame(message: RouterMessage): Uint8Array
}

/** Ends one socket in the manner of its transport, behind what was written: a `WebSocket` is one. */
export interface Closer {
  close(code: number, reason: string): void
}

/** What a link does besides, on behalf of its listener. */
export interface LinkHooks {
  /** Largest amount of output that may wait for a peer that does not read, bytes. */
  readonly maxQueuedBytes: number
  /** A session was welcomed. */
  remember(link: Link, identity: TransportIdentity): void
  /** Whoever was remembered for this client is forgotten. */
  forget(link: Link): void
  /** The session has ended, the socket stays and waits for another. */
  parted(link: Link): void
  /** The link is over, by either side. */
  ended(link: Link): void
}

/** What makes a link. */
export interface LinkFacts {
  readonly guard: Guard
  readonly handshake: Handshake
  readonly socket: Duplex
  readonly wire: Wire
  readonly hooks: LinkHooks
  /** Largest frame that the peer takes, bytes. */
  readonly maxFrameBytes: number
  /** `undefined`: this transport remembers nobody. */
  readonly cookie: TransportCookie | undefined
}

/** One connection: transport of its WAMP session, visitor in the pool until it is welcomed. */
export class Link implements Transport, Waiting {
  readonly socket: Duplex
  readonly source: string
  readonly sinceMs: number
  readonly cookie: TransportCookie | undefined
  corked: boolean = false
  /** A session was welcomed and lives: output is held until the end of the turn, input is not counted. */
  welcomed: boolean = false
  /** Nothing is received or sent any more. */
  closed: boolean = false
  /** Bytes received before acceptance. */
  heardBytes: number = 0
  /** Whether the peer was heard of since the last ping. */
  alive: boolean = true
  /** Set once the socket is open; closed through it. */
  peer: Closer | undefined = undefined
  connection: Connection | undefined = undefined
  readonly #guard: Guard
  readonly #wire: Wire
  readonly #hooks: LinkHooks
  readonly #maxFrameBytes: number
  /** Frames that wait because the peer does not read as fast as others write. */
  #queue: Uint8Array[] | undefined = undefined
  #queuedBytes = 0

  constructor(facts: LinkFacts) {
    this.socket = facts.socket
    this.source = facts.handshake.remoteAddress
    this.cookie = facts.cookie
    this.#guard = facts.guard
    this.sinceMs = facts.guard.now()
    this.#wire = facts.wire
    this.#hooks = facts.hooks
    this.#maxFrameBytes = facts.maxFrameBytes
  }

  /** See `Waiting`. */
  get subnet(): string {
    return subnetOf(this.source)
  }

  /** Takes a place in the pool. @returns `false`: it is full */
  enter(): boolean {
    return this.#guard.pool.enter(this)
  }

  /** A message has arrived, or something that is none. */
  receive(message: Message | Malformed): void {
    this.alive = true
    if (this.closed) return
    if (!this.welcomed && !this.#guard.pool.speak(this)) {
      this.evict('overloaded')
      return
    }
    this.connection?.receive(message)
  }

  /** Bytes have arrived before acceptance: more than the guard allows end the link. @returns whether it was too much */
  count(bytes: number): boolean {
    if (this.welcomed) return false
    this.heardBytes += bytes
    if (this.heardBytes <= this.#guard.limits.maxBytes) return false
    // A refused peer may answer the close, but not fill memory while it lingers.
    if (this.closed) this.socket.pause()
    else this.close(1009, 'message_too_big')
    return true
  }

  /** See `Transport`. */
  send(message: RouterMessage): void {
    // Its end comes after this turn: until then nothing more is made for it, however much is still published.
    if (this.closed || this.#queuedBytes > this.#hooks.maxQueuedBytes) return
    const frame = message.kind === 'event' ? this.#shared(message) : this.#wire.frame(message)
    if (frame.length > this.#maxFrameBytes) {
      if (this.connection?.undeliverable(message) !== true) setImmediate(overflow, this)
      return
    }
    if (this.#queue !== undefined || this.socket.writableNeedDrain) {
      this.#hold(frame)
      return
    }
    // A handshake answers one message a turn: there is nothing to merge, and waiting would cost time.
    if (this.welcomed) outbox.cork(this)
    this.socket.write(frame)
  }

  /** See `Transport`. */
  joined(identity: TransportIdentity): void {
    this.welcomed = true
    this.#guard.pool.leave(this)
    this.#hooks.remember(this, identity)
  }

  /** See `Transport`. */
  parted(): boolean {
    this.welcomed = false
    this.heardBytes = 0
    this.#hooks.parted(this)
    return this.enter()
  }

  /** See `Transport`. */
  forget(): void {
    this.#hooks.forget(this)
  }

  /** See `Waiting`. */
  evict(reason: 'overloaded' | 'shutting_down'): void {
    this.close(reason === 'overloaded' ? 1013 : 1001, reason)
  }

  /** See `Transport`. */
  clear(): void {
    this.#queue = undefined
    this.#queuedBytes = 0
  }

  /** See `Transport`. What waits for a peer that does not read is dropped: nothing follows the end of a session. */
  close(code: number, reason: string): void {
    this.#end(code, reason, this.#queue === undefined ? this.#guard.limits.lingerMs : 0)
  }

  /** The queue is full: the peer is told, should it begin to read again. */
  overflow(): void {
    this.#end(1008, 'slow_consumer', this.#guard.limits.lingerMs)
  }

  /** The socket has closed. */
  gone(): void {
    this.#guard.pool.vacate(this)
    if (!this.closed) {
      this.closed = true
      this.#queue = undefined
      this.#guard.pool.leave(this)
    }
    this.#over()
  }

  /** The peer reads again: it gets what its socket takes at once; the rest goes on waiting where it can still be dropped. */
  drain(): void {
    const queue = this.#queue
    if (queue === undefined || this.closed) return
    outbox.cork(this)
    let sent = 0
    for (const frame of queue) {
      sent++
      this.#queuedBytes -= frame.length
      if (!this.socket.write(frame)) break
    }
    this.#queue = sent < queue.length ? queue.slice(sent) : undefined
  }

  /** The bytes of an event are made once for all that share serializer and framing. */
  #shared(event: EventMessage): Uint8Array {
    const known = event.shared[this.#wire.slot]
    if (known !== undefined) return known
    const frame = this.#wire.frame(event)
    event.shared[this.#wire.slot] = frame
    return frame
  }

  /** The peer does not read: its frames wait here, where they can still be dropped, up to a bound. */
  #hold(frame: Uint8Array): void {
    const queue = (this.#queue ??= [])
    queue.push(frame)
    this.#queuedBytes += frame.length
    // Whoever publishes is in the middle of a list of subscribers: the end comes after it.
    if (this.#queuedBytes > this.#hooks.maxQueuedBytes) setImmediate(overflow, this)
  }

  /** Says why, behind what was written. The socket is gone within `lingerMs`, whatever the peer does. */
  #end(code: number, reason: string, lingerMs: number): void {
    if (this.closed) return
    this.closed = true
    this.#queue = undefined
    this.#guard.pool.leave(this)
    // Who was never let in keeps its place until it is gone; an overloaded router waits for nobody.
    const lingers = this.welcomed || (code !== 1013 && this.#guard.pool.occupy(this))
    this.peer?.close(code, reason)
    outbox.release(this)
    setTimeout(destroy, lingers ? lingerMs : 0, this.socket)
    this.#over()
  }

  /** Told once. */
  #over(): void {
    const connection = this.connection
    if (connection === undefined) return
    this.connection = undefined
    connection.gone()
    this.#hooks.ended(this)
  }
}

function overflow(link: Link): void {
  link.overflow()
}

function destroy(socket: Duplex): void {
  socket.destroy()
}
