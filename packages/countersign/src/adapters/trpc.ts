/** `countersign/trpc`: the sockets of tRPC behind a guard. */
import type { Server } from 'node:http'
import type { WebSocket, WebSocketServer } from 'ws'
import { MisuseError } from '../core/errors.ts'
import type { Guard } from '../core/guard.ts'
import type { Lease } from '../core/lease.ts'
import type { GatedSocket } from './gated-socket.ts'
import type { UpgradeOptions } from './http.ts'
import { paramsOpening } from './opening.ts'
import { protocolDoor, type ProtocolDoor } from './protocol-door.ts'

export type { UpgradeOptions } from './http.ts'
export type { ProtocolDoor } from './protocol-door.ts'

/** The lease of the socket for which tRPC calls `createContext`. @throws MisuseError where no guard has let it in */
export function leaseOf({ res }: { readonly res: WebSocket }): Lease {
  // Sockets of a guarded server are made by the class that has it.
  const { lease } = res as GatedSocket
  if (lease !== undefined) return lease
  throw new MisuseError('invalid_option', 'leaseOf: this socket is not behind a guard')
}

/**
 * Puts a guard before the server that `applyWSSHandler` is given. Where the guard listens to a first message
 * (`firstMessage()`), that is `connectionParams`, judged before tRPC knows of the socket, which then sees it without its
 * token. Context is made once a socket: take `leaseOf(options)` into it, not its principal, whose roles may change.
 * @throws MisuseError when `wss` listens by itself
 */
export function guardTrpc(
  server: Server,
  wss: WebSocketServer,
  guard: Guard,
  { proxies }: UpgradeOptions = {},
): ProtocolDoor {
  return protocolDoor(server, wss, guard, { opening: connectionParams, late: 'refused', proxies })
}

/** What tRPC calls the first message where the URL says `?connectionParams=1`. */
const connectionParams = paramsOpening({ kind: 'method', name: 'connectionParams', params: 'data' })
