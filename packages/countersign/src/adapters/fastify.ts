/** `countersign/fastify`: a plugin that lets a guard decide before `@fastify/websocket` opens a socket, and before routes see the request. */
import { EventEmitter } from 'node:events'
import fastifyWebsocket, { type WebsocketPluginOptions } from '@fastify/websocket'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { MisuseError } from '../core/errors.ts'
import type { Guard } from '../core/guard.ts'
import type { Lease } from '../core/lease.ts'
import type { MaybePromise } from '../core/records.ts'
import { Handover, leaseOfRequest } from './handover.ts'
import type { WsOptions } from './ws-side.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The lease of the socket. @throws MisuseError where the request is no upgrade that a guard accepted */
    readonly lease: Lease
  }
  interface FastifyContextConfig {
    /** What this route asks of a lease. */
    countersign?: RouteRule
  }
}

/** What one route asks of a lease, before its socket is opened: `{ websocket: true, config: { countersign: … } }`. */
export interface RouteRule {
  /** One of these roles. @default any */
  readonly roles?: readonly string[]
  /** The route's own decision; what is not `true`, and what throws, refuses. @default yes */
  readonly authorize?: (lease: Lease, request: FastifyRequest) => MaybePromise<boolean>
}

/** Options of the plugin. */
export interface FastifyOptions extends WsOptions {
  readonly guard: Guard
  /** Options of `@fastify/websocket`, which this plugin registers. `options.server` and `options.verifyClient` have no say. */
  readonly websocket?: WebsocketPluginOptions
}

/**
 * The plugin: `await app.register(countersign, { guard })`, then routes with `{ websocket: true }` as ever; in each
 * `request.lease` is the lease of its socket. Upgrades are judged before routing: neither hooks nor the log see a secret.
 * @throws MisuseError when `@fastify/websocket` was registered before
 */
export const countersign: typeof register = Object.assign(register, {
  // As `fastify-plugin` marks: hooks and decorators are for the whole application.
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'countersign',
  [Symbol.for('plugin-meta')]: { name: 'countersign', fastify: '5.x' },
})

async function register(fastify: FastifyInstance, options: FastifyOptions): Promise<void> {
  const { guard, websocket = {}, ...rest } = options
  if (websocket.options?.server !== undefined)
    throw new MisuseError('invalid_option', 'websocket: the server is Fastify’s own')
  if (fastify.hasPlugin('@fastify/websocket'))
    throw new MisuseError(
      'invalid_option',
      'countersign/fastify registers @fastify/websocket: give it its options',
    )
  const door: { handover: Handover | undefined } = { handover: undefined }
  fastify.decorateRequest('lease', {
    getter(this: FastifyRequest) {
      const lease = leaseOfRequest(this.raw)
      if (lease === undefined) throw new MisuseError('invalid_option', 'lease: only sockets have one')
      return lease
    },
  })
  fastify.addHook('onRoute', checkRoute)
  fastify.addHook('onRequest', async (request, reply) => {
    const lease = leaseOfRequest(request.raw)
    const rule = request.routeOptions.config.countersign
    if (lease !== undefined && rule !== undefined && !(await allows(rule, { lease, request, guard })))
      turnAway(door.handover, request, reply)
  })
  // Before that of @fastify/websocket, which would close without a code.
  fastify.addHook('preClose', (done) => {
    door.handover?.close()
    done()
  })
  // What @fastify/websocket listens to hears judged upgrades alone.
  const judged = new EventEmitter()
  await fastify.register(fastifyWebsocket, {
    ...websocket,
    // Of a server it only uses that it emits.
    options: { ...websocket.options, server: judged as FastifyInstance['server'] },
  })
  door.handover = new Handover(fastify.websocketServer, guard, {
    ...rest,
    forward: (request, socket, head) => void judged.emit('upgrade', request, socket, head),
  })
  fastify.server.on('upgrade', door.handover.listener)
}

/** A rule beside a handler for ordinary requests would be believed to guard it. */
function checkRoute(route: RouteOptions): void {
  const { config, websocket, wsHandler } = route
  if (config?.countersign !== undefined && websocket !== true && wsHandler === undefined)
    throw new MisuseError('invalid_option', 'config.countersign: only on routes for sockets')
}

/** Roles are looked at again after waiting: they may have changed meanwhile. */
async function allows(
  { roles, authorize }: RouteRule,
  {
    lease,
    request,
    guard,
  }: { readonly lease: Lease; readonly request: FastifyRequest; readonly guard: Guard },
): Promise<boolean> {
  const hasRole = (): boolean =>
    roles === undefined || roles.some((role) => lease.principal.roles.includes(role))
  if (!hasRole()) return false
  if (authorize === undefined) return true
  try {
    const answer: unknown = await authorize(lease, request)
    return answer === true && hasRole()
  } catch (error) {
    guard.failed(error)
    return false
  }
}

function turnAway(handover: Handover | undefined, request: FastifyRequest, reply: FastifyReply): void {
  reply.hijack()
  handover?.refuse(request.raw, 'forbidden')
}
