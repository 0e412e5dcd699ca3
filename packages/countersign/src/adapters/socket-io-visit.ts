/** One Engine.IO transport under a guard: bounded before a namespace has accepted, and shut in both directions after the end. */
import type { Duplex } from 'node:stream'
import type { Socket } from 'socket.io'
import type { Guard } from '../core/guard.ts'
import type { Handshake } from '../core/handshake.ts'
import type { Waiting } from '../core/pool.ts'
import type { Advice, Reason } from '../core/reasons.ts'
import { subnetOf } from '../wire/address.ts'
import { chunkWeight } from './chunk-weight.ts'
import { cutOff } from './gated-socket.ts'
import type { SharedDeadline } from './shared-deadline.ts'
import { maxNamespaceLength, namespaceOf, packetText, packetTypes } from './socket-io-packets.ts'
import { Seat, tell, type SeatTransport, type Write } from './socket-io-seat.ts'
import { bufferedBytes, dropQueued, finish, sessionOf } from './socket-io-transport.ts'

type Transport = Socket['conn']

/** What all transports of one server share. */
export interface VisitSide {
  /** Whose limits hold before acceptance. */
  readonly guard: Guard
  /** Of transports that wait for acceptance. */
  readonly deadline: SharedDeadline<Visit>
  /** Namespaces that one transport may have at once, and refusals that it may collect. */
  readonly maxNamespaces: number
  /** Attachments of one packet, bytes. */
  readonly maxAttachedBytes: number
  /** Whether a namespace of this name may be asked for at all. */
  lists(namespace: string): boolean
  /** Ends are carried out a few a turn. */
  ended(visit: Visit, reason: Reason): void
  /** Its transport has closed. */
  gone(visit: Visit): void
}

/** From the transport's opening to its end, upgrades included. */
export class Visit implements Waiting, SeatTransport {
  /** Engine.IO's session id. */
  readonly id: string
  readonly source: string
  readonly subnet: string
  readonly sinceMs: number
  /**
   * Facts of the opening, then of the last POST, credentials included: a namespace may be asked for at any time. All of one
   * request: an Origin never vouches for the cookie of another. Not of an upgrade, in which browsers show less.
   */
  handshake: Handshake
  readonly #side: VisitSide
  readonly #conn: Transport
  readonly #write: Transport['write']
  /** Few: a list is searched faster than a table is made. */
  readonly #seats: Seat[] = []
  #refused = 0
  #waits = false
  #over = false
  /** Only the guard's own last words pass. */
  #parting = false
  /** Whether the end waits for a turn already. */
  #delayed = false
  #messages = 0
  /** Of messages. */
  #bytes = 0
  /** Weight of what came over the socket below. */
  #rawBytes = 0
  /** Bytes of attachments since the last packet of text. */
  #attached = 0
  /** What became of the last packet that was text: held at a seat, or not. */
  #fate: Seat | 'passes' | 'dropped' = 'dropped'
  /** The socket below, where the transport is a WebSocket. */
  #raw: Duplex | undefined

  constructor(conn: Transport, handshake: Handshake, side: VisitSide) {
    this.id = sessionOf(conn)
    this.handshake = handshake
    this.source = handshake.remoteAddress
    this.subnet = subnetOf(this.source)
    this.sinceMs = side.guard.now()
    this.#side = side
    this.#conn = conn
    // oxlint-disable-next-line unbound-method -- called upon its own object: a bound function costs more at every packet
    this.#write = conn.write
    this.#gate()
    this.#wait()
  }

  /** See `SeatTransport`. */
  get over(): boolean {
    return this.#over || this.#conn.readyState !== 'open'
  }

  /** Whether it is this transport's. */
  carries(conn: Transport): boolean {
    return this.#conn === conn
  }

  /** Whether no namespace has accepted yet. */
  get waits(): boolean {
    return this.#waits
  }

  /** See `SeatTransport`. */
  get unread(): number {
    return bufferedBytes(this.#conn)
  }

  /** The seat that a socket of this namespace may take, once. */
  take(socket: Socket): Seat | undefined {
    const seat = this.#seatOf(socket.nsp.name)
    if (seat === undefined || seat.socket !== undefined || this.over) return undefined
    seat.socket = socket
    return seat
  }

  /** Whether every lease on this transport lives; one that does not ends it. */
  passes(): boolean {
    for (let at = 0; at < this.#seats.length; at++)
      if (this.#seats[at]?.lease?.passes() === false) return false
    return !this.over
  }

  /** Counts what arrives on the socket below before acceptance: a message's size is known only when it is whole. */
  watch(raw: Duplex): void {
    this.#raw?.off('data', this.#count)
    this.#raw = raw
    if (this.#waits) raw.prependListener('data', this.#count)
  }

  /** See `SeatTransport`. */
  say(packet: string): void {
    if (!this.over) this.#write.call(this.#conn, packet)
  }

  /** See `SeatTransport`. */
  vacate(seat: Seat): void {
    const at = this.#seats.indexOf(seat)
    if (at === -1) return
    this.#seats.splice(at, 1)
    seat.held = []
    if (this.#waits || this.over || this.#seats.some((one) => one.accepted)) return
    this.#wait()
  }

  /** See `SeatTransport`. The gates shut now; the telling may take a turn. */
  end(reason: Reason): void {
    if (this.#over) return
    this.#over = true
    dropQueued(this.#conn)
    this.#side.ended(this, reason)
  }

  /** Says why to every namespace, and closes; where bytes are stuck on the way, cuts off without a word. */
  part(reason: Reason): void {
    const raw = this.#raw
    if (this.#conn.readyState !== 'open') return
    if (raw === undefined || bufferedBytes(this.#conn) === 0) this.#takeLeave(reason)
    // TLS encrypts in a turn of its own: what is written in this one is not stuck.
    else if ('encrypted' in raw && !this.#delayed) {
      this.#delayed = true
      setImmediate(() => this.part(reason))
    } else this.#close(() => cutOff(raw), 'stop')
  }

  #takeLeave(reason: Reason): void {
    const told = tell(reason)
    for (const { nsp } of this.#connected())
      this.#write.call(this.#conn, packetText('event', { namespace: nsp.name, data: ['auth_end', told] }))
    this.#close(() => this.#conn.close(), told.advice)
  }

  /** A client that is to come back does so by itself after a mere close, not after a disconnect by the server. */
  #close(close: () => void, advice: Advice): void {
    this.#parting = true
    if (advice !== 'reconnect') this.#connected()[0]?.disconnect(true)
    close()
    this.#parting = false
    finish(this.#conn, this.#raw, this.#side.guard.limits.lingerMs)
  }

  #connected(): readonly Socket[] {
    return this.#seats.flatMap(({ socket }) => (socket?.connected === true ? [socket] : []))
  }

  /** See `Waiting`. */
  evict(reason: 'overloaded' | 'shutting_down'): void {
    this.drop(reason)
  }

  /** Ends a transport that nobody has accepted, or that breaks the rules: there are no words for it. */
  drop(reason: Reason): void {
    if (this.#over) return
    this.#over = true
    this.#side.guard.refusal(this.handshake, reason)
    for (const { lease } of this.#seats) lease?.leave()
    dropQueued(this.#conn)
    this.#conn.close(true)
    finish(this.#conn, this.#raw, this.#side.guard.limits.lingerMs)
  }

  /** What arrives and what leaves passes here, whoever sends it: sockets, rooms, adapters of other nodes. */
  #gate(): void {
    const conn = this.#conn
    // oxlint-disable-next-line unbound-method -- see above
    const { emit } = conn
    conn.emit = (event: string | symbol, ...args: unknown[]) => {
      if (event === 'data' && !this.#hears(args[0])) return false
      if (event === 'close') return this.#closes(() => emit.call(conn, event, ...args))
      // Several times a packet: nothing is spread where there is nothing, or one.
      if (args.length === 1) return emit.call(conn, event, args[0])
      return args.length === 0 ? emit.call(conn, event) : emit.call(conn, event, ...args)
    }
    const write = (...packet: Write): Transport =>
      this.#maySend(packet) ? Reflect.apply(this.#write, conn, packet) : conn
    conn.write = write
    conn.send = write
  }

  #seatOf(namespace: string): Seat | undefined {
    for (let at = 0; at < this.#seats.length; at++)
      if (this.#seats[at]?.namespace === namespace) return this.#seats[at]
    return undefined
  }

  /** Enters the waiting room: for the first time, or when the last namespace has been left. */
  #wait(): void {
    this.#waits = true
    this.#messages = 0
    this.#bytes = 0
    this.#rawBytes = 0
    if (!this.#side.guard.pool.enter(this)) {
      this.drop('overloaded')
      return
    }
    this.#side.deadline.enter(this)
    this.#raw?.prependListener('data', this.#count)
  }

  #waitNoMore(): void {
    if (!this.#waits) return
    this.#waits = false
    this.#side.deadline.leave(this)
    this.#raw?.off('data', this.#count)
    this.#side.guard.pool.leave(this)
  }

  /** After its listeners: sockets that were connected leave by an event of their own; their leases may wait to be recovered. */
  #closes(tell: () => boolean): boolean {
    try {
      return tell()
    } finally {
      this.#over = true
      this.#waitNoMore()
      for (const { lease } of this.#seats) lease?.leave()
      this.#seats.length = 0
      this.#side.gone(this)
    }
  }

  /** @returns whether Socket.IO may read it */
  #hears(data: unknown): boolean {
    if (this.over) return false
    if (this.#waits && !this.#affords(data)) return false
    if (typeof data !== 'string') return this.#attaches(data)
    this.#attached = 0
    return !data.startsWith(packetTypes.connect) || this.#connects(data)
  }

  /** Socket.IO keeps attachments until the last one is there, and knows a bound for their number only. */
  #attaches(data: unknown): boolean {
    const size = Buffer.isBuffer(data) || data instanceof ArrayBuffer ? data.byteLength : Infinity
    this.#attached += size
    if (this.#attached > this.#side.maxAttachedBytes) this.drop('message_too_big')
    return !this.#over
  }

  #affords(data: unknown): boolean {
    const { maxBytes, maxMessages } = this.#side.guard.limits
    // Clients ask for all their namespaces at once.
    const most = Math.max(maxMessages, this.#side.maxNamespaces)
    this.#bytes += typeof data === 'string' ? Buffer.byteLength(data) : maxBytes + 1
    if (this.#bytes > maxBytes) this.drop('message_too_big')
    else if (++this.#messages > most) this.drop('protocol_violation')
    return !this.#over
  }

  /** A CONNECT: bounded in size, number and name before Socket.IO makes anything of it. */
  #connects(packet: string): boolean {
    const namespace = namespaceOf(packet)
    const { guard, maxNamespaces } = this.#side
    if (Buffer.byteLength(packet) > guard.limits.maxBytes) this.drop('message_too_big')
    else if (namespace.length > maxNamespaceLength || this.#seatOf(namespace) !== undefined)
      this.drop('protocol_violation')
    else if (this.#seats.length >= maxNamespaces || this.#refused >= maxNamespaces) this.drop('overloaded')
    else if (this.#waits && !guard.pool.speak(this)) this.drop('overloaded')
    if (this.#over) return false
    if (!this.#side.lists(namespace)) {
      this.#refused++
      const data = { message: 'forbidden', data: tell(guard.refusal(this.handshake, 'forbidden').reason) }
      this.say(packetText('connectError', { namespace, data }))
      return false
    }
    this.#seats.push(new Seat(namespace, this))
    return true
  }

  /** @returns whether it may be written now */
  #maySend(packet: Write): boolean {
    const [data] = packet
    if (this.#parting) return typeof data === 'string' && data.startsWith(packetTypes.disconnect)
    if (!this.passes()) return false
    if (typeof data === 'string') this.#fate = this.#fateOf(data)
    if (this.#fate instanceof Seat) this.#fate.held.push(packet)
    return this.#fate === 'passes'
  }

  /** What becomes of a packet, and of the attachments behind it. */
  #fateOf(packet: string): Seat | 'passes' | 'dropped' {
    const seat = this.#seatOf(namespaceOf(packet))
    if (seat?.accepted === true) return 'passes'
    // Whoever has left a namespace hears no more of it, late acknowledgements included.
    if (seat === undefined) return packet.startsWith(packetTypes.disconnect) ? 'passes' : 'dropped'
    if (packet.startsWith(packetTypes.connect)) return this.#welcomes(seat) ? 'passes' : 'dropped'
    if (packet.startsWith(packetTypes.connectError)) {
      this.#turnsAway(seat)
      return 'passes'
    }
    return seat
  }

  /** The namespace accepts. Without a lease nobody is accepted, whatever was configured besides. */
  #welcomes(seat: Seat): boolean {
    if (seat.lease === undefined || seat.lease.ended) {
      this.drop('internal')
      return false
    }
    seat.accepted = true
    this.#waitNoMore()
    for (const packet of seat.held) this.#write.apply(this.#conn, packet)
    seat.held = []
    return true
  }

  /** This guard, or a middleware behind it, has refused. */
  #turnsAway(seat: Seat): void {
    this.#refused++
    seat.lease?.leave()
    this.vacate(seat)
  }

  /** Wiped beyond the bound, so that the library reads no further; see `WaitingSocket`. */
  readonly #count = (chunk: Buffer): void => {
    this.#rawBytes += chunkWeight(chunk.length)
    if (this.#rawBytes <= this.#side.guard.limits.maxBytes) return
    this.drop('message_too_big')
    chunk.fill(0)
  }
}
