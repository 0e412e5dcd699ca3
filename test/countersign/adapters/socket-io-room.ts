/** A guarded Socket.IO server, and Socket.IO's own client at it, over polling, WebSocket, or the upgrade from one to the other. */
import { once } from 'node:events'
import { createServer, type Server as HttpServer } from 'node:http'
import { Server, type ServerOptions, type Socket } from 'socket.io'
import {
  io as connectTo,
  type ManagerOptions,
  type Socket as Client,
  type SocketOptions,
} from 'socket.io-client'
import { expect, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { firstMessage, type GuardOptions } from '../../../packages/countersign/src/index.ts'
import { ticket } from '../../../packages/countersign/src/methods/index.ts'
import {
  guardSocketIo,
  type GuardedData,
  type SocketIoOptions,
} from '../../../packages/countersign/src/adapters/socket-io.ts'
import { openGuard, type Opened } from '../support/guard.ts'
import { until } from '../support/sockets.ts'

/** How a client may be carried. */
export const modes = ['polling', 'websocket', 'upgrade'] as const
export type Mode = (typeof modes)[number]

const transports: Readonly<Record<Mode, ('polling' | 'websocket')[]>> = {
  polling: ['polling'],
  websocket: ['websocket'],
  upgrade: ['polling', 'websocket'],
}

type Everything = Record<string, (...args: unknown[]) => void>
type GuardedServer = Server<Everything, Everything, Everything, GuardedData>
export type GuardedSocket = Socket<Everything, Everything, Everything, GuardedData>

/** A server with everything that a test wants to look at. */
export interface Hall extends Opened {
  readonly io: GuardedServer
  readonly http: HttpServer
  readonly port: number
  /** Sockets that the application was given, in order. */
  readonly guests: GuardedSocket[]
  /** Everything that reached the application's listeners: name, then arguments, without acknowledgements. */
  readonly heard: unknown[][]
  /** A client that does not reconnect by itself. */
  call(mode: Mode, options?: CallOptions): Caller
  /** A ticket for a subject. */
  ticketFor(subject: string, more?: { readonly roles?: string[]; readonly leaseMs?: number }): Promise<string>
}

/** What a client brings. */
export interface CallOptions extends Partial<ManagerOptions & SocketOptions> {
  readonly namespace?: string
}

/** A client and what it was told. */
export interface Caller {
  readonly client: Client
  /** `connected`, `refused: word`, or the reason of its end, in order. */
  readonly fate: string[]
  readonly refusals: unknown[]
  /** Every event with its arguments. */
  readonly events: unknown[][]
}

export interface HallOptions extends Partial<GuardOptions> {
  readonly namespaces?: SocketIoOptions['namespaces']
  readonly maxNamespaces?: number
  readonly proxies?: SocketIoOptions['proxies']
  readonly server?: Partial<ServerOptions>
  readonly application?: (socket: GuardedSocket) => void
  /** What the application does with its server before it is guarded. */
  readonly before?: (io: GuardedServer) => void
}

/** Opens a server on loopback; it ends with the test. */
export async function openHall(options: HallOptions = {}): Promise<Hall> {
  const { namespaces, maxNamespaces, proxies, server, application, before, ...guardOptions } = options
  const opened = openGuard({ accept: [ticket({ from: firstMessage() })], ...guardOptions })
  const http = createServer()
  const io: GuardedServer = new Server(http, server)
  before?.(io)
  guardSocketIo(io, opened.guard, {
    namespaces: namespaces ?? { '/': { dangerouslyAllowEveryEvent: true } },
    ...(maxNamespaces === undefined ? {} : { maxNamespaces }),
    ...(proxies === undefined ? {} : { proxies }),
  })
  const guests: GuardedSocket[] = []
  const heard: unknown[][] = []
  const greet = (socket: GuardedSocket): void => {
    guests.push(socket)
    socket.onAny((...args: unknown[]) => void heard.push(args.filter((arg) => typeof arg !== 'function')))
    application?.(socket)
  }
  for (const name of typeof namespaces === 'object' ? Object.keys(namespaces) : ['/'])
    io.of(name).on('connection', greet)
  await new Promise<void>((resolve) => void http.listen(0, '127.0.0.1', resolve))
  const address = http.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const callers: Client[] = []
  onTestFinished(async () => {
    for (const client of callers) client.disconnect()
    opened.guard.close()
    await io.close()
  })
  return {
    ...opened,
    io,
    http,
    port,
    guests,
    heard,
    call(mode, { namespace = '', ...more } = {}) {
      const client = connectTo(`http://127.0.0.1:${port}${namespace}`, {
        transports: transports[mode],
        forceNew: true,
        reconnection: false,
        ...more,
      })
      callers.push(client)
      return listenTo(client)
    },
    async ticketFor(subject, { roles = ['member'], leaseMs = 900_000 } = {}) {
      return (await opened.guard.issue.ticket({ subject, roles, leaseMs })).ticket
    },
  }
}

/** Notes what a client is told. */
export function listenTo(client: Client): Caller {
  const caller: Caller = { client, fate: [], refusals: [], events: [] }
  client.on('connect', () => void caller.fate.push('connected'))
  client.on('connect_error', (error: Error & { data?: unknown }) => {
    caller.fate.push(`refused: ${error.message}`)
    caller.refusals.push(error.data)
  })
  client.on('disconnect', (reason) => void caller.fate.push(reason))
  client.onAny((...args: unknown[]) => void caller.events.push(args))
  return caller
}

/** Waits until a client is in, carried as its mode says. */
export async function expectIn(caller: Caller, mode: Mode): Promise<void> {
  await until(() => caller.fate.length > 0)
  expect(caller.fate[0]).toBe('connected')
  const carried = mode === 'polling' ? 'polling' : 'websocket'
  await until(() => caller.client.io.engine.transport.name === carried)
}

/** Waits until a client was refused, and expects this word. */
export async function expectOut(caller: Caller, reason: string): Promise<void> {
  await until(() => caller.fate.length > 0)
  expect(caller.fate[0]).toBe(`refused: ${reason}`)
}

/** A whole exchange of Engine.IO by hand, without any client: an opening poll, then packets. */
export async function rawPolling(port: number, headers: Record<string, string> = {}): Promise<RawPolling> {
  const base = `http://127.0.0.1:${port}/socket.io/?EIO=4&transport=polling`
  const opening = await fetch(base, { headers })
  const text = await opening.text()
  const sid = /"sid":"([^"]+)"/.exec(text)?.[1]
  return {
    status: opening.status,
    text,
    sid,
    async post(packets, more = {}) {
      const answer = await fetch(`${base}&sid=${sid}`, {
        method: 'POST',
        body: packets,
        headers: { ...headers, ...more },
      })
      return { status: answer.status, text: await answer.text() }
    },
    async poll() {
      const answer = await fetch(`${base}&sid=${sid}`, { headers })
      return { status: answer.status, text: await answer.text() }
    },
  }
}

/** See `rawPolling`. */
export interface RawPolling {
  readonly status: number
  readonly text: string
  readonly sid: string | undefined
  post(packets: string, more?: Record<string, string>): Promise<{ status: number; text: string }>
  poll(): Promise<{ status: number; text: string }>
}

/** A WebSocket that speaks Engine.IO by hand. */
export interface Bare {
  readonly socket: WebSocket
  readonly frames: string[]
  say(...packets: readonly (string | Buffer)[]): void
  closed(): Promise<void>
}

/** Opens one. */
export async function bare(hall: Hall): Promise<Bare> {
  const socket = new WebSocket(`ws://127.0.0.1:${hall.port}/socket.io/?EIO=4&transport=websocket`)
  const frames: string[] = []
  socket.on('message', (data: Buffer) => void frames.push(data.toString()))
  socket.on('error', () => {})
  onTestFinished(() => socket.terminate())
  const closed = once(socket, 'close')
  await once(socket, 'open')
  return {
    socket,
    frames,
    say: (...packets) => {
      for (const packet of packets) socket.send(packet)
    },
    closed: async () => void (await closed),
  }
}
