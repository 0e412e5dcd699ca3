/** The event `auth`: a fresh credential on a live Socket.IO socket, or the answer to a challenge. */
import type { Guard } from '../core/guard.ts'
import type { Handshake } from '../core/handshake.ts'
import { InBand, type InBandSocket } from './in-band.ts'
import type { Lease } from '../core/lease.ts'
import { authMessage, type AuthWord } from './socket-io-auth.ts'
import type { EventPacket } from './socket-io-events.ts'
import { packetText, weigh } from './socket-io-packets.ts'
import type { Seat } from './socket-io-seat.ts'

/** Bounds of an `auth` event: as of a first message. */
const limits = { maxBytes: 16_384, maxDepth: 8, maxQueued: 1, maxQueuedBytes: 16_384, deadlineMs: 1 }

/** One for each socket: Countersign's own frames, carried by an event and its acknowledgement. */
export class Renewal implements InBandSocket {
  readonly #guard: Guard
  readonly #seat: Seat
  readonly #handshake: Handshake
  /** Made for the first event: most connections never renew. */
  #inBand: InBand | undefined
  /** Of the acknowledgement that awaits the answer. */
  #ackId: number | undefined

  constructor(guard: Guard, seat: Seat, handshake: Handshake) {
    this.#guard = guard
    this.#seat = seat
    this.#handshake = handshake
  }

  /** See `InBandSocket`. */
  get lease(): Lease | undefined {
    return this.#seat.lease
  }

  /**
   * Takes `auth` with `{ token }`, `{ ticket }` or `{ access_token }`, `{ authid, methods }` or `{ signature }`. A second
   * one while the first is judged breaks the protocol and ends the lease.
   */
  takes({ data, id }: EventPacket): void {
    const [, shown] = data
    const fits = weigh(data, limits).kind === 'weighed'
    const members = fits && typeof shown === 'object' && shown !== null ? shown : {}
    this.#ackId = id
    this.#inBand ??= new InBand(this.#guard, this, { handshake: this.#handshake, form: 'auth' })
    this.#inBand.takes(Buffer.from(authMessage(wordOf(members), members)))
  }

  /** See `InBandSocket`: what would be a frame is the acknowledgement, or an event of the frame's type. */
  send(frame: string): void {
    const { namespace, transport } = this.#seat
    const said: unknown = JSON.parse(frame)
    const id = this.#ackId
    this.#ackId = undefined
    const type: unknown = typeof said === 'object' && said !== null ? Reflect.get(said, 'type') : undefined
    transport.say(
      id === undefined
        ? packetText('event', { namespace, data: [type, said] })
        : packetText('ack', { namespace, id, data: [said] }),
    )
  }

  /** The socket has gone: nobody is left to answer. */
  gone(): void {
    this.#inBand?.gone()
  }
}

function wordOf(members: object): AuthWord {
  if (Object.hasOwn(members, 'signature')) return 'authenticate'
  return Object.hasOwn(members, 'authid') ? 'hello' : 'auth'
}
