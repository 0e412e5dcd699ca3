/** Tries at secrets that can be guessed: a port, asked before each and told how it ended. */
import type { MaybePromise } from './records.ts'

/** One try at a secret that can be guessed: a password, a one-time code, a secret that a person chose. */
export interface Guess {
  /** Whose secret it is said to be, as the name is compared. Unknown ones are counted alike. */
  readonly identity: string
  /** Who tries: an address, or the subnet that one host commonly owns. */
  readonly source: string
  /**
   * A device on which this very identity has logged in before, as the caller has verified: counted in place of the
   * source. A device with too many failures counts as none.
   */
  readonly device?: string | undefined
  /** Ms since the epoch. */
  readonly now: number
}

/** Slows guessing. Asked before anything is looked up, told of every outcome; see `Lockout` for the one in memory. */
export interface GuessLimiter {
  /**
   * How long this one must still wait, ms; 0: it may try. Ask once a try.
   * @throws OutageError when it cannot tell: the try is refused
   */
  waitMs(guess: Guess): MaybePromise<number>
  /**
   * Counts how a try ended. Not 0: other tries that were let in at the same time have used up what was free; refuse this
   * one by that wait, ms, whatever it was, and show nothing of its outcome. A try that was not judged is not told.
   * @throws OutageError when it cannot count: the try is refused
   */
  tried(guess: Guess, right: boolean): MaybePromise<number>
}
