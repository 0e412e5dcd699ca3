/** Holds what arrives on one socket to a policy: in order, and never beyond the lease. */
import type { Guard } from '../core/guard.ts'
import type { Judged, Judgement } from '../core/judgement.ts'
import type { Lease } from '../core/lease.ts'
import type { Message } from '../core/policy-options.ts'
import type { Policy } from '../core/policy.ts'
import { errorFrame, type MessageError } from './frames.ts'
import type { GatedSocket, MessageFilter } from './gated-socket.ts'
import { bytesOf, readMessage, type InboundMessage } from './inbound-message.ts'
import { JudgedLine, type Counter } from './judged-line.ts'

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

/** One for each socket. The peer is not read beyond half of the queue's bounds. */
export class MessageGate implements MessageFilter, Counter<Frame, Question> {
  readonly lease: Lease
  readonly #policy: Policy
  readonly #guard: Guard
  readonly #socket: GatedSocket
  readonly #line: JudgedLine<Frame, Question>
  /** This gate has paused the socket, and nobody else. */
  #pauses = false
  /** What passes right now: the socket's own `emit` asks about it again. */
  #passing: unknown = undefined
  /** Whether that `emit` found the lease open. */
  #emitted = false

  constructor(policy: Policy, guard: Guard, { socket, lease }: Speaker) {
    this.lease = lease
    this.#policy = policy
    this.#guard = guard
    this.#socket = socket
    this.#line = new JudgedLine(policy, guard, this)
  }

  /** See `MessageFilter`. */
  admits(data: unknown, isBinary: boolean): boolean {
    if (this.#passing !== undefined && this.#passing === data) {
      this.#emitted = true
      return true
    }
    if (this.isOpen()) this.#line.join({ data, isBinary }, this.#guard.now())
    return false
  }

  /** See `Counter`. */
  isOpen(): boolean {
    return !this.lease.over() && this.#socket.readyState === this.#socket.OPEN
  }

  /** See `Counter`. */
  bytesOf({ data }: Frame): number {
    return bytesOf(data)
  }

  /** Size, form, rate, and the row that decides; then whatever the row asks for. */
  take(frame: Frame, now: number): void {
    const retryInMs = this.#line.spendOverall(now)
    const unread = retryInMs > 0 && bytesOf(frame.data) > maxReadBeyond
    const inbound = unread ? tooMany : readMessage(frame, this.#policy.limits)
    if (retryInMs > 0) {
      this.#refuseExcess(inbound, retryInMs)
      return
    }
    const { principal } = this.lease
    if (inbound.kind === 'refused') this.#refuse(inbound)
    else if (inbound.kind === 'binary') {
      if (this.#policy.allowsBinary(principal)) this.#emit(frame)
      else this.#refuse({ reason: 'forbidden', action: undefined, id: undefined })
    } else {
      const { action, id, message } = inbound
      const rule = this.#policy.ruleFor(principal, action)
      // After the rule: nobody learns by a rate which actions there are.
      if (rule === undefined) this.#refuse({ reason: 'forbidden', action, id }, message)
      else {
        const tooEarlyMs = this.#line.spend(this.#policy.rateOf(rule), now)
        if (tooEarlyMs > 0) this.#refuseExcess(inbound, tooEarlyMs)
        else {
          const { data, isBinary } = frame
          this.#line.judge({ rule, principal, action, message, id, data, isBinary })
        }
      }
    }
  }

  /** See `Counter`. */
  conclude(question: Question, judgement: Judgement): void {
    const { rule, action, message, id } = question
    if (judgement.kind === 'refused') {
      this.#refuse({ reason: judgement.reason, action, id, issues: judgement.issues }, message)
      return
    }
    // A listener of `message` may have ended the lease, or closed the socket.
    if (!this.#emit(question) || !this.isOpen()) return
    const { value, resource } = judgement
    this.#socket.emit('action', { rule: rule.name, action, value, resource, id })
  }

  /** See `Counter`. */
  overflow(): void {
    this.#refuse({ reason: 'overloaded', action: undefined, id: undefined })
  }

  /** See `Counter`. */
  slow(): void {
    if (this.#socket.isPaused) return
    this.#pauses = true
    this.#socket.pause()
  }

  /** See `Counter`. */
  resume(): void {
    if (!this.#pauses) return
    this.#pauses = false
    this.#socket.resume()
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

  #refuseExcess(inbound: InboundMessage, retryInMs: number): void {
    const { action, id } = inbound
    const message = inbound.kind === 'action' ? inbound.message : undefined
    this.#refuse({ reason: 'too_many_attempts', action, id, retryInMs }, message)
    this.#line.exceed()
  }

  #refuse(error: MessageError, message?: Message): void {
    this.#line.tell(error, message)
    if (this.#socket.bufferedAmount <= maxUnread) this.#socket.send(errorFrame(error))
  }
}
