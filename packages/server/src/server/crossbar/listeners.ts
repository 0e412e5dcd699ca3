/** Listening: HTTP, RawSocket or both on one address, in clear or over TLS, on TCP or in the file system. */
import { createServer as createHttpServer, type IncomingMessage, type Server as HttpServer } from 'node:http'
import { createServer as createNetServer, type ListenOptions, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls'
import { patience } from '../app.ts'
import { ListenError } from '../serve-listener.ts'
import { clearSocketFile } from './listeners-unix.ts'
import { readTls, type TlsFiles } from './listeners-tls.ts'
import type { EndpointNode } from './node.ts'
import type { WebAnswer } from './services.ts'

/** What is spoken on an address. */
export interface ListenerSides {
  readonly http:
    | {
        readonly answer: WebAnswer
        readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
        /** How long an idle connection is kept, ms; `undefined`: as long as others. */
        readonly idleMs: number | undefined
      }
    | undefined
  readonly raw: ((socket: Socket, head?: Uint8Array) => void) | undefined
}

/** An address that is listened on. */
export interface Listening {
  /** `ws://localhost:8080`: scheme, host and port; the path of a socket in the file system. */
  readonly address: ListeningAddress
  /** Other certificates, for connections from now on; without effect in clear. */
  renewTls(files: TlsFiles): void
  /** Takes nobody any more. */
  stop(): void
  /** Cuts off whoever is still connected. */
  close(): Promise<void>
}

/** Where clients reach a listener. */
export type ListeningAddress =
  | { readonly kind: 'tcp'; readonly secure: boolean; readonly host: string }
  | { readonly kind: 'unix'; readonly path: string }

/** First octet of a RawSocket handshake: no request of HTTP begins with it (WAMP, "RawSocket Transport"). */
const rawSocketMagic = 0x7f
/** How long a connection may say nothing before it is known what it speaks, ms. */
const silenceMs = 10_000
/** How long a TLS handshake may take, ms. */
const handshakeTimeoutMs = 10_000

/**
 * Listens on an endpoint.
 * @throws ListenError when the address is taken or not to be had, MisuseError for certificates that cannot be used
 */
export async function listenOn(endpoint: EndpointNode, sides: ListenerSides): Promise<Listening> {
  const http = sides.http === undefined ? undefined : httpSide(sides.http)
  const take = takerOf(http, sides.raw)
  const tls = endpoint.kind === 'tcp' && endpoint.tls !== undefined ? readTls(endpoint.tls) : undefined
  const secured =
    tls === undefined ? undefined : createTlsServer({ ...tls, handshakeTimeout: handshakeTimeoutMs }, take)
  const server = secured ?? createNetServer(take)
  const connected = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    connected.add(socket)
    socket.on('close', () => connected.delete(socket))
    socket.on('error', ignore)
  })
  if (endpoint.kind === 'unix') await clearSocketFile(endpoint.path)
  await begin(server, endpoint)
  return {
    address: addressOf(server, endpoint),
    renewTls: (files) => secured?.setSecureContext(files),
    stop: () => void server.close(),
    close: () => closed(server, http, connected),
  }
}

function ignore(): void {
  // Every socket says `close` after an error, and that is what is heard.
}

/** An HTTP server that is given its connections. */
function httpSide({ answer, upgrade, idleMs }: NonNullable<ListenerSides['http']>): HttpServer {
  const options = idleMs === undefined ? patience : { ...patience, keepAliveTimeout: idleMs }
  const server = createHttpServer(options, answer)
  server.on('upgrade', upgrade)
  // It listens to nothing itself, and begins to look for slow requests only when it is told that it does.
  server.emit('listening')
  return server
}

/** What happens with a connection, once it is encrypted where it shall be. */
function takerOf(http: HttpServer | undefined, raw: ListenerSides['raw']): (socket: Socket) => void {
  return (socket) => {
    socket.on('error', ignore)
    socket.setNoDelay(true)
    if (raw === undefined) http?.emit('connection', socket)
    else if (http === undefined) raw(socket)
    else tellApart(socket, http, raw)
  }
}

/** Both protocols on one address: the first octet decides. */
function tellApart(socket: Socket, http: HttpServer, raw: (socket: Socket, head: Uint8Array) => void): void {
  const timer = setTimeout(() => socket.destroy(), silenceMs)
  socket.once('close', () => clearTimeout(timer))
  socket.once('data', (chunk: Buffer) => {
    clearTimeout(timer)
    if (chunk[0] === rawSocketMagic) return raw(socket, chunk)
    // The parser of HTTP reads the connection from its beginning.
    socket.pause()
    socket.unshift(chunk)
    http.emit('connection', socket)
    setImmediate(() => socket.resume())
    return undefined
  })
}

async function begin(server: Server, endpoint: EndpointNode): Promise<void> {
  const options: ListenOptions =
    endpoint.kind === 'unix'
      ? { path: endpoint.path, backlog: endpoint.backlog }
      : {
          host: endpoint.host ?? everywhere[endpoint.ipVersion],
          port: endpoint.port,
          backlog: endpoint.backlog,
          ...(endpoint.shared ? { reusePort: true } : {}),
        }
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(options, () => {
        server.off('error', reject)
        resolve()
      })
    })
  } catch (error) {
    const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
    throw new ListenError(typeof code === 'string' ? code : 'EUNKNOWN', wanted(endpoint))
  }
}

/** Addresses that stand for all of a machine. */
const everywhere: Readonly<Record<4 | 6, string>> = { 4: '0.0.0.0', 6: '::' }

/** What was wanted, for people. */
export function wanted(endpoint: EndpointNode): string {
  if (endpoint.kind === 'unix') return endpoint.path
  return `${bracketed(endpoint.host ?? everywhere[endpoint.ipVersion])}:${endpoint.port}`
}

/** The port that was found where any was asked for; a name that clients can use where every address was. */
function addressOf(server: Server | TlsServer, endpoint: EndpointNode): ListeningAddress {
  if (endpoint.kind === 'unix') return { kind: 'unix', path: endpoint.path }
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : endpoint.port
  const { host = 'localhost' } = endpoint
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : bracketed(host)
  return { kind: 'tcp', secure: endpoint.tls !== undefined, host: `${name}:${port}` }
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

async function closed(
  server: Server,
  http: HttpServer | undefined,
  connected: ReadonlySet<Socket>,
): Promise<void> {
  const done = new Promise<void>((resolve) => {
    if (server.listening) server.close(() => resolve())
    else resolve()
  })
  http?.closeAllConnections()
  http?.close()
  for (const socket of connected) socket.destroy()
  await done
}
