/** What stands behind every door of the lab: the application that the sockets are guarded for. */
import type { ConnectionListener } from 'countersign/ws'
import type { WebSocket } from 'ws'

/** Greets the principal by name, then sends back whatever arrives. A `connection` listener. */
export const greetAndEcho: ConnectionListener = (socket, _request, lease) => {
  socket.on('error', ignore)
  socket.send(`Hello ${lease.principal.id}!`)
  socket.on('message', echo)
}

/** Bytes that may wait for a peer that sends but does not read; beyond, it is gone. */
const maxWaitingBytes = 1_048_576

/** One function for all sockets: a connection costs no closure. */
function echo(this: WebSocket, data: Parameters<WebSocket['send']>[0], isBinary: boolean): void {
  if (this.bufferedAmount > maxWaitingBytes) this.terminate()
  else this.send(data, { binary: isBinary })
}

function ignore(): void {
  // A broken frame ends the socket; there is nothing to repair.
}
