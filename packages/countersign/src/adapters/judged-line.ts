/** What arrives at one socket under a policy waits in line: judged in order, within bounds, and never beyond the lease. */
import { isThenable } from '../core/drive.ts'
import type { Guard } from '../core/guard.ts'
import { judge, type Judged, type Judgement } from '../core/judgement.ts'
import type { Lease } from '../core/lease.ts'
import { Meter } from '../core/message-rate.ts'
import type { Message, RefusedMessage } from '../core/policy-options.ts'
import { excessRate, overallRate, type Policy } from '../core/policy.ts'
import { awaitJudgement } from './message-judging.ts'

/** The socket before which a line stands: it reads what arrives, and carries out what was decided. */
export interface Counter<Item, Question extends Judged> {
  readonly lease: Lease
  /** Once a side has begun to close there is nobody to answer. */
  isOpen(): boolean
  /** How much of the queue's bound an item takes, bytes. */
  bytesOf(item: Item): number
  /** The item's turn, which is now: it is refused, or laid before `JudgedLine.judge`. */
  take(item: Item, now: number): void
  /** A question is answered; the socket is open. */
  conclude(question: Question, judgement: Judgement): void
  /** There is no room for an item: it is refused. */
  overflow(item: Item): void
  /** Half of the queue is taken: what has been read already still arrives. */
  slow(): void
  /** The queue is empty again. */
  resume(): void
}

/**
 * One for each socket. What needs no waiting passes in the call in which it arrives, without a promise; while one item is
 * waited for, those behind it queue.
 */
export class JudgedLine<Item, Question extends Judged> {
  readonly #policy: Policy
  readonly #guard: Guard
  readonly #counter: Counter<Item, Question>
  readonly #meter: Meter
  #queue: Item[] = []
  #queuedBytes = 0
  /** A judgement is awaited. */
  #waits = false

  constructor(policy: Policy, guard: Guard, counter: Counter<Item, Question>) {
    this.#policy = policy
    this.#guard = guard
    this.#counter = counter
    this.#meter = new Meter(policy.rates, guard.now())
  }

  /** An item has arrived: its turn is now, later, or never. */
  join(item: Item, now: number): void {
    if (this.#waits || this.#queue.length > 0) this.#enqueue(item)
    else this.#counter.take(item, now)
  }

  /** Counts one message against the rate of all. @returns how long it is too early, milliseconds; 0 when it is not */
  spendOverall(now: number): number {
    return this.#meter.spend(overallRate, now)
  }

  /** Counts one message against a row's own rate. @returns as `spendOverall` */
  spend(limit: number | undefined, now: number): number {
    return limit === undefined ? 0 : this.#meter.spend(limit, now)
  }

  /** An item does not pass: the application hears of it, whatever the peer does. */
  tell({ reason, action }: Pick<RefusedMessage, 'reason' | 'action'>, message?: Message): void {
    this.#policy.tell({ principal: this.#counter.lease.principal, reason, action, message }, this.#guard)
  }

  /** Beyond what a policy bears with, the lease ends, and with it the socket. */
  exceed(): void {
    const now = this.#guard.now()
    if (!this.#policy.closes || this.#meter.spend(excessRate, now) === 0) return
    this.#counter.lease.apply({ kind: 'ended', reason: 'too_many_attempts' }, now)
  }

  /** The row's schema and the application's decision; `Counter.conclude` hears of it, now or later. */
  judge(question: Question): void {
    const judgement = judge(this.#policy, question, this.#guard)
    if (isThenable(judgement)) void this.#await(question, judgement)
    else this.#counter.conclude(question, judgement)
  }

  async #await(question: Question, first: PromiseLike<Judgement>): Promise<void> {
    this.#waits = true
    const court = {
      policy: this.#policy,
      guard: this.#guard,
      lease: this.#counter.lease,
      isOpen: () => this.#counter.isOpen(),
    }
    const { asked, judgement } = await awaitJudgement(court, question, first)
    this.#waits = false
    this.#inTurn(() => this.#counter.conclude(asked, judgement))
    this.#drain()
  }

  /** A listener may throw: what is behind goes on in a turn of its own, and the error where it would have gone. */
  #inTurn(act: () => void): void {
    try {
      if (this.#counter.isOpen()) act()
    } catch (error) {
      queueMicrotask(() => this.#drain())
      throw error
    }
  }

  #enqueue(item: Item): void {
    const { maxQueued, maxQueuedBytes } = this.#policy.limits
    const bytes = this.#queuedBytes + this.#counter.bytesOf(item)
    if (this.#queue.length >= maxQueued || bytes > maxQueuedBytes) {
      this.#counter.overflow(item)
      this.exceed()
      return
    }
    this.#queue.push(item)
    this.#queuedBytes = bytes
    if (this.#queue.length * 2 >= maxQueued || bytes * 2 >= maxQueuedBytes) this.#counter.slow()
  }

  #drain(): void {
    if (!this.#counter.isOpen()) {
      this.#queue = []
      this.#queuedBytes = 0
    }
    while (!this.#waits) {
      const item = this.#queue.shift()
      if (item === undefined) break
      this.#queuedBytes -= this.#counter.bytesOf(item)
      this.#inTurn(() => this.#counter.take(item, this.#guard.now()))
    }
    if (this.#queue.length === 0) this.#counter.resume()
  }
}
