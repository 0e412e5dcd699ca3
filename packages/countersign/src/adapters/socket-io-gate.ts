/** What arrives at one Socket.IO socket, before any of its listeners, `onAny` included. */
import type { Socket } from 'socket.io'
import type { Guard } from '../core/guard.ts'
import type { Lease } from '../core/lease.ts'
import type { Policy } from '../core/policy.ts'
import { EventGate, type DecodedPacket, type EventPacket, type Speaker } from './socket-io-events.ts'
import { decodedTypes } from './socket-io-packets.ts'
import { Renewal } from './socket-io-renewal.ts'
import type { Seat } from './socket-io-seat.ts'
import type { Visit } from './socket-io-visit.ts'

/** The event that is Countersign's own. */
const ownEvent = 'auth'

/** A socket with everything that judges what it says. */
interface Gated {
  readonly socket: Socket
  readonly door: { readonly guard: Guard; readonly events: Policy | undefined }
  readonly visit: Visit
  readonly seat: Seat
  readonly lease: Lease
}

/**
 * Puts itself where Socket.IO hands decoded packets to a socket: its own middlewares (`socket.use`) come after `onAny`.
 * @returns what renews the lease; tell it when the socket is gone
 */
export function bindGate({ socket, door, visit, seat, lease }: Gated): Renewal {
  const { guard, events } = door
  const renewal = new Renewal(guard, seat, visit.handshake)
  // oxlint-disable-next-line unbound-method -- called upon its own object: a bound function costs more at every packet
  const onPacket = socket._onpacket
  const deliver = (packet: DecodedPacket): void => onPacket.call(socket, packet)
  const speaker: Speaker = {
    guard,
    seat,
    lease,
    isOwn: (name) => name === ownEvent,
    pass: (packet) => {
      const { data, id } = packet
      if (Array.isArray(data) && data[0] === ownEvent) renewal.takes({ data, id })
      else deliver(packet)
    },
    passInstead: (event) => deliver(decoded(socket, event)),
  }
  const gate = events === undefined ? undefined : new EventGate(events, speaker)
  socket._onpacket = (packet) => {
    if (!visit.passes()) return
    const type: number = packet.type
    if (type === decodedTypes.event) {
      if (gate !== undefined) gate.takes(packet)
      else speaker.pass(packet)
    } else if (type !== decodedTypes.ack || gate === undefined) deliver(packet)
    else if (gate.admitsAck(packet)) deliver(packet)
  }
  return renewal
}

/** As Socket.IO's decoder makes it. */
function decoded(socket: Socket, { data, id }: EventPacket): DecodedPacket {
  const nsp = socket.nsp.name
  const type = decodedTypes.event
  return id === undefined ? { type, nsp, data } : { type, nsp, data, id }
}
