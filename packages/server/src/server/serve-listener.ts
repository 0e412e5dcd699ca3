/** One address: an HTTP server, the guards whose sockets arrive there, and errors that say what wanted the address. */
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { readFileSync } from 'node:fs'
import type { Duplex } from 'node:stream'
import type { Guard } from 'countersign'
import { answerHttp, type ProxyOptions } from 'countersign/http'
import { upgradeListener, type ConnectionListener } from 'countersign/ws'
import type { FastifyInstance } from 'fastify'
import { WebSocketServer } from 'ws'
import { patience } from './app.ts'
import type { Config } from './config.ts'
import { writeListen, type ListenerPlan } from './config-places.ts'
import type { ListenAddress } from './config-types.ts'
import { handleProtocols, keepBeating } from './heartbeat.ts'
import type { UpgradeTaker } from './serve-wamp.ts'

/** What happens on an accepted socket. */
export type Application = ConnectionListener

/** A guard at its path, with an application behind it or a protocol of its own. */
export type GuardedPath =
  | { readonly path: string; readonly guard: Guard; readonly application: Application }
  | { readonly path: string; readonly taker: UpgradeTaker }

/** An address cannot be listened on. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
  /** The system's word: `EADDRINUSE`, `EACCES`, … */
  readonly code: string
  /** What was wanted, as `host:port`. */
  readonly address: string

  constructor(code: string, address: string) {
    super(`${address}: ${code}`)
    this.code = code
    this.address = address
  }
}

/** Longest message of an accepted socket, bytes. */
const maxMessageBytes = 1_048_576
/** Packets and fragments that a message may come in: each is kept apart until it is whole. */
const maxPieces = 16_384
/** How long a TLS handshake may take, ms. */
const handshakeMs = 10_000
const lingerMs = 1_000
/** How long sockets have to answer the close when the server stops, ms. */
const farewellMs = 1_000

/**
 * Wishes for another protocol than WebSocket (`h2c`) are passed over and the request is answered (RFC 9110 §7.8). Node below
 * 24.9 does not ask: there such a request is an upgrade to nothing, 404.
 */
const patient: ServerOptions = {
  ...patience,
  shouldUpgradeCallback: ({ headers }) => /websocket/i.test(headers.upgrade ?? ''),
}

/** Makes the Node server of a listener; TLS asks for certificates where a guard takes them. */
export function serverOf(
  config: Config,
  plan: ListenerPlan,
): (handle: (request: IncomingMessage, response: ServerResponse) => void) => Server {
  const { tls } = plan
  if (tls === undefined) return (handle) => createHttpServer(patient, handle)
  const certificates = plan.guards.flatMap(({ accept }) =>
    accept.filter(({ method }) => method === 'certificate'),
  )
  const authorities = certificates.flatMap((one) =>
    one.method === 'certificate' && one.authority !== undefined
      ? [readFileSync(config.path(one.authority))]
      : [],
  )
  const settings = {
    ...patient,
    handshakeTimeout: handshakeMs,
    cert: readFileSync(config.path(tls.cert)),
    key: readFileSync(config.path(tls.key)),
    minVersion: 'TLSv1.2' as const,
    ...(authorities.length === 0 ? {} : { ca: authorities }),
    // Asked for, not demanded: the guard decides, and those that are listed by fingerprint need no authority.
    ...(certificates.length === 0 ? {} : { requestCert: true, rejectUnauthorized: false }),
  }
  return (handle) => createHttpsServer(settings, handle)
}

/**
 * Hands each upgrade to the guard of its path; any other path gets 404 before anything is judged.
 * @returns a function that closes the sockets: a second for their farewell, then they are gone
 */
export function guardPaths(
  server: Server,
  paths: readonly GuardedPath[],
  proxies: ProxyOptions | undefined,
): () => Promise<void> {
  const servers: WebSocketServer[] = []
  const beats: (() => void)[] = []
  const takers: UpgradeTaker[] = []
  const listeners = new Map<string, UpgradeTaker['upgrade']>()
  for (const one of paths) {
    const { path } = one
    if ('taker' in one) {
      takers.push(one.taker)
      listeners.set(path, one.taker.upgrade)
      continue
    }
    const { guard, application } = one
    const wss = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      maxPayload: maxMessageBytes,
      maxBufferedChunks: maxPieces,
      maxFragments: maxPieces,
      handleProtocols,
    })
    beats.push(keepBeating(wss))
    wss.on('connection', application)
    servers.push(wss)
    listeners.set(path, upgradeListener(wss, guard, proxies === undefined ? {} : { proxies }))
  }
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const listener = listeners.get((request.url ?? '').split('?')[0] ?? '')
    if (listener !== undefined) {
      listener(request, socket, head)
      return
    }
    answerHttp(socket, { status: 404, headers: {}, body: 'Not found' }, lingerMs)
  })
  return async () => {
    for (const endBeat of beats) endBeat()
    await Promise.all([sayFarewell(servers), ...takers.map((taker) => taker.farewell())])
  }
}

/** Guards have sent their closes by now; whoever does not answer in time is cut off. */
async function sayFarewell(servers: readonly WebSocketServer[]): Promise<void> {
  const sockets = servers.flatMap((wss) => [...wss.clients])
  const closed = sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve)))
  const timer = setTimeout(() => {
    for (const socket of sockets) socket.terminate()
  }, farewellMs)
  await Promise.all(closed)
  clearTimeout(timer)
}

/**
 * Connections that the system may hold ready: in a flood it drops what comes beyond, and whoever is dropped tries again
 * after a second. The system's own limit applies as well (`net.core.somaxconn`).
 */
const backlog = 4_096

/** Listens. @throws ListenError when the address is taken, forbidden or not this machine's */
export async function listenAt(app: FastifyInstance, { host, port }: ListenAddress): Promise<void> {
  try {
    await app.listen({ host, port, backlog })
  } catch (error) {
    const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
    if (typeof code === 'string' && /^E[A-Z]+$/.test(code))
      throw new ListenError(code, writeListen({ host, port }))
    throw error
  }
}
