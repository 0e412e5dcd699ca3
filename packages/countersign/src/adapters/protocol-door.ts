/** A guard before a `ws` server that speaks a protocol of its own, with a first message of its own. */
import type { Server } from 'node:http'
import type { WebSocketServer } from 'ws'
import type { Guard } from '../core/guard.ts'
import { judgeUpgrades } from './http.ts'
import type { Opening } from './opening.ts'
import type { ProxyOptions } from './proxies.ts'
import { guardedSide } from './ws-side.ts'

/** The door of one server. */
export interface ProtocolDoor {
  /** Stops judging, and ends the sockets of this server with 1001. The guard is its owner's to close. */
  close(): void
}

/** What the protocol is like. */
interface DoorOptions {
  readonly opening: Opening
  /** Whether a credential in the first message, beside one in the handshake, is refused. @default it is the application's */
  readonly late?: 'refused'
  readonly proxies: ProxyOptions | undefined
}

/**
 * Judges every upgrade of `server`; accepted sockets are `connection` events of `wss`.
 * @throws MisuseError when `wss` listens by itself
 */
export function protocolDoor(
  server: Server,
  wss: WebSocketServer,
  guard: Guard,
  { opening, late, proxies }: DoorOptions,
): ProtocolDoor {
  const side = guardedSide(wss, guard, { opening, late })
  const listener = judgeUpgrades(guard, side, proxies === undefined ? {} : { proxies })
  server.on('upgrade', listener)
  return {
    close() {
      server.off('upgrade', listener)
      side.shutDown()
    },
  }
}
