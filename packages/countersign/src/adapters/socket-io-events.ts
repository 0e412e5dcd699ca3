/** Holds what arrives at one Socket.IO socket to a policy: in order, before any listener, and never beyond the lease. */
import { isThenable } from '../core/drive.ts'
import type { Guard } from '../core/guard.ts'
import { judge, type Judged, type Judgement } from '../core/judgement.ts'
import type { Lease } from '../core/lease.ts'
import { Meter } from '../core/message-rate.ts'
import { excessRate, overallRate, type Policy } from '../core/policy.ts'
import type { MessageError } from './frames.ts'
import { awaitJudgement } from './message-judging.ts'
import { isEventName, packetText, weigh } from './socket-io-packets.ts'
import type { Seat } from './socket-io-seat.ts'

/** An event as Socket.IO has decoded it. */
export interface EventPacket {
  /** The event's name, then its arguments. */
  readonly data: readonly unknown[]
  /** Present where the client awaits an acknowledgement. */
  readonly id: number | undefined
}

/** A peer that leaves so much unread is not told of its refusals any more, bytes. */
const maxUnread = 65_536

/** An event that was weighed, or one that is answered by its refusal alone. */
interface Weighed extends EventPacket {
  readonly bytes: number
}

/** An event under its row. */
interface Question extends Judged {
  readonly packet: EventPacket
}

/** Whose events are judged, and where they go. */
export interface Speaker {
  readonly guard: Guard
  readonly seat: Seat
  readonly lease: Lease
  /** Hands an event to the application's listeners, or to whoever renews leases. */
  pass(packet: EventPacket): void
  /** Whether an event is the guard's own, which no row names. */
  isOwn(name: string): boolean
}

/** One for each socket of a namespace with a policy. What needs no waiting passes in the call in which it arrives. */
export class EventGate {
  readonly #policy: Policy
  readonly #guard: Guard
  readonly #seat: Seat
  readonly #lease: Lease
  readonly #speaker: Speaker
  readonly #meter: Meter
  #queue: Weighed[] = []
  #queuedBytes = 0
  /** A judgement is awaited. */
  #waits = false

  constructor(policy: Policy, speaker: Speaker) {
    this.#policy = policy
    this.#guard = speaker.guard
    this.#seat = speaker.seat
    this.#lease = speaker.lease
    this.#speaker = speaker
    this.#meter = new Meter(policy.rates, speaker.guard.now())
  }

  /** An event has arrived. */
  takes(packet: EventPacket): void {
    const name = packet.data[0]
    const action = isEventName(name) ? name : undefined
    const retryInMs = this.#meter.spend(overallRate, this.#guard.now())
    if (retryInMs > 0) {
      this.#refuseExcess({ action, id: packet.id }, retryInMs)
      return
    }
    const weight = weigh(packet.data, this.#policy.limits)
    if (weight.kind === 'refused') this.#refuse({ reason: weight.reason, action, id: packet.id })
    else if (action === undefined) this.#refuse({ reason: 'protocol_violation', action, id: packet.id })
    else if (weight.binary && !this.#policy.allowsBinary(this.#lease.principal))
      this.#refuse({ reason: 'forbidden', action, id: packet.id })
    else if (this.#waits || this.#queue.length > 0) this.#enqueue({ ...packet, bytes: weight.bytes })
    else this.#decide(packet)
  }

  /** An acknowledgement has arrived: it counts as a message. @returns whether it may pass */
  admitsAck(): boolean {
    if (this.#meter.spend(overallRate, this.#guard.now()) === 0) return true
    this.#exceed()
    return false
  }

  #isOpen(): boolean {
    return !this.#seat.transport.over && !this.#lease.over()
  }

  /** The row that decides; then whatever the row asks for. */
  #decide(packet: EventPacket): void {
    const name = packet.data[0]
    if (!isEventName(name)) return
    if (this.#speaker.isOwn(name)) {
      this.#speaker.pass(packet)
      return
    }
    const { principal } = this.#lease
    const rule = this.#policy.ruleFor(principal, name)
    // After the rule: nobody learns by a rate which events there are.
    if (rule === undefined) this.#refuse({ reason: 'forbidden', action: name, id: packet.id })
    else if (this.#spend(this.#policy.rateOf(rule), packet)) {
      const question = {
        rule,
        principal,
        action: name,
        message: { type: name, args: packet.data.slice(1) },
        packet,
      }
      const judgement = judge(this.#policy, question, this.#guard)
      if (isThenable(judgement)) void this.#await(question, judgement)
      else this.#conclude(question, judgement)
    }
  }

  async #await(question: Question, first: PromiseLike<Judgement>): Promise<void> {
    this.#waits = true
    const court = {
      policy: this.#policy,
      guard: this.#guard,
      lease: this.#lease,
      isOpen: () => this.#isOpen(),
    }
    const { asked, judgement } = await awaitJudgement(court, question, first)
    this.#waits = false
    if (this.#isOpen()) this.#conclude(asked, judgement)
    this.#drain()
  }

  /** What passes is what the schema made of it. */
  #conclude(question: Question, judgement: Judgement): void {
    const { action, packet } = question
    if (judgement.kind === 'refused') {
      this.#refuse({ reason: judgement.reason, action, id: packet.id, issues: judgement.issues })
      return
    }
    const args = argsOf(judgement.value)
    if (args === undefined) this.#refuse({ reason: 'invalid_message', action, id: packet.id })
    else this.#speaker.pass({ data: [action, ...args], id: packet.id })
  }

  #enqueue(packet: Weighed): void {
    const { maxQueued, maxQueuedBytes } = this.#policy.limits
    const bytes = this.#queuedBytes + packet.bytes
    if (this.#queue.length >= maxQueued || bytes > maxQueuedBytes) {
      this.#refuse({ reason: 'overloaded', action: undefined, id: packet.id })
      this.#exceed()
      return
    }
    this.#queue.push(packet)
    this.#queuedBytes = bytes
  }

  #drain(): void {
    while (!this.#waits) {
      const packet = this.#queue.shift()
      if (packet === undefined) return
      this.#queuedBytes -= packet.bytes
      if (this.#isOpen()) this.#decide(packet)
    }
  }

  /** @returns whether there was a message left of this limit */
  #spend(limit: number | undefined, { data, id }: EventPacket): boolean {
    if (limit === undefined) return true
    const retryInMs = this.#meter.spend(limit, this.#guard.now())
    const [name] = data
    if (retryInMs > 0) this.#refuseExcess({ action: isEventName(name) ? name : undefined, id }, retryInMs)
    return retryInMs === 0
  }

  #refuseExcess(what: Pick<MessageError, 'action' | 'id'>, retryInMs: number): void {
    this.#refuse({ reason: 'too_many_attempts', ...what, retryInMs })
    this.#exceed()
  }

  /** Beyond what a policy bears with, the lease ends, and with it the transport. */
  #exceed(): void {
    const now = this.#guard.now()
    if (!this.#policy.closes || this.#meter.spend(excessRate, now) === 0) return
    this.#lease.apply({ kind: 'ended', reason: 'too_many_attempts' }, now)
  }

  /** To the acknowledgement where one is awaited, else as an event. */
  #refuse({ reason, action, id, retryInMs, issues }: MessageError): void {
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
