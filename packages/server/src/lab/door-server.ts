/** One door of the lab: an origin of its own, a guard, and an application that greets and echoes. */
import { createServer as createHttpServer, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { Guard } from 'countersign'
import { upgradeListener } from 'countersign/ws'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { WebSocketServer } from 'ws'
import { createApp, patience } from '../server/app.ts'
import type { PageSources } from '../server/headers.ts'
import { ownSources } from '../server/headers.ts'
import { handleProtocols, keepBeating } from '../server/heartbeat.ts'
import type { Door } from './doors.ts'
import { greetAndEcho } from './greeting.ts'
import { pathOf, type WebSocketRoute } from './web-socket-route.ts'
import type { WireRecorder } from './wire-recorder.ts'

/** TLS material of a door that asks for client certificates. */
export interface DoorTls {
  readonly certificate: string
  readonly privateKey: string
  /** Authority whose client certificates are verified. */
  readonly authority: string
}

/** What a door server is made of. */
export interface DoorServerOptions {
  readonly door: Door
  readonly guard: Guard
  readonly recorder: WireRecorder
  readonly log: Logger
  readonly hosts: readonly string[]
  readonly tls: DoorTls | undefined
  /** Where pages of this origin may reach; only the frame page's door has any. */
  readonly sources?: PageSources
  /** Who takes the upgrades of a path that is not the door's to answer. @default nobody */
  readonly beside?: (path: string) => WebSocketRoute['upgrade'] | undefined
}

/** A door that can be opened and closed. Routes may be added to `app` before it listens. */
export interface DoorServer {
  readonly app: FastifyInstance
  /** Ends every socket, then the listener. */
  close(): Promise<void>
}

/** Longest message of an accepted socket, bytes: enough for an echo. */
const maxMessageBytes = 64 * 1_024
/** How long a TLS handshake may take, ms. */
const handshakeMs = 10_000

/** Builds a door; the caller listens. */
export function createDoorServer(options: DoorServerOptions): DoorServer {
  const { door, guard, tls, recorder } = options
  const app = createApp({
    log: options.log,
    hosts: options.hosts,
    secure: door.secure,
    sources: options.sources ?? ownSources,
    server: (handle): Server =>
      tls === undefined ? createHttpServer(patience, handle) : secureServer(tls, handle),
  })
  const wss = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    handleProtocols,
  })
  const endBeat = keepBeating(wss)
  wss.on('connection', greetAndEcho)
  app.server.on('upgrade', (request, socket, head) => recorder.watch(request, socket, head))
  const own = upgradeListener(wss, guard)
  app.server.on('upgrade', (request, socket, head) => {
    const upgrade = options.beside?.(pathOf(request)) ?? own
    upgrade(request, socket, head)
  })
  app.get('/', (_request, reply) =>
    reply
      .code(426)
      .headers({ upgrade: 'websocket', 'cross-origin-resource-policy': 'cross-origin' })
      .send('This door opens to WebSockets.'),
  )
  return {
    app,
    async close() {
      endBeat()
      guard.close()
      for (const socket of wss.clients) socket.terminate()
      await app.close()
    },
  }
}

/** Certificates are asked for, not demanded: those that no authority vouches for may still be listed. */
function secureServer(tls: DoorTls, handle: Parameters<typeof createHttpsServer>[1]): Server {
  return createHttpsServer(
    {
      ...patience,
      handshakeTimeout: handshakeMs,
      cert: tls.certificate,
      key: tls.privateKey,
      ca: [tls.authority],
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
    },
    handle,
  )
}
