/**
 * Runs a conversation against its ports: synchronous until a port answers with a thenable, and ended in one of two
 * values: done, or the peer has the word.
 */
import { MisuseError } from './errors.ts'
import type { Answer, Answers, Challenge, Heard, Kind, Need } from './ports.ts'
import type { MaybePromise } from './records.ts'

/** A conversation in progress: yields needs, returns a value. */
export type Talk<T> = Generator<Need, T, unknown>

/** Where a conversation stands. */
export type Turn<T> = Done<T> | PeerTurn<T>

/** It has ended. */
export interface Done<T> {
  readonly kind: 'done'
  readonly value: T
}

/** It waits for the peer. Call `answer` or `leave`, once. */
export interface PeerTurn<T> {
  readonly kind: 'peer'
  /** What to show the peer; `undefined`: nothing, its first message is awaited. */
  readonly say: Challenge | undefined
  /** Goes on with what the peer said. @throws MisuseError when the turn is spent */
  answer(heard: Heard): MaybePromise<Turn<T>>
  /** Ends the conversation unheard (deadline, disconnect): its `finally` blocks run and `value` is its result. */
  leave(value: T): void
}

/** Asks one question. A cast, because a generator cannot relate what it yields to what it is sent. */
export function* ask<K extends Kind>(need: Need & { readonly kind: K }): Talk<Answer<K>> {
  return (yield need) as Answer<K>
}

/** Starts a conversation. Never rejects for what the conversation itself refuses; throws what it does not catch. */
export function drive<T>(talk: Talk<T>, answers: Answers): MaybePromise<Turn<T>> {
  return run(talk, talk.next(), answers)
}

/**
 * A port that throws, now or later, throws into the conversation: its `catch` and `finally` decide, not this
 * loop.
 */
function run<T>(talk: Talk<T>, first: IteratorResult<Need, T>, answers: Answers): MaybePromise<Turn<T>> {
  let step = first
  while (step.done !== true) {
    const need = step.value
    if (need.kind === 'hear') return peerTurn(talk, need.say, answers)
    let answer: unknown
    try {
      answer = lend(need, answers)
    } catch (outage) {
      step = talk.throw(outage)
      continue
    }
    if (isThenable(answer)) {
      // A thenable of any make: it may call back at once, twice, or throw; a promise does none of that.
      return Promise.resolve(answer).then(
        (value) => run(talk, talk.next(value), answers),
        (outage: unknown) => run(talk, talk.throw(outage), answers),
      )
    }
    step = talk.next(answer)
  }
  return { kind: 'done', value: step.value }
}

function lend<K extends keyof Answers>(need: Need<K>, answers: Answers): unknown {
  return answers[need.kind](need)
}

/**
 * Answered or left exactly once: a second answer would run the conversation from a place where it has not
 * waited.
 */
function peerTurn<T>(talk: Talk<T>, say: Challenge | undefined, answers: Answers): PeerTurn<T> {
  let spent = false
  const spend = (): void => {
    if (spent) throw new MisuseError('spent_turn', 'a turn is answered or left once')
    spent = true
  }
  return {
    kind: 'peer',
    say,
    answer(heard) {
      spend()
      return run(talk, talk.next(heard), answers)
    },
    leave(value) {
      spend()
      talk.return(value)
    },
  }
}

/** Whether a value must be waited for. Not `instanceof Promise`: thenables of other realms and query builders count. */
export function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

/** Goes on with a value now or later: the one place where sync and async part. */
export function settle<T>(
  value: MaybePromise<T>,
  use: (value: T) => void,
  fail: (error: unknown) => void,
): void {
  if (isThenable(value)) value.then(use).then(undefined, fail)
  else use(value)
}
