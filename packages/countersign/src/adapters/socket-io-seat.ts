/** One namespace on one transport: its socket, its lease, and what may not be written to it yet. */
import type { Socket } from 'socket.io'
import type { Lease } from '../core/lease.ts'
import { reasons, retryAfterSeconds, type Advice, type Reason } from '../core/reasons.ts'

/** A packet as Socket.IO hands it to its transport. */
export type Write = Parameters<Socket['conn']['write']>

/** Taken by a CONNECT, left by its refusal or by the socket's end. */
export class Seat {
  readonly namespace: string
  /** The transport that it belongs to. */
  readonly transport: SeatTransport
  /** Set once the namespace is asked whether it accepts. */
  socket: Socket | undefined = undefined
  lease: Lease | undefined = undefined
  /** Whether CONNECT has been answered by CONNECT. */
  accepted = false
  /** Whether the client wants to hear `auth_expiring`. */
  expiring = false
  /**
   * What was written before the answer: recovery sends what was missed before anyone is asked, and it is for nobody
   * who is then refused.
   */
  held: Write[] = []

  constructor(namespace: string, transport: SeatTransport) {
    this.namespace = namespace
    this.transport = transport
  }
}

/** What a seat needs of its transport. */
export interface SeatTransport {
  /** Whether nothing passes any more in either direction. */
  readonly over: boolean
  /** Packets that wait for the transport. */
  readonly unread: number
  /** Writes a packet of the guard's own, unless the transport is over. */
  say(packet: string): void
  /** Takes the seat away; the transport waits for acceptance again if it was the last one. */
  vacate(seat: Seat): void
  /** A lease of this transport has ended. */
  end(reason: Reason): void
}

/** What a client is told with a refusal, and at the end: `err.data` of `connect_error`, argument of `auth_end`. */
export interface ToldRefusal {
  readonly reason: Reason
  /** What the client should do; see `reasons`. */
  readonly advice: Advice
  /** Seconds to wait, where there is something to wait for. */
  readonly retry_in?: number
}

/** A refusal in the words of the table. */
export function tell(reason: Reason, retryAfterMs?: number): ToldRefusal {
  const { advice } = reasons[reason]
  const waits = advice === 'wait' || advice === 'back_off'
  const seconds = retryAfterMs === undefined ? retryAfterSeconds : Math.ceil(retryAfterMs / 1_000)
  return waits || retryAfterMs !== undefined ? { reason, advice, retry_in: seconds } : { reason, advice }
}

/** The error by which a middleware refuses: Socket.IO sends its `message` and `data` as `connect_error`. */
export class ConnectRefusal extends Error {
  readonly data: ToldRefusal

  constructor(data: ToldRefusal) {
    super(data.reason)
    this.name = 'ConnectRefusal'
    this.data = data
  }
}
