/** What Engine.IO keeps for a transport, and how one is ended for good. */
import type { Duplex } from 'node:stream'
import type { Socket } from 'socket.io'
import { cutOff } from './gated-socket.ts'

type Transport = Socket['conn']

/** Engine.IO's session id; its type declares it private. */
export function sessionOf(conn: Transport): string {
  return String(Reflect.get(conn, 'id'))
}

/** Packets that wait to be written. Engine.IO declares the list private, but nothing else can take them back. */
function queueOf(conn: Transport): unknown[] {
  const queue: unknown = Reflect.get(conn, 'writeBuffer')
  return Array.isArray(queue) ? queue : []
}

/** Drops what is queued: it was for someone whose lease lived. */
export function dropQueued(conn: Transport): void {
  queueOf(conn).length = 0
}

/** The `ws` socket of a transport that is a WebSocket. */
function socketOf(conn: Transport): object | undefined {
  const socket: unknown = Reflect.get(conn.transport, 'socket')
  return typeof socket === 'object' && socket !== null ? socket : undefined
}

/** What the peer has not read yet, bytes; packets that wait count as 1,024 each. */
export function bufferedBytes(conn: Transport): number {
  const socket = socketOf(conn)
  const buffered: unknown = socket === undefined ? 0 : Reflect.get(socket, 'bufferedAmount')
  return queueOf(conn).length * 1_024 + (typeof buffered === 'number' ? buffered : 0)
}

/**
 * The peer has `lingerMs` to close. What is stuck on its way then is not delivered any more.
 * @param raw the socket below a WebSocket; connections of polling requests are the HTTP server's
 */
export function finish(conn: Transport, raw: Duplex | undefined, lingerMs: number): void {
  setTimeout(() => {
    conn.close(true)
    if (raw !== undefined && !raw.destroyed) cutOff(raw)
  }, lingerMs)
}
