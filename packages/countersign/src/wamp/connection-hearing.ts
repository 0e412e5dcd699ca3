/** One conversation with a peer: challenges go out, each is answered once, and in the end there is a value. */
import { isThenable, settle, type PeerTurn, type Turn } from '../core/drive.ts'
import type { Challenge, Heard } from '../core/ports.ts'
import type { MaybePromise } from '../core/records.ts'

/** What comes of a hearing; after `leave` only `unheard` and `nothing`. */
export interface HearingEnds<T> {
  /** The peer has the word: show it this. */
  challenge(challenge: Challenge): void
  /** It is over. */
  done(value: T): void
  /** A method broke its contract. */
  failed(): void
  /** A value that nobody waits for any more: give back what it holds. */
  unheard(value: T): void
  /** What a conversation that was given up ends with. */
  nothing(): T
}

/** Begin with `run`; then `answer` each challenge, or `leave`. */
export class Hearing<T> {
  readonly #ends: HearingEnds<T>
  #turn: PeerTurn<T> | undefined = undefined
  #left = false

  constructor(ends: HearingEnds<T>) {
    this.#ends = ends
  }

  /** Whether a challenge waits for its answer. */
  get open(): boolean {
    return this.#turn !== undefined
  }

  /** Goes on with a turn, now or when it comes. @returns whether it has not come yet */
  run(turn: MaybePromise<Turn<T>>): boolean {
    const pending = isThenable(turn)
    settle(
      turn,
      (value) => this.#turned(value),
      () => this.#fail(),
    )
    return pending
  }

  /**
   * Hands in the answer to the open challenge, which is spent before anyone looks at the answer.
   * @returns whether the next turn has not come yet
   */
  answer(heard: Heard): boolean {
    const turn = this.#turn
    if (turn === undefined) return false
    this.#turn = undefined
    return this.run(turn.answer(heard))
  }

  /** Gives it up: whatever still comes of it goes to `unheard`. */
  leave(): void {
    this.#left = true
    this.#turn?.leave(this.#ends.nothing())
    this.#turn = undefined
  }

  #turned(turn: Turn<T>): void {
    if (turn.kind === 'done') {
      if (this.#left) this.#ends.unheard(turn.value)
      else this.#ends.done(turn.value)
    } else if (this.#left || turn.say === undefined) {
      // A method that waits for a first message in silence has no place behind an opening.
      turn.leave(this.#ends.nothing())
      this.#fail()
    } else {
      this.#turn = turn
      this.#ends.challenge(turn.say)
    }
  }

  #fail(): void {
    if (!this.#left) this.#ends.failed()
  }
}
