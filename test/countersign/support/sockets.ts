import { createServer, type IncomingMessage, type Server } from 'node:http'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { expect, onTestFinished } from 'vitest'
import { WebSocket, WebSocketServer, type ClientOptions, type RawData } from 'ws'
import { guardUpgrades, type WsOptions } from '../../../packages/countersign/src/adapters/ws.ts'
import {
  createGuard,
  memory,
  reasons,
  type Guard,
  type GuardOptions,
  type JournalEntry,
  type Lease,
  type Reason,
} from '../../../packages/countersign/src/index.ts'
import { pageOrigin, plainPasswords } from './guard.ts'

/** A socket as the application got it. */
export interface Guest {
  readonly socket: WebSocket
  readonly request: IncomingMessage
  readonly lease: Lease
  /** Messages that reached the application. */
  readonly messages: string[]
}

/** A guarded server on a port of its own. */
export interface Door {
  readonly guard: Guard
  readonly server: Server
  readonly wss: WebSocketServer
  readonly port: number
  readonly guests: Guest[]
  readonly journal: JournalEntry[]
  /** Reasons of the refusals so far. */
  refusals(): readonly (Reason | undefined)[]
}

/** How to set up a door. */
export interface DoorOptions extends Partial<Omit<GuardOptions, 'accept'>>, WsOptions {
  readonly accept: GuardOptions['accept']
  readonly tls?: ServerOptions
  readonly wss?: ConstructorParameters<typeof WebSocketServer>[0]
  /** What the application does with a guest; it echoes nothing by itself. */
  readonly application?: (guest: Guest) => void
  /** Listens on this path instead of a port. */
  readonly unix?: string
}

/** Opens a guarded `ws` server on loopback; it is gone when the test is. */
export async function openGuarded(options: DoorOptions): Promise<Door> {
  const { proxies, messages, tls, wss: settings, application, unix, ...rest } = options
  const journal: JournalEntry[] = []
  const guard = createGuard({
    records: memory(),
    origins: [pageOrigin],
    passwords: plainPasswords,
    journal: { record: (entry) => void journal.push(entry) },
    ...rest,
    limits: { jitter: 0, ...rest.limits },
  })
  const server = tls === undefined ? createServer() : createTlsServer(tls)
  const wss = new WebSocketServer({ noServer: true, ...settings })
  const guests: Guest[] = []
  wss.on('connection', (socket: WebSocket, request: IncomingMessage, lease: Lease) => {
    const guest: Guest = { socket, request, lease, messages: [] }
    guests.push(guest)
    socket.on('message', (data: RawData) => guest.messages.push(textOf(data)))
    application?.(guest)
  })
  const stop = guardUpgrades(server, wss, guard, {
    ...(proxies === undefined ? {} : { proxies }),
    ...(messages === undefined ? {} : { messages }),
  })
  if (unix === undefined) server.listen(0, '127.0.0.1')
  else server.listen(unix)
  await once(server, 'listening')
  onTestFinished(async () => {
    stop()
    guard.close()
    for (const client of wss.clients) client.terminate()
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  return {
    guard,
    server,
    wss,
    port: unix === undefined ? (server.address() as AddressInfo).port : 0,
    guests,
    journal,
    refusals: () => journal.filter((entry) => entry.kind === 'refused').map((entry) => entry.reason),
  }
}

/** What became of an attempt to connect. */
export type Outcome =
  | { readonly kind: 'open'; readonly protocol: string }
  | {
      readonly kind: 'http'
      readonly status: number
      readonly headers: IncomingMessage['headers']
      readonly body: string
    }
  | { readonly kind: 'error'; readonly message: string }

/** A client. */
export interface Caller {
  readonly socket: WebSocket
  readonly frames: string[]
  readonly outcome: Promise<Outcome>
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
}

/** How a client calls. */
export interface Call extends ClientOptions {
  readonly path?: string
  readonly protocols?: readonly string[]
  /** `user:password`, as in the URL. */
  readonly auth?: string
  /** Calls as a page of this origin. */
  readonly page?: string | undefined
}

/** Calls at a door with a real client. */
export function call(door: Pick<Door, 'server' | 'port'>, options: Call = {}): Caller {
  const { path = '/', protocols = [], page, ...rest } = options
  const scheme = 'setSecureContext' in door.server ? 'wss' : 'ws'
  const socket = new WebSocket(`${scheme}://127.0.0.1:${door.port}${path}`, [...protocols], {
    ...rest,
    ...(page === undefined ? {} : { origin: page }),
  })
  const frames: string[] = []
  socket.on('message', (data: RawData) => frames.push(textOf(data)))
  socket.on('error', () => undefined)
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }))
  })
  const outcome = new Promise<Outcome>((resolve) => {
    socket.on('open', () => resolve({ kind: 'open', protocol: socket.protocol }))
    socket.on('error', (error) => resolve({ kind: 'error', message: error.message }))
    socket.on('unexpected-response', (_request, response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (body += chunk))
      response.on('end', () =>
        resolve({ kind: 'http', status: response.statusCode ?? 0, headers: response.headers, body }),
      )
    })
  })
  return { socket, frames, outcome, closed }
}

/** Asserts that a client got in, and waits until the application has it. @returns the newest guest */
export async function expectAccepted(door: Door, caller: Caller, subject: string): Promise<Guest> {
  expect(await caller.outcome).toMatchObject({ kind: 'open' })
  await until(() => door.guests.some((guest) => guest.lease.principal.id === subject))
  const guest = door.guests.at(-1)
  if (guest === undefined) throw new Error('no guest')
  expect(guest.lease.principal.id).toBe(subject)
  return guest
}

/** Asserts a refusal in whichever way it is told, in the words of the table. */
export async function expectRefused(caller: Caller, reason: Reason): Promise<Outcome> {
  const row = reasons[reason]
  const outcome = await caller.outcome
  if (outcome.kind === 'http') expect(outcome).toMatchObject({ status: row.status, body: row.body })
  else expect(await caller.closed).toEqual({ code: row.close, reason })
  return outcome
}

/** Waits for something that happens on sockets, 5 s at most unless said otherwise. */
export async function until(what: () => boolean, mostMs = 5_000): Promise<void> {
  const end = Date.now() + mostMs
  while (!what()) {
    if (Date.now() > end) throw new Error(`this never came: ${what.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

/** A socket that speaks for itself. */
export interface RawSocket {
  readonly socket: Socket
  /** Everything received, one character a byte. */
  text(): string
  /** Resolves when the server has let go of the socket; answers after how many ms. Writes bytes to find out. */
  gone(): Promise<number>
  /** Waits until this text has arrived. */
  heard(text: string): Promise<void>
}

/** Opens a TCP connection and writes these lines as a request. The peer never closes by itself. */
export function rawRequest(
  port: number | string,
  lines: readonly string[],
  rest: Uint8Array = Buffer.alloc(0),
): RawSocket {
  const options = typeof port === 'number' ? { port, host: '127.0.0.1' } : { path: port }
  const socket = connect({ ...options, allowHalfOpen: true })
  let received = ''
  const began = Date.now()
  socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')))
  socket.on('error', () => undefined)
  const gone = (): Promise<number> =>
    new Promise((resolve) => {
      // A destroyed peer answers writes with a reset; a half-closed one takes them.
      const probe = setInterval(() => {
        if (!socket.destroyed && socket.writable) socket.write('\0')
      }, 20)
      const end = (): void => {
        clearInterval(probe)
        resolve(Date.now() - began)
      }
      if (socket.closed) end()
      else socket.on('close', end)
    })
  socket.write(Buffer.concat([Buffer.from([...lines, '', ''].join('\r\n')), rest]))
  onTestFinished(() => void socket.destroy())
  return { socket, gone, text: () => received, heard: (text) => until(() => received.includes(text)) }
}

/** A well-formed opening handshake, with other header lines in addition to or in place of its own. */
export function upgradeLines(
  target: string,
  extra: readonly string[] = [],
  without: readonly string[] = [],
): readonly string[] {
  const own = [
    'Host: 127.0.0.1',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    'Sec-WebSocket-Version: 13',
  ]
  const kept = own.filter(
    (line) => !without.some((name) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`)),
  )
  return [`GET ${target} HTTP/1.1`, ...kept, ...extra]
}

/** Calls by raw TCP. */
export function rawUpgrade(
  door: Door,
  target: string,
  extra: readonly string[] = [],
  rest?: Uint8Array,
): RawSocket {
  return rawRequest(door.port, upgradeLines(target, extra), rest)
}

/** A masked frame as clients send it. */
export function frame(text: string | Uint8Array, opcode: number = typeof text === 'string' ? 1 : 2): Buffer {
  const payload = Buffer.from(text)
  const mask = randomBytes(4)
  const head = payload.length < 126 ? Buffer.from([0x80 | opcode, 0x80 | payload.length]) : Buffer.alloc(4)
  if (payload.length >= 126) {
    head[0] = 0x80 | opcode
    head[1] = 0x80 | 126
    head.writeUInt16BE(payload.length, 2)
  }
  return Buffer.concat([head, mask, payload.map((byte, at) => byte ^ (mask[at % 4] ?? 0))])
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString('utf8')
  // What `binaryType: 'blob'` brings is read asynchronously; its type does not say so.
  if ((data as unknown) instanceof Blob) return '[blob]'
  return Buffer.from(data as Buffer).toString('utf8')
}
