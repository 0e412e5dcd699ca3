/** The WebSocket beneath: the runtime's own, or the class of the package `ws`. */

/** The members that are used of a base socket's events. */
export interface BaseEvent {
  readonly type: string
  readonly data?: unknown
  readonly origin?: string
  readonly message?: unknown
  readonly code?: number
  readonly reason?: string
  readonly wasClean?: boolean
}

/** The members that are used of a base socket. */
export interface BaseSocket {
  readonly readyState: number
  readonly bufferedAmount: number
  readonly extensions: string
  readonly protocol: string
  binaryType: string
  send(data: string | ArrayBufferLike | ArrayBufferView | Blob): void
  close(code?: number, reason?: string): void
  addEventListener(type: 'open' | 'message' | 'close' | 'error', listener: (event: BaseEvent) => void): void
}

/** A class of such sockets. */
export type BaseSocketClass = new (url: string, protocols?: string[]) => BaseSocket

/**
 * What is lent by page, worker or process: `online`, `offline` and `visibilitychange` are heard on it. `globalThis` has
 * all of it in browsers and nothing in Node.
 */
export interface Surroundings {
  addEventListener?(type: string, listener: () => void): void
  removeEventListener?(type: string, listener: () => void): void
  readonly navigator?: object | undefined
}
