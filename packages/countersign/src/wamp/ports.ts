/** What a router is lent: time, randomness, and a socket a connection. */
import type { Lease } from '../core/lease.ts'
import type { Clock } from '../core/ports.ts'
import type { Dict, RouterMessage } from './messages.ts'

/** A timer that was set. */
export interface Timer {
  /** Unsets it; without effect once it has fired. */
  cancel(): void
}

/** Lent to a router once. */
export interface RouterPorts {
  readonly clock: Clock
  /** A session or publication id: uniform in [1, 2^53] (WAMP, basic profile, "Identifiers"), cryptographically random. */
  randomId(): number
  /** Uniform in [0, below), for choices that need not be secret: which callee of a shared registration. */
  pick(below: number): number
  /** Calls `fire` once, after `ms`. Must not keep the process alive. */
  after(ms: number, fire: () => void): Timer
}

/** The socket of one connection, as a connection sees it. */
export interface Transport {
  /**
   * Serialises and queues one message; what is queued leaves at the end of the turn, in order. Never throws; a socket that
   * is gone swallows it, a queue that is full ends the connection after this call.
   */
  send(message: RouterMessage): void
  /** Drops what waits because the peer does not read: after the end of a session nothing of it is delivered. */
  clear(): void
  /**
   * Lets out what is queued, then closes. Nothing is received any more.
   * @param code WebSocket close code (RFC 6455 §7.4); transports without codes just close
   */
  close(code: number, reason: string): void
  /** The session was welcomed: the connection leaves the pool of those who wait for acceptance. */
  joined(identity: TransportIdentity): void
  /**
   * The session has ended and the transport stays (GOODBYE on both sides): it waits for acceptance again.
   * @returns `false`: there is no room to wait, close it
   */
  parted(): boolean
  /** Whoever was remembered for this client (its cookie) is forgotten: the session was killed or has logged out. */
  forget(): void
}

/** Whom a transport may remember under its cookie. */
export interface TransportIdentity {
  readonly realm: string
  readonly authid: string
  readonly authrole: string
  /** Name of the method that proved it; `anonymous` and `cookie` prove nothing new. */
  readonly authmethod: string
  readonly authextra: Dict
  /** What the acceptance yielded: whoever is remembered is remembered under the same grant, and no longer. */
  readonly lease: Lease
}
