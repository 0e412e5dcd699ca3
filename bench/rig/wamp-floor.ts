/**
 * The floor of a WAMP router: bare `ws` that moves frames between sockets without understanding them. Who a socket is,
 * its path says. What it writes in one turn of the event loop leaves in one write for each socket, as a router's does.
 */
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type RawData, type WebSocket } from 'ws'

const callers: Relayed[] = []
/** Whose call is answered next: the callee answers in order. */
const asked: Relayed[] = []
const subscribers = new Set<Relayed>()
let callee: Relayed | undefined

interface Relayed {
  readonly socket: WebSocket
  readonly raw: Duplex
  corked: boolean
}

let dirty: Relayed[] = []

function send(to: Relayed, data: RawData | string, binary: boolean): void {
  if (!to.corked) {
    to.corked = true
    to.raw.cork()
    if (dirty.push(to) === 1) setImmediate(flush)
  }
  to.socket.send(data, { binary })
}

function flush(): void {
  const all = dirty
  dirty = []
  for (const one of all) {
    one.corked = false
    one.raw.uncork()
  }
}

/** What each path does. */
const roles: Readonly<Record<string, (one: Relayed) => void>> = {
  '/callee': (one) => {
    callee = one
    one.socket.on('message', (data, binary) => {
      const caller = asked.shift()
      if (caller !== undefined) send(caller, data, binary)
    })
  },
  '/caller': (one) => {
    callers.push(one)
    one.socket.on('message', (data, binary) => {
      if (callee === undefined) return
      asked.push(one)
      send(callee, data, binary)
    })
  },
  '/subscriber': (one) => void subscribers.add(one),
  '/publisher': (one) =>
    void one.socket.on('message', (data, binary) => {
      for (const subscriber of subscribers) send(subscriber, data, binary)
    }),
  // As many messages as a join and a leave have, and as long.
  '/join': (one) => {
    let said = 0
    one.socket.on('message', () => send(one, answers[said++] ?? '', false))
  },
}

const challenge = `[4,"wampcra",${JSON.stringify({ challenge: 'x'.repeat(230) })}]`
const welcome = `[2,1234567890123456,${JSON.stringify({ roles: 'x'.repeat(900) })}]`
const goodbye = '[6,{},"wamp.close.goodbye_and_out"]'
/** To HELLO, AUTHENTICATE, GOODBYE. */
const answers: readonly string[] = [challenge, welcome, goodbye]

/** Answers upgrades of any path above. */
export function serveFloor(server: Server): void {
  const wss = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    handleProtocols: ([first]) => first ?? false,
  })
  server.on('upgrade', (request: IncomingMessage, raw: Duplex, head: Buffer) => {
    wss.handleUpgrade(request, raw, head, (socket) => {
      const one: Relayed = { socket, raw, corked: false }
      socket.on('close', () => void subscribers.delete(one))
      roles[request.url ?? '']?.(one)
    })
  })
}
