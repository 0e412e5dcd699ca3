/** What every server of `ws` in the program has in common beside its bounds: who is gone is noticed, and no subprotocol is made up. */
import type { WebSocket, WebSocketServer } from 'ws'

/** Between two pings, milliseconds. Who has not answered one by the next is cut off: places and leases are not held by nobody. */
export const heartbeatMs = 15_000

/** The public entry beside which a token may be offered. */
const publicSubprotocol = 'countersign.v1'

/** Selects what the program speaks; without it, `ws` selects whatever is offered first. An option of `WebSocketServer`. */
export function handleProtocols(offered: ReadonlySet<string>): string | false {
  return offered.has(publicSubprotocol) && publicSubprotocol
}

/** Sends pings to everybody, those who wait for their judgement included. @returns a function that ends it */
export function keepBeating(
  wss: Pick<WebSocketServer, 'clients'>,
  everyMs: number = heartbeatMs,
): () => void {
  const silent = new WeakSet<WebSocket>()
  const beat = setInterval(() => {
    for (const socket of wss.clients) {
      if (silent.has(socket)) socket.terminate()
      else {
        silent.add(socket)
        socket.once('pong', () => silent.delete(socket))
        socket.ping()
      }
    }
  }, everyMs).unref()
  return () => clearInterval(beat)
}
