/** Packets of Socket.IO as lines for people, and what of them settles how an exchange goes. */

/** Between packets of one polling body (Engine.IO protocol 4, "Packet encoding"). */
const separator = '\u001e'

/**
 * What decides when the server says it (Engine.IO protocol 4 before Socket.IO protocol 5): a refused CONNECT, a refused
 * event, told in its acknowledgement or by an event, and the end of a lease.
 */
const deciding = /^(?:44|43(?:\/[^,]*,)?\d*\[\{"error":|42(?:\/[^,]*,)?\["auth_(?:end|error)")/

/** A packet in words. */
export interface SocketIoLine {
  readonly text: string
  readonly deciding: boolean
}

/** The line for one packet. */
export function socketIoLine(packet: string): SocketIoLine {
  return { text: packet, deciding: deciding.test(packet) }
}

/** The packets of a polling body, in order. */
export function packetsIn(body: string): readonly string[] {
  return body === '' ? [] : body.split(separator)
}

/** Whether a request is one of Engine.IO's. */
export function isSocketIo(url: string): boolean {
  return url.startsWith('/socket.io/')
}
