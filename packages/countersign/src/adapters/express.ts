/** `countersign/express`: routes of Express 5 behind a guard, ordinary requests and sockets alike. */
import { ServerResponse, type IncomingMessage, type Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Application, Request, RequestHandler } from 'express'
import { WebSocketServer, type ServerOptions, type WebSocket } from 'ws'
import type { Guard } from '../core/guard.ts'
import type { Lease } from '../core/lease.ts'
import { Handover, leaseOfRequest } from './handover.ts'
import { judgeRequests } from './requests.ts'
import type { WsOptions } from './ws-side.ts'

declare global {
  // oxlint-disable-next-line typescript/no-namespace -- this is where Express looks for what a request has besides.
  namespace Express {
    interface Request {
      /** The lease that the request was let in with; `undefined`: no guard was asked. */
      lease?: Lease | undefined
    }
  }
}

/** What a route does with a socket. Add message listeners at once: what waited is delivered in the next turn. */
export type SocketHandler = (socket: WebSocket, request: Request, lease: Lease) => unknown

/** Options of an Express door. */
export interface ExpressOptions extends WsOptions {
  /** Options of the `ws` server that this makes. `noServer` is set. */
  readonly websocket?: Omit<ServerOptions, 'noServer' | 'server' | 'port' | 'verifyClient'>
}

/** A guard before an Express application. */
export interface ExpressDoor {
  /** `(request, response, next)`: goes on with `request.lease` for whoever is let in, and answers everyone else. */
  readonly requests: RequestHandler
  /** A route's last handler: opens the socket of an upgrade. An ordinary request is answered by 426. */
  sockets(handler: SocketHandler): RequestHandler
  /** Judges every upgrade of this server, and routes it by the application. @returns a function that stops doing so */
  attach(server: Server): () => void
  /** Ends the sockets of this door with 1001 and lets in nobody more. The guard is its owner's to close. */
  close(): void
}

/**
 * Puts a guard before an application: `app.get('/me', door.requests, …)`, `app.get('/chat', door.sockets(…))`, and
 * `door.attach(createServer(app))`.
 */
export function expressDoor(app: Application, guard: Guard, options: ExpressOptions = {}): ExpressDoor {
  const { websocket, ...rest } = options
  const wss = new WebSocketServer({ ...websocket, noServer: true })
  const underway = new WeakMap<IncomingMessage, Underway>()
  const handover = new Handover(wss, guard, {
    ...rest,
    forward(request, socket, head) {
      const response = responseOf(request, socket, guard.limits.lingerMs)
      underway.set(request, { socket, head, response })
      // Express makes its own request of Node's, in place.
      app(
        Object.assign(request, { lease: leaseOfRequest(request) }) as Request,
        response as Parameters<typeof app>[1],
      )
    },
  })
  const next = new WeakMap<IncomingMessage, () => void>()
  const judge = judgeRequests<Request>(
    guard,
    (request, _response, lease) => {
      request.lease = lease
      next.get(request)?.()
    },
    rest,
  )
  return {
    requests(request, response, goOn) {
      if (underway.has(request)) goOn()
      else {
        next.set(request, goOn)
        judge(request, response)
      }
    },
    sockets: (handler) => (request, response) => {
      const at = underway.get(request)
      const { lease } = request
      if (at === undefined || lease === undefined) {
        response.set({ Upgrade: 'websocket', Connection: 'Upgrade' }).status(426).send('Upgrade required')
        return
      }
      // As it was assigned.
      at.response.detachSocket(at.socket as Parameters<ServerResponse['detachSocket']>[0])
      wss.handleUpgrade(request, at.socket, at.head, (socket) => {
        run(handler, { socket, request, lease }, guard)
      })
    },
    attach(server) {
      server.on('upgrade', handover.listener)
      return () => void server.off('upgrade', handover.listener)
    },
    close: () => handover.close(),
  }
}

/** What is kept of an upgrade while the application routes it. */
interface Underway {
  readonly socket: Duplex
  readonly head: Buffer
  readonly response: ServerResponse
}

/** A handler that fails loses its socket, and nothing else. */
function run(
  handler: SocketHandler,
  {
    socket,
    request,
    lease,
  }: { readonly socket: WebSocket; readonly request: Request; readonly lease: Lease },
  guard: Guard,
): void {
  const failed = (error: unknown): void => {
    guard.failed(error)
    socket.close(1011, 'internal')
  }
  try {
    const done = handler(socket, request, lease)
    if (done instanceof Promise) done.catch(failed)
  } catch (error) {
    failed(error)
  }
}

/** The response by which the application answers an upgrade that it does not open: the socket ends with it. */
function responseOf(request: IncomingMessage, socket: Duplex, lingerMs: number): ServerResponse {
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  // Node asks for a `Socket`; any stream that is written to will do.
  response.assignSocket(socket as Parameters<ServerResponse['assignSocket']>[0])
  response.on('finish', () => {
    socket.resume()
    socket.end()
    setTimeout(() => socket.destroy(), lingerMs)
  })
  return response
}
