/** Events of the application behind the door of Socket.IO clients, and a namespace that it has no rules for. Server and pages share them. */
export const socketIoWords = {
  /** `Hello alice!`, once, when the namespace has let somebody in. */
  greeting: 'greeting',
  /** Acknowledged with its first argument. */
  echo: 'echo',
  /** For administrators: everybody hears its first argument. */
  announce: 'announce',
  /** Nobody's: no row of the policy names it. */
  unknown: 'unheard-of',
  /** A number, and how long the lease holds yet, ms. */
  tick: 'tick',
  /** A namespace without a row. */
  unlisted: '/unlisted',
} as const

/** Events that a case may send. */
export type SocketIoEvent = 'echo' | 'announce' | 'unknown'
