/** `countersign/ws`: guards a `ws` server. Applications see `connection` only for those who were accepted. */
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { WebSocket, WebSocketServer } from 'ws'
import type { Guard } from '../core/guard.ts'
import type { Lease } from '../core/lease.ts'
import { judgeUpgrades } from './http.ts'
import { guardedSide, type WsOptions } from './ws-side.ts'

export { onActions, type ActionHandlers } from './actions.ts'
export type { GatedSocket } from './gated-socket.ts'
export type { UpgradeOptions } from './http.ts'
export type { WsOptions } from './ws-side.ts'

/**
 * What an application hears an accepted socket by. `ws` types its `connection` event with two arguments; declare the
 * listener by this type and all three are known: `const greet: ConnectionListener = (socket, request, lease) => …`,
 * then `wss.on('connection', greet)`.
 */
export type ConnectionListener = (socket: WebSocket, request: IncomingMessage, lease: Lease) => void

/**
 * Judges every upgrade of `server` by `guard` and hands accepted sockets to `wss` as `connection` events with a third
 * argument: `wss.on('connection', (socket, request, lease) => …)`. Add message listeners in that listener, not later:
 * messages that waited behind the credential are delivered right after it.
 *
 * `wss` must be made with `noServer: true`. Its `handleProtocols`, if any, is offered only what is not secret.
 *
 * @returns a function that stops guarding; open sockets stay with their leases
 * @throws MisuseError when `wss` listens by itself
 */
export function guardUpgrades(
  server: Server,
  wss: WebSocketServer,
  guard: Guard,
  options: WsOptions = {},
): () => void {
  const listener = upgradeListener(wss, guard, options)
  server.on('upgrade', listener)
  return () => void server.off('upgrade', listener)
}

/** The listener alone, for servers that route upgrades to several guards by path or host themselves. */
export function upgradeListener(
  wss: WebSocketServer,
  guard: Guard,
  options: WsOptions = {},
): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  return judgeUpgrades(guard, guardedSide(wss, guard, { messages: options.messages }), options)
}
