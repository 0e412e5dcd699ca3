/** What stands behind every door of the lab: the application that the sockets are guarded for. */
import type { Lease } from 'countersign'
import type { GatedSocket } from 'countersign/ws'
import type { WebSocket } from 'ws'

/** Greets the principal by name, then sends back whatever arrives. A `connection` listener. */
export function greetAndEcho(socket: WebSocket, _request: unknown, lease: Lease): void {
  socket.on('error', ignore)
  socket.send(`Hello ${lease.principal.id}!`)
  socket.on('message', echo)
}

function echo(this: WebSocket, data: Parameters<GatedSocket['send']>[0], isBinary: boolean): void {
  this.send(data, { binary: isBinary })
}

function ignore(): void {
  // A broken frame ends the socket; there is nothing to repair.
}
