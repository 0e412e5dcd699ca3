/** Facts of a socket that carries WAMP: for authenticators and the meta API, and what binds a signature to the channel. */
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import type { JoinRequest } from '../core/credential.ts'
import type { Handshake } from '../core/handshake.ts'
import { transportFacts } from '../wire/transport-facts.ts'
import type { WebSocketWire } from './wamp-wires.ts'

/** Facts of a WebSocket. Without secret headers; the address is the one that the guard goes by. */
export function webSocketFacts(
  request: IncomingMessage,
  handshake: Handshake,
  wire: WebSocketWire,
): JoinRequest['transport'] {
  return transportFacts({
    framing: 'websocket',
    serializer: wire.codec.serialization,
    subprotocol: handshake.subprotocol === undefined ? undefined : wire.name,
    address: handshake.remoteAddress,
    port: request.socket.remotePort,
    secure: handshake.secure,
    headersReceived: headersOf(request),
    headersSent: {},
    certificate: handshake.certificate,
    channels: channelsOf(request.socket),
  })
}

function headersOf(request: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return headers
}

const none: JoinRequest['channels'] = Object.freeze({})

/**
 * Channel bindings: `tls-exporter` (RFC 9266) everywhere; `tls-unique` (RFC 5929 §3) below TLS 1.3 alone, where it means
 * something, as the SHA-256 that clients of WAMP make of it.
 */
export function channelsOf(socket: Duplex): JoinRequest['channels'] {
  if (!(socket instanceof TLSSocket)) return none
  const exporter = socket
    .exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))
    .toString('hex')
  if (socket.getProtocol() === 'TLSv1.3') return { 'tls-exporter': exporter }
  // The first Finished of the handshake: the client's, or the server's own where a session was resumed.
  const finished = socket.isSessionReused() ? socket.getFinished() : socket.getPeerFinished()
  if (finished === undefined) return { 'tls-exporter': exporter }
  return { 'tls-exporter': exporter, 'tls-unique': createHash('sha256').update(finished).digest('hex') }
}
