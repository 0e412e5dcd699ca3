/** Places to come to: a guard behind a real listener, once for leases that last and once for leases that are short. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Guard, Lease } from 'countersign'
import { guardUpgrades } from 'countersign/ws'
import { WebSocketServer, type WebSocket } from 'ws'

/** Every how many ms both ends of every socket say something. */
export const talkEveryMs = 10

/** Numbers of one stream of messages, and when each was said. */
export class Numbered {
  readonly #saidAtMs: number[] = []

  /** The newest number; 0 before the first. */
  get newest(): number {
    return this.#saidAtMs.length
  }

  /** The next number, said now. */
  next(): string {
    return String(this.#saidAtMs.push(Date.now()))
  }

  /** When a number was said, ms since the epoch. */
  saidAtMs(number: number): number {
    return this.#saidAtMs[number - 1] ?? Infinity
  }
}

/** What an application has heard from one subject. */
export interface Heard {
  /** The highest number. */
  highest: number
  /** How many messages. */
  count: number
}

/** An application that talks to everyone who is let in, and writes down what it hears. */
export interface Application {
  /** What it has said to everybody. */
  readonly said: Numbered
  heard(subject: string): Heard
  /** Says the next number to everybody now. */
  speak(): void
}

/** Where a client may go. */
export interface Place {
  readonly guard: Guard
  readonly application: Application
  readonly url: string
  close(): Promise<void>
}

/** What a TLS listener of this place is made with; client certificates are asked for. */
export type Tls = ServerOptions | undefined

/** Opens a listener that leaves upgrades to this handler. @returns its port and how to end it */
export async function listen(
  tls: Tls,
  upgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void,
): Promise<{ readonly server: Server; readonly port: number; end(): Promise<void> }> {
  const server = tls === undefined ? createServer() : createTlsServer(tls)
  if (upgrade !== undefined) server.on('upgrade', upgrade)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // a TCP server that listens has one
  const end = async (): Promise<void> => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  return { server, port, end }
}

/** A guarded `ws` server with its application. */
export async function openPlace(guard: Guard, tls: Tls): Promise<Place> {
  const { server, port, end } = await listen(tls)
  const wss = new WebSocketServer({ noServer: true })
  const application = new Chatterer(wss)
  const stop = guardUpgrades(server, wss, guard)
  return {
    guard,
    application,
    url: `${tls === undefined ? 'ws' : 'wss'}://localhost:${port}`,
    async close() {
      application.stop()
      stop()
      guard.close()
      for (const client of wss.clients) client.terminate()
      await end()
    },
  }
}

/** The application of a `ws` server: it sends through the very sockets that the guard gave it, ended or not. */
class Chatterer implements Application {
  readonly said = new Numbered()
  readonly #heard = new Map<string, Heard>()
  readonly #sockets = new Set<WebSocket>()
  readonly #timer = setInterval(() => this.speak(), talkEveryMs)

  constructor(wss: WebSocketServer) {
    wss.on('connection', (socket: WebSocket, _request: IncomingMessage, lease: Lease) => {
      const heard = this.heard(lease.principal.id)
      this.#sockets.add(socket)
      socket.on('message', (data) => {
        heard.count++
        // ws delivers Buffers unless told otherwise.
        heard.highest = Math.max(heard.highest, Number((data as Buffer).toString()))
      })
      socket.on('close', () => this.#sockets.delete(socket))
    })
  }

  heard(subject: string): Heard {
    const known = this.#heard.get(subject) ?? { highest: 0, count: 0 }
    this.#heard.set(subject, known)
    return known
  }

  speak(): void {
    const number = this.said.next()
    for (const socket of this.#sockets) socket.send(number)
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
