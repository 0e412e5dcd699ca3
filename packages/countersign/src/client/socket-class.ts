/** A class for libraries that open and reopen sockets themselves. */
import { CredentialMemory } from './memory.ts'
import { CountersignSocket } from './socket.ts'
import type { SocketOptions } from './socket-options.ts'

/** The constructor that such libraries expect. */
export interface SocketClass {
  new (url: string | URL, protocols?: string | string[]): CountersignSocket
  readonly CONNECTING: 0
  readonly OPEN: 1
  readonly CLOSING: 2
  readonly CLOSED: 3
  /** What its sockets remember together; `forget()` once somebody has logged in anew. */
  readonly memory: CredentialMemory
}

/**
 * `webSocketImpl` of graphql-ws, `WebSocketPolyfill` of y-websocket, `WebSocket` of partysocket: each instance is one
 * connection, which authenticates and renews itself and is reopened by the library. The class remembers for all of them:
 * a refused credential is not shown again, a pause that the server asked for is kept, and after an end that is final the
 * next socket closes at once with the same code, without any traffic.
 */
export function socketClass(options: Omit<SocketOptions, 'protocols' | 'reconnect'>): SocketClass {
  const memory = options.memory ?? new CredentialMemory()
  return class extends CountersignSocket {
    static readonly memory = memory
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, { ...options, memory, protocols, reconnect: false })
    }
  }
}
