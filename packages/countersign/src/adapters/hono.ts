/** `countersign/hono`: Hono on Node, with the sockets of `@hono/node-server`, behind a guard. */
import type { EventEmitter } from 'node:events'
import { IncomingMessage } from 'node:http'
import type { serve } from '@hono/node-server'
import type { Context } from 'hono'
import type { WebSocketServer } from 'ws'
import { MisuseError } from '../core/errors.ts'
import type { Guard } from '../core/guard.ts'
import type { Lease } from '../core/lease.ts'
import { Handover, leaseOfRequest } from './handover.ts'
import type { WsOptions } from './ws-side.ts'

export type { WsOptions } from './ws-side.ts'

/** A guard before an application of Hono. */
export interface HonoDoor {
  /** Ends the sockets of this door with 1001 and lets in nobody more. The guard is its owner's to close. */
  close(): void
}

/** The lease of an upgrade, in middleware and in `upgradeWebSocket`. @throws MisuseError where no guard has let it in */
export function leaseOf(context: Pick<Context, 'env'>): Lease {
  // What a runtime puts there is known to no type.
  const { incoming } = (context.env ?? {}) as { readonly incoming?: unknown }
  const lease = incoming instanceof IncomingMessage ? leaseOfRequest(incoming) : undefined
  if (lease !== undefined) return lease
  throw new MisuseError('invalid_option', 'leaseOf: only sockets behind a guard have a lease')
}

/**
 * Puts a guard before a server that `serve` or `createAdaptorServer` has made with `websocket: socketsOf(wss)`. Its own
 * listener for upgrades hears of those alone that were accepted. Call it before the server listens, or in the same turn.
 * @throws MisuseError where the server was made without `websocket`, or `wss` listens by itself
 */
export function guardHono(
  server: EventEmitter,
  wss: WebSocketServer,
  guard: Guard,
  options: WsOptions = {},
): HonoDoor {
  const listeners = server.listeners('upgrade')
  if (listeners.length === 0)
    throw new MisuseError('invalid_option', 'guardHono: make the server with websocket: socketsOf(wss)')
  const handover = new Handover(wss, guard, {
    ...options,
    forward(request, socket, head) {
      for (const listener of listeners) Reflect.apply(listener, server, [request, socket, head])
    },
  })
  server.removeAllListeners('upgrade')
  server.on('upgrade', handover.listener)
  return { close: () => handover.close() }
}

/** The option `websocket` of `serve`, for this `ws` server. */
export function socketsOf(wss: WebSocketServer): HonoSockets {
  // One object described twice: under `exactOptionalPropertyTypes` neither description fits the other.
  return { server: wss as unknown as HonoSockets['server'] }
}

type HonoSockets = NonNullable<Parameters<typeof serve>[0]['websocket']>
