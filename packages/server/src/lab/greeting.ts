/** What stands behind every door of the lab: the application that the sockets are guarded for. */
import type { Lease } from 'countersign'
import { findParameter } from 'countersign/wire'
import type { ConnectionListener } from 'countersign/ws'
import type { WebSocket } from 'ws'

/** Between two numbered messages, ms. */
const tickEveryMs = 20

/**
 * Greets the principal by name, then sends back whatever arrives. A `connection` listener. Where the URL says `ticks=1`
 * it sends numbered messages besides, as long as the socket lives.
 */
export const greetAndEcho: ConnectionListener = (socket, request, lease) => {
  socket.on('error', ignore)
  socket.send(`Hello ${lease.principal.id}!`)
  socket.on('message', echo)
  if (findParameter(request.url ?? '', ['ticks']).kind === 'found') count(socket, lease)
}

/** Bytes that may wait for a peer that sends but does not read; beyond, it is gone. */
const maxWaitingBytes = 1_048_576

/** One function for all sockets: a connection costs no closure. */
function echo(this: WebSocket, data: Parameters<WebSocket['send']>[0], isBinary: boolean): void {
  if (this.bufferedAmount > maxWaitingBytes) this.terminate()
  else this.send(data, { binary: isBinary })
}

/**
 * `tick 17 2659`: the number, and how long the lease holds yet, ms, by this server's clock. It does not ask whether the
 * lease has ended: that nothing passes then is what the numbers show.
 */
function count(socket: WebSocket, lease: Lease): void {
  let number = 0
  const send = (): void => {
    number++
    if (socket.bufferedAmount > maxWaitingBytes) socket.terminate()
    else socket.send(`tick ${number} ${lease.untilMs - Date.now()}`, ignore)
  }
  // Behind the other timers of this turn. Over TLS a message waits a turn to be written, and a socket whose lease ends
  // while something waits is cut off without a word: the page would not hear why.
  const timer = setInterval(() => setImmediate(send), tickEveryMs)
  socket.on('close', () => clearInterval(timer))
}

function ignore(): void {
  // A broken frame ends the socket; there is nothing to repair. Nor is there where the socket is closing already.
}
