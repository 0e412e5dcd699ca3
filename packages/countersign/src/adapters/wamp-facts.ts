/** Facts of a socket that carries WAMP: for authenticators and the meta API, and what binds a signature to the channel. */
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import type { JoinRequest } from '../core/credential.ts'
import type { Guard } from '../core/guard.ts'
import type { Handshake } from '../core/handshake.ts'
import type { ConnectionFacts, ConnectionSettings } from '../wamp/connection-facts.ts'
import type { Transport } from '../wamp/ports.ts'
import type { TransportFacts } from '../wamp/session.ts'
import { transportFacts } from '../wire/transport-facts.ts'
import type { WebSocketWire } from './wamp-wires.ts'

/** What the facts of a WebSocket are made of. */
interface WebSocketSource {
  readonly guard: Guard
  readonly handshake: Handshake
  readonly transport: Transport
  readonly request: IncomingMessage
  readonly wire: WebSocketWire
  /** Headers that authenticators were promised, as `headersNamed` found them. */
  readonly passed: Headers
  readonly settings: ConnectionSettings
}

/** Fields of a request, names in lower case. */
type Headers = Readonly<Record<string, string>>

const noHeaders: Headers = Object.freeze({})

/** The headers of these names, taken before a guard hides anything of the request. */
export function headersNamed({ rawHeaders }: IncomingMessage, names: readonly string[]): Headers {
  if (names.length === 0) return noHeaders
  const wanted = new Set(names.map((name) => name.toLowerCase()))
  return Object.fromEntries(Object.entries(headersOf(rawHeaders)).filter(([name]) => wanted.has(name)))
}

/**
 * What a router is told of a WebSocket. The request is let go: of its headers one text is kept, because few connections
 * are ever asked about them.
 */
export class WebSocketConnection implements ConnectionFacts {
  readonly guard: Guard
  readonly handshake: Handshake
  readonly transport: Transport
  readonly channels: JoinRequest['channels']
  readonly told: TransportFacts | undefined
  readonly settings: ConnectionSettings
  readonly #wire: WebSocketWire
  readonly #port: number | undefined
  /** Names and values by turns, a line each: neither can hold the end of one (RFC 9110 §5.5). */
  readonly #headers: string

  constructor({ guard, handshake, transport, request, wire, passed, settings }: WebSocketSource) {
    this.guard = guard
    this.handshake = handshake
    this.transport = transport
    this.channels = channelsOf(request.socket)
    this.settings = settings
    this.#wire = wire
    this.#port = request.socket.remotePort
    this.#headers = request.rawHeaders.join('\n')
    this.told = passed === noHeaders ? undefined : new Told(this, passed)
  }

  /** Without secret headers; the address is the one that the guard goes by. */
  get facts(): JoinRequest['transport'] {
    return this.factsWith(noHeaders)
  }

  /** As `facts`, and these headers besides. */
  factsWith(passed: Headers): JoinRequest['transport'] {
    const { handshake, channels } = this
    const source = {
      framing: 'websocket',
      serializer: this.#wire.codec.serialization,
      subprotocol: handshake.subprotocol === undefined ? undefined : this.#wire.name,
      address: handshake.remoteAddress,
      port: this.#port,
      secure: handshake.secure,
      headersReceived: { ...headersOf(this.#headers.split('\n')), ...passed },
      headersSent: {},
      certificate: handshake.certificate,
      channels,
    } as const
    return transportFacts(source, Object.keys(passed))
  }
}

/** Facts for authenticators. */
class Told implements TransportFacts {
  readonly #connection: WebSocketConnection
  readonly #passed: Headers

  constructor(connection: WebSocketConnection, passed: Headers) {
    this.#connection = connection
    this.#passed = passed
  }

  get facts(): JoinRequest['transport'] {
    return this.#connection.factsWith(this.#passed)
  }
}

/** Repeated headers in one list (RFC 9110 §5.3). */
function headersOf(fields: readonly string[]): Record<string, string> {
  const headers = new Map<string, string>()
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const name = fields[at]?.toLowerCase() ?? ''
    const value = fields[at + 1] ?? ''
    const known = headers.get(name)
    headers.set(name, known === undefined ? value : `${known}, ${value}`)
  }
  return Object.fromEntries(headers)
}

const none: JoinRequest['channels'] = Object.freeze({})

/**
 * Channel bindings: `tls-exporter` (RFC 9266) under TLS 1.3, since below it needs the extended master secret, which Node
 * does not tell of; `tls-unique` (RFC 5929 §3) below TLS 1.3, where alone it means something, as the SHA-256 that clients
 * of WAMP make of it.
 */
export function channelsOf(socket: Duplex): JoinRequest['channels'] {
  if (!(socket instanceof TLSSocket)) return none
  if (socket.getProtocol() === 'TLSv1.3') {
    const exporter = socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))
    return { 'tls-exporter': exporter.toString('hex') }
  }
  // The first Finished of the handshake: the client's, or the server's own where a session was resumed.
  const finished = socket.isSessionReused() ? socket.getFinished() : socket.getPeerFinished()
  if (finished === undefined) return none
  return { 'tls-unique': createHash('sha256').update(finished).digest('hex') }
}
