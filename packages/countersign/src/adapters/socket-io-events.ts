/** Holds what arrives at one Socket.IO socket to a policy: in order, before any listener, and never beyond the lease. */
import type { Socket } from 'socket.io'
import type { Guard } from '../core/guard.ts'
import type { Judged, Judgement } from '../core/judgement.ts'
import type { Lease } from '../core/lease.ts'
import type { Message, MessageReason } from '../core/policy-options.ts'
import type { Policy } from '../core/policy.ts'
import type { MessageError } from './frames.ts'
import { JudgedLine, type Counter } from './judged-line.ts'
import { isEventName, packetText, weigh } from './socket-io-packets.ts'
import type { Seat } from './socket-io-seat.ts'

/** An event. */
export interface EventPacket {
  /** The event's name, then its arguments. */
  readonly data: readonly unknown[]
  /** Present where the client awaits an acknowledgement. */
  readonly id: number | undefined
}

/** An event as Socket.IO has decoded it. */
export type DecodedPacket = Parameters<Socket['_onpacket']>[0]

const nothing: readonly unknown[] = Object.freeze([])

/** A peer that leaves so much unread is not told of its refusals any more, bytes. */
const maxUnread = 65_536

/** An event that was weighed. */
interface Weighed extends EventPacket {
  /** As it came. */
  readonly packet: DecodedPacket
  /** Its name. */
  readonly action: string
  readonly bytes: number
}

/** An event under its row. */
interface Question extends Judged {
  readonly packet: DecodedPacket
  readonly id: number | undefined
}

/** Whose events are judged, and where they go. */
export interface Speaker {
  readonly guard: Guard
  readonly seat: Seat
  readonly lease: Lease
  /** Hands an event to the application's listeners, or to whoever renews leases, as it came. */
  pass(packet: DecodedPacket): void
  /** As `pass`, with what a schema has made of it. Its data is theirs: Socket.IO adds the acknowledgement to it. */
  passInstead(event: EventPacket): void
  /** Whether an event is the guard's own, which no row names. */
  isOwn(name: string): boolean
}

/** One for each socket of a namespace with a policy. */
export class EventGate implements Counter<Weighed, Question> {
  readonly lease: Lease
  readonly #policy: Policy
  readonly #seat: Seat
  readonly #speaker: Speaker
  readonly #line: JudgedLine<Weighed, Question>

  constructor(policy: Policy, speaker: Speaker) {
    this.lease = speaker.lease
    this.#policy = policy
    this.#seat = speaker.seat
    this.#speaker = speaker
    this.#line = new JudgedLine(policy, speaker.guard, this)
  }

  /** An event has arrived. */
  takes(packet: DecodedPacket): void {
    const { id } = packet
    const data: readonly unknown[] = Array.isArray(packet.data) ? packet.data : nothing
    const name = data[0]
    const action = isEventName(name) ? name : undefined
    const now = this.#speaker.guard.now()
    const retryInMs = this.#line.spendOverall(now)
    if (retryInMs > 0) {
      this.#refuseExcess({ action, id }, retryInMs)
      return
    }
    const weight = weigh(data, this.#policy.limits)
    if (weight.kind === 'refused') this.#refuse({ reason: weight.reason, action, id })
    else if (action === undefined) this.#refuse({ reason: 'protocol_violation', action, id })
    else if (weight.binary && !this.#policy.allowsBinary(this.lease.principal))
      this.#refuse({ reason: 'forbidden', action, id })
    else this.#line.join({ packet, data, id, action, bytes: weight.bytes }, now)
  }

  /** An acknowledgement has arrived: it counts as a message, and keeps to the bounds of one. @returns whether it may pass */
  admitsAck({ data }: DecodedPacket): boolean {
    const isEarly = this.#line.spendOverall(this.#speaker.guard.now()) > 0
    const reason = isEarly ? 'too_many_attempts' : this.#misfit(data)
    if (reason === undefined) return true
    // Its sender is not told: nothing answers an answer.
    this.#line.tell({ reason, action: undefined })
    if (isEarly) this.#line.exceed()
    return false
  }

  #misfit(data: unknown): MessageReason | undefined {
    if (!Array.isArray(data)) return 'protocol_violation'
    const weight = weigh(data, this.#policy.limits)
    if (weight.kind === 'refused') return weight.reason
    return weight.binary && !this.#policy.allowsBinary(this.lease.principal) ? 'forbidden' : undefined
  }

  /** See `Counter`. */
  isOpen(): boolean {
    return !this.#seat.transport.over && !this.lease.over()
  }

  /** See `Counter`. */
  bytesOf({ bytes }: Weighed): number {
    return bytes
  }

  /** The row that decides; then whatever the row asks for. */
  take({ packet, action, data, id }: Weighed, now: number): void {
    if (this.#speaker.isOwn(action)) {
      this.#speaker.pass(packet)
      return
    }
    const { principal } = this.lease
    const rule = this.#policy.ruleFor(principal, action)
    const message = { type: action, args: data.slice(1) }
    // After the rule: nobody learns by a rate which events there are.
    if (rule === undefined) this.#refuse({ reason: 'forbidden', action, id }, message)
    else {
      const retryInMs = this.#line.spend(this.#policy.rateOf(rule), now)
      if (retryInMs > 0) this.#refuseExcess({ action, id }, retryInMs, message)
      else this.#line.judge({ rule, principal, action, message, packet, id })
    }
  }

  /** What passes is what the schema made of it; without one, what came. */
  conclude({ rule, action, message, packet, id }: Question, judgement: Judgement): void {
    if (judgement.kind === 'refused') {
      this.#refuse({ reason: judgement.reason, action, id, issues: judgement.issues }, message)
      return
    }
    if (rule.schema === undefined) {
      this.#speaker.pass(packet)
      return
    }
    const args = argsOf(judgement.value)
    if (args === undefined) this.#refuse({ reason: 'invalid_message', action, id }, message)
    else this.#speaker.passInstead({ data: [action, ...args], id })
  }

  /** See `Counter`. */
  overflow({ id }: Weighed): void {
    this.#refuse({ reason: 'overloaded', action: undefined, id })
  }

  /** Nothing to do: Engine.IO reads on, and what is beyond the queue is refused. */
  slow(): void {}

  /** Nothing to do, see `slow`. */
  resume(): void {}

  #refuseExcess(what: Pick<MessageError, 'action' | 'id'>, retryInMs: number, message?: Message): void {
    this.#refuse({ reason: 'too_many_attempts', ...what, retryInMs }, message)
    this.#line.exceed()
  }

  /** To the acknowledgement where one is awaited, else as an event. */
  #refuse({ reason, action, id, retryInMs, issues }: MessageError, message?: Message): void {
    this.#line.tell({ reason, action }, message)
    const { namespace, transport } = this.#seat
    if (transport.unread > maxUnread) return
    const retry_in = retryInMs === undefined ? undefined : retryInMs / 1_000
    const error = { reason, action, retry_in, issues }
    const packet =
      typeof id === 'number'
        ? packetText('ack', { namespace, id, data: [{ error }] })
        : packetText('event', { namespace, data: ['auth_error', error] })
    transport.say(packet)
  }
}

/** The arguments of a message that passed; a schema may have made something else of it, which is no event. */
function argsOf(value: unknown): readonly unknown[] | undefined {
  const args: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'args') : undefined
  return Array.isArray(args) ? args : undefined
}
