/** `countersign/wamp/rawsocket`: WAMP over TCP, TLS and Unix sockets (WAMP, advanced profile, "RawSocket Transport"). */
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Guard } from '../core/guard.ts'
import type { Handshake } from '../core/handshake.ts'
import type { Codec } from '../wamp/codec.ts'
import type { ConnectionSettings } from '../wamp/connection-facts.ts'
import type { RouterMessage } from '../wamp/messages.ts'
import type { Serialization } from '../wamp/payload.ts'
import {
  announcedBytes,
  closeFrame,
  handshakeBytes,
  largestRawSocketMessage,
  rawSocketErrors,
  rawSocketHeader,
  RawSocketReader,
  readClientHandshake,
  refuseHandshake,
  writeHandshake,
  type RawSocketFrame,
  type RawSocketHandshake,
} from '../wamp/rawsocket-frames.ts'
import { settingsWith } from '../wamp/router-limits.ts'
import type { Router } from '../wamp/router.ts'
import { transportFacts } from '../wire/transport-facts.ts'
import { tlsCertificate } from './handshake.ts'
import { ignoreError } from './refuse.ts'
import { channelsOf } from './wamp-facts.ts'
import { Link, type Closer, type LinkHooks, type Wire } from './wamp-link.ts'
import { rawCodecOf, firstFreeSlot } from './wamp-wires.ts'

/** Options of a RawSocket transport. */
export interface WampRawSocketOptions {
  /** Who may join, and how. Cookies and origins mean nothing here. */
  readonly guard: Guard
  /** @default all three */
  readonly serializations?: readonly Serialization[]
  /** Largest message of a peer, bytes; announced as the power of two below. @default 1 MiB */
  readonly maxMessageBytes?: number
  /** Largest amount of output that waits for a peer that does not read, bytes; then it is closed. @default 1 MiB */
  readonly maxQueuedBytes?: number
  /** Durations and words of this transport. @default those of the router */
  readonly session?: Partial<ConnectionSettings>
}

/** A transport that listens to nothing by itself: hand it connected sockets. */
export interface WampRawSockets {
  /** Takes a socket over, its `error` events included. @param head what was read of it already */
  accept(socket: Socket, head?: Uint8Array): void
}

/** Makes connections of `router` out of sockets: `net.createServer((socket) => raw.accept(socket))`, or TLS alike. */
export function wampRawSockets(router: Router, options: WampRawSocketOptions): WampRawSockets {
  const side = new RawSide(router, options)
  return { accept: (socket, head) => side.accept(socket, head) }
}

const mebibyte = 1_048_576
const all: readonly Serialization[] = ['json', 'msgpack', 'cbor']

class RawSide implements LinkHooks {
  readonly maxQueuedBytes: number
  readonly guard: Guard
  readonly #router: Router
  readonly #serializations: ReadonlySet<Serialization>
  readonly #maxMessageBytes: number
  readonly #settings: ConnectionSettings

  constructor(router: Router, options: WampRawSocketOptions) {
    this.#router = router
    this.guard = options.guard
    this.#settings = settingsWith(router.settings, options.session)
    this.maxQueuedBytes = options.maxQueuedBytes ?? mebibyte
    this.#serializations = new Set(options.serializations ?? all)
    this.#maxMessageBytes = announcedBytes(options.maxMessageBytes ?? mebibyte)
  }

  /** Rate and shutdown first; then a place in the pool of its own kind until the handshake is there. */
  accept(socket: Socket, head: Uint8Array | undefined): void {
    socket.on('error', ignoreError)
    socket.setNoDelay(true)
    const { guard } = this
    const handshake = handshakeOf(socket)
    const refused = guard.greet(handshake, false)
    if (refused !== undefined || !guard.pool.occupy(socket)) {
      refuse(socket, rawSocketErrors.tooManyConnections, guard.limits.lingerMs)
      return
    }
    new Opening({ side: this, socket, handshake }).begin(head)
  }

  /** The handshake of a client is whole. */
  open(opening: Opened): void {
    const { socket, handshake, hello, rest } = opening
    const { guard } = this
    guard.pool.vacate(socket)
    if (!this.#serializations.has(hello.serialization)) {
      refuse(socket, rawSocketErrors.serializerUnsupported, guard.limits.lingerMs)
      return
    }
    const maxFrameBytes = rawSocketHeader + Math.min(hello.maxBytes, largestRawSocketMessage)
    const wire = wires[hello.serialization]
    const link = new Link({ guard, handshake, socket, wire, hooks: this, maxFrameBytes, cookie: undefined })
    if (!link.enter()) {
      refuse(socket, rawSocketErrors.tooManyConnections, guard.limits.lingerMs)
      return
    }
    socket.write(writeHandshake(hello.serialization, this.#maxMessageBytes))
    this.#connect(link, wire.codec, { socket, handshake, hello, rest })
  }

  /** See `LinkHooks`. */
  remember(): void {
    // There are no cookies here.
  }

  /** See `LinkHooks`. */
  forget(): void {
    // Nobody was remembered.
  }

  /** See `LinkHooks`. */
  parted(): void {
    // Bytes are counted all the time.
  }

  /** See `LinkHooks`. */
  ended(): void {
    // Nothing is kept here.
  }

  #connect(link: Link, codec: Codec, { socket, handshake, hello, rest }: Opened): void {
    link.peer = new RawCloser(socket)
    const channels = channelsOf(socket)
    link.connection = this.#router.connect({
      guard: this.guard,
      handshake,
      transport: link,
      facts: transportFacts({
        framing: 'rawsocket',
        serializer: hello.serialization,
        subprotocol: undefined,
        address: handshake.remoteAddress,
        port: socket.remotePort,
        secure: handshake.secure,
        headersReceived: {},
        headersSent: {},
        certificate: handshake.certificate,
        channels,
      }),
      channels,
      settings: this.#settings,
    })
    const stream = new RawStream(link, codec, new RawSocketReader(this.#maxMessageBytes))
    socket.on('data', (chunk: Buffer) => stream.take(chunk))
    socket.on('drain', () => link.drain())
    socket.on('close', () => link.gone())
    if (rest.length > 0) stream.take(rest)
  }
}

/** A socket whose handshake is still to come. */
interface Arrival {
  readonly side: RawSide
  readonly socket: Socket
  readonly handshake: Handshake
}

/** A socket whose handshake is there. */
interface Opened {
  readonly socket: Socket
  readonly handshake: Handshake
  readonly hello: RawSocketHandshake
  /** What came behind it. */
  readonly rest: Uint8Array
}

/** Waits for four bytes, no longer than the guard's deadline. */
class Opening {
  readonly #at: Arrival
  #bytes: Uint8Array = new Uint8Array(0)
  #timer: NodeJS.Timeout | undefined

  constructor(at: Arrival) {
    this.#at = at
  }

  begin(head: Uint8Array | undefined): void {
    const { socket, side } = this.#at
    this.#timer = setTimeout(() => socket.destroy(), side.guard.limits.deadlineMs)
    socket.on('data', this.#take)
    socket.on('close', this.#gone)
    if (head !== undefined) this.#take(head)
  }

  readonly #gone = (): void => {
    clearTimeout(this.#timer)
    this.#at.side.guard.pool.vacate(this.#at.socket)
  }

  readonly #take = (chunk: Uint8Array): void => {
    const bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk])
    this.#bytes = bytes
    if (bytes.length < handshakeBytes) return
    const { socket, side, handshake } = this.#at
    this.#gone()
    socket.off('data', this.#take)
    socket.off('close', this.#gone)
    const hello = readClientHandshake(bytes.subarray(0, handshakeBytes))
    if (hello.kind === 'malformed') socket.destroy()
    else if (hello.kind === 'refused') refuse(socket, hello.error, side.guard.limits.lingerMs)
    else side.open({ socket, handshake, hello, rest: bytes.subarray(handshakeBytes) })
  }
}

/** PINGs of one connection that are answered within a second; the others are dropped. */
const maxPongs = 10

/** Frames of an open socket. */
class RawStream {
  readonly #link: Link
  readonly #codec: Codec
  readonly #reader: RawSocketReader
  /** The second that is counted, since the process began. */
  #second = 0
  #pongs = 0

  constructor(link: Link, codec: Codec, reader: RawSocketReader) {
    this.#link = link
    this.#codec = codec
    this.#reader = reader
  }

  take(chunk: Uint8Array): void {
    this.#link.count(chunk.length)
    if (this.#link.closed) return
    const frames = this.#reader.push(chunk)
    if ('kind' in frames) this.#link.receive(frames)
    else for (const frame of frames) this.#frame(frame)
  }

  #frame(frame: RawSocketFrame): void {
    this.#link.alive = true
    if (frame.kind === 'message') this.#link.receive(this.#codec.decode(frame.bytes))
    else if (frame.kind === 'ping') this.#pong(frame.bytes)
  }

  /** A peer that does not read, or asks too often, is not answered: its pings would be a queue without a bound. */
  #pong(bytes: Uint8Array): void {
    const { socket, closed } = this.#link
    if (closed || socket.writableNeedDrain || !this.#mayPong()) return
    const frame = new Uint8Array(rawSocketHeader + bytes.length)
    frame.set(bytes, rawSocketHeader)
    if (closeFrame(frame, 'pong', largestRawSocketMessage)) socket.write(frame)
  }

  #mayPong(): boolean {
    const second = Math.floor(performance.now() / 1_000)
    if (second !== this.#second) this.#pongs = 0
    this.#second = second
    this.#pongs++
    return this.#pongs <= maxPongs
  }
}

/** RawSocket knows no close code: whoever ends says so by WAMP, or not at all. */
class RawCloser implements Closer {
  readonly #socket: Socket

  constructor(socket: Socket) {
    this.#socket = socket
  }

  close(): void {
    this.#socket.end()
    // Reads on and drops it: only then is the peer's end seen.
    this.#socket.resume()
  }
}

/** One for each serializer. */
class RawWire implements Wire {
  readonly slot: number
  readonly codec: Codec

  constructor(serialization: Serialization, slot: number) {
    this.slot = slot
    this.codec = rawCodecOf(serialization)
  }

  frame(message: RouterMessage): Uint8Array {
    const bytes = this.codec.encode(message, rawSocketHeader)
    // A longer one is refused by its link, which knows what its peer takes.
    closeFrame(bytes, 'message', largestRawSocketMessage)
    return bytes
  }
}

const wires: Readonly<Record<Serialization, RawWire>> = {
  json: new RawWire('json', firstFreeSlot),
  msgpack: new RawWire('msgpack', firstFreeSlot + 1),
  cbor: new RawWire('cbor', firstFreeSlot + 2),
}

/** What there is to know: no request, hence no host, no origin, no cookie. A Unix socket never leaves the machine. */
function handshakeOf(socket: Socket): Handshake {
  const remoteAddress = socket.remoteAddress ?? 'unix'
  return {
    target: '/',
    host: undefined,
    origin: undefined,
    cookie: undefined,
    authorization: undefined,
    subprotocol: undefined,
    remoteAddress,
    secure: socket instanceof TLSSocket || remoteAddress === 'unix',
    certificate: tlsCertificate(socket),
  }
}

function refuse(socket: Socket, error: number, lingerMs: number): void {
  socket.resume()
  socket.end(refuseHandshake(error))
  const timer = setTimeout(() => socket.destroy(), lingerMs)
  socket.once('close', () => clearTimeout(timer))
}
