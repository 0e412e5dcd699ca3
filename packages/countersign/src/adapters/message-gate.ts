/** Holds what arrives on one socket to a policy: in order, and never beyond the lease. */
import { isThenable } from '../core/drive.ts'
import type { Guard } from '../core/guard.ts'
import { judge, type Judged, type Judgement } from '../core/judgement.ts'
import type { Lease } from '../core/lease.ts'
import { Meter } from '../core/message-rate.ts'
import { excessRate, overallRate, type Policy } from '../core/policy.ts'
import { errorFrame, type MessageError } from './frames.ts'
import type { GatedSocket, MessageFilter } from './gated-socket.ts'
import { awaitJudgement } from './message-judging.ts'
import { bytesOf, readMessage, type InboundMessage } from './inbound-message.ts'

/** Whose messages are judged. */
interface Speaker {
  readonly socket: GatedSocket
  readonly lease: Lease
}

/** A message as `ws` emits it. */
interface Frame {
  readonly data: unknown
  readonly isBinary: boolean
}

/** A message under its row. */
interface Question extends Judged, Frame {
  readonly id: string | number | undefined
}

/** A peer that leaves so much unread is not told of its refusals any more, bytes. */
const maxUnread = 65_536
/** Beyond the rate longer messages are not read to name them in the refusal: reading is what they would cost. */
const maxReadBeyond = 1_024
const tooMany: InboundMessage = {
  kind: 'refused',
  reason: 'too_many_attempts',
  action: undefined,
  id: undefined,
}

/**
 * One for each socket. What needs no waiting passes in the call in which it arrives, without a promise; while one message
 * is waited for, those behind it queue, and the peer is not read beyond half of the queue's bounds.
 */
export class MessageGate implements MessageFilter {
  readonly #policy: Policy
  readonly #guard: Guard
  readonly #socket: GatedSocket
  readonly #lease: Lease
  readonly #meter: Meter
  #queue: Frame[] = []
  #queuedBytes = 0
  /** A judgement is awaited. */
  #waits = false
  /** This gate has paused the socket, and nobody else. */
  #pauses = false
  /** What passes right now: the socket's own `emit` asks about it again. */
  #passing: unknown = undefined
  /** Whether that `emit` found the lease open. */
  #emitted = false

  constructor(policy: Policy, guard: Guard, { socket, lease }: Speaker) {
    this.#policy = policy
    this.#guard = guard
    this.#socket = socket
    this.#lease = lease
    this.#meter = new Meter(policy.rates, guard.now())
  }

  /** See `MessageFilter`. */
  admits(data: unknown, isBinary: boolean): boolean {
    if (this.#passing !== undefined && this.#passing === data) {
      this.#emitted = true
      return true
    }
    if (!this.#isOpen()) return false
    if (this.#waits || this.#queue.length > 0) this.#enqueue({ data, isBinary })
    else this.#take({ data, isBinary })
    return false
  }

  /** Once a side has begun to close there is nobody to answer. */
  #isOpen(): boolean {
    return !this.#lease.over() && this.#socket.readyState === this.#socket.OPEN
  }

  /** Size, form, rate, and the row that decides; then whatever the row asks for. */
  #take(frame: Frame): void {
    const retryInMs = this.#meter.spend(overallRate, this.#guard.now())
    const unread = retryInMs > 0 && bytesOf(frame.data) > maxReadBeyond
    const inbound = unread ? tooMany : readMessage(frame, this.#policy.limits)
    if (retryInMs > 0) {
      this.#refuseExcess(inbound, retryInMs)
      return
    }
    const { principal } = this.#lease
    if (inbound.kind === 'refused') this.#refuse(inbound)
    else if (inbound.kind === 'binary') {
      if (this.#policy.allowsBinary(principal)) this.#emit(frame)
      else this.#refuse({ reason: 'forbidden', action: undefined, id: undefined })
    } else {
      const { action, id, message } = inbound
      const rule = this.#policy.ruleFor(principal, action)
      // After the rule: nobody learns by a rate which actions there are.
      if (rule === undefined) this.#refuse({ reason: 'forbidden', action, id })
      else if (this.#spend(this.#policy.rateOf(rule), inbound)) {
        const { data, isBinary } = frame
        this.#judge({ rule, principal, action, message, id, data, isBinary })
      }
    }
  }

  #judge(question: Question): void {
    const judgement = judge(this.#policy, question, this.#guard)
    if (isThenable(judgement)) void this.#await(question, judgement)
    else this.#conclude(question, judgement)
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
    this.#goOn(asked, judgement)
  }

  #goOn(question: Question, judgement: Judgement): void {
    this.#waits = false
    try {
      if (this.#isOpen()) this.#conclude(question, judgement)
    } catch (error) {
      this.#drainLater()
      throw error
    }
    this.#drain()
  }

  /** A listener has thrown: what is behind goes on in a turn of its own, and the error where it would have gone. */
  #drainLater(): void {
    queueMicrotask(() => this.#drain())
  }

  #conclude(question: Question, judgement: Judgement): void {
    const { rule, action, id } = question
    if (judgement.kind === 'refused') {
      this.#refuse({ reason: judgement.reason, action, id, issues: judgement.issues })
      return
    }
    // A listener of `message` may have ended the lease, or closed the socket.
    if (!this.#emit(question) || !this.#isOpen()) return
    const { value, resource } = judgement
    this.#socket.emit('action', { rule: rule.name, action, value, resource, id })
  }

  /** @returns whether the socket's own gate let it through */
  #emit({ data, isBinary }: Frame): boolean {
    this.#passing = data
    this.#emitted = false
    try {
      this.#socket.emit('message', data, isBinary)
    } finally {
      this.#passing = undefined
    }
    return this.#emitted
  }

  #enqueue(frame: Frame): void {
    const { maxQueued, maxQueuedBytes } = this.#policy.limits
    const bytes = this.#queuedBytes + bytesOf(frame.data)
    if (this.#queue.length >= maxQueued || bytes > maxQueuedBytes) {
      this.#refuse({ reason: 'overloaded', action: undefined, id: undefined })
      this.#exceed()
      return
    }
    this.#queue.push(frame)
    this.#queuedBytes = bytes
    if (this.#queue.length * 2 < maxQueued && bytes * 2 < maxQueuedBytes) return
    // What `ws` has read already still arrives: the other half of the queue is for that.
    if (this.#socket.isPaused) return
    this.#pauses = true
    this.#socket.pause()
  }

  #drain(): void {
    if (!this.#isOpen()) {
      this.#queue = []
      this.#queuedBytes = 0
    }
    while (!this.#waits) {
      const frame = this.#queue.shift()
      if (frame === undefined) break
      this.#queuedBytes -= bytesOf(frame.data)
      try {
        if (this.#isOpen()) this.#take(frame)
      } catch (error) {
        this.#drainLater()
        throw error
      }
    }
    if (this.#pauses && this.#queue.length === 0) {
      this.#pauses = false
      this.#socket.resume()
    }
  }

  /** @returns whether there was a message left of this limit */
  #spend(limit: number | undefined, inbound: InboundMessage): boolean {
    if (limit === undefined) return true
    const retryInMs = this.#meter.spend(limit, this.#guard.now())
    if (retryInMs > 0) this.#refuseExcess(inbound, retryInMs)
    return retryInMs === 0
  }

  #refuseExcess({ action, id }: InboundMessage, retryInMs: number): void {
    this.#refuse({ reason: 'too_many_attempts', action, id, retryInMs })
    this.#exceed()
  }

  /** Beyond what a policy bears with, the lease ends, and with it the socket. */
  #exceed(): void {
    const now = this.#guard.now()
    if (!this.#policy.closes || this.#meter.spend(excessRate, now) === 0) return
    this.#lease.apply({ kind: 'ended', reason: 'too_many_attempts' }, now)
  }

  #refuse(error: MessageError): void {
    if (this.#socket.bufferedAmount <= maxUnread) this.#socket.send(errorFrame(error))
  }
}
