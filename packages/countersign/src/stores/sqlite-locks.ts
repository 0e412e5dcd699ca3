/** Waiting for SQLite's write lock without standing still. */
import { randomInt } from 'node:crypto'
import { MisuseError, OutageError } from '../core/errors.ts'
import type { MaybePromise } from '../core/records.ts'

/** What waiting for the lock may cost. */
export interface LockLimits {
  /** How long a call waits in all before it fails, ms. */
  readonly maxWaitMs: number
  /** How many calls may wait; the next one fails at once. */
  readonly maxWaiting: number
}

/** One call that waits. */
interface Waiting {
  /** Tries again. Answers whether the call is settled, one way or the other. */
  readonly attempt: (now: number) => boolean
  readonly fail: (error: unknown) => void
}

/** Pause between two rounds of attempts, drawn anew each time, ms: processes that wait alike must not march in step. */
const pauseMs = { least: 1, most: 8 } as const
/** Work done in one round before the event loop gets its turn, ms. */
const roundMs = 5
/** SQLITE_BUSY, and SQLITE_PROTOCOL: the race for the index of the write-ahead log was lost. */
const busyCodes: readonly number[] = [5, 15]

/** Whether SQLite failed only because another connection holds a lock. */
export function isBusy(error: unknown): boolean {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return false
  // The low byte is the primary code, the rest says how it came about.
  return busyCodes.includes(error.errcode & 0xff)
}

/**
 * Does work on a database at once where its lock is free. Where it is not, the first attempt blocks for the busy
 * timeout and the work then queues; while anyone waits, attempts do not block and newcomers queue behind: a held
 * lock stops the event loop once, not once per call.
 */
export class LockQueue {
  readonly #limits: LockLimits
  readonly #mayBlock: (may: boolean) => void
  readonly #waiting: Waiting[] = []
  #timer: NodeJS.Timeout | undefined
  #closed = false

  /** @param mayBlock told whether attempts may block for the busy timeout from now on */
  constructor(limits: LockLimits, mayBlock: (may: boolean) => void) {
    this.#limits = limits
    this.#mayBlock = mayBlock
  }

  /** Reads, past those who wait: in write-ahead mode only the recovery after a crash stops a reader. */
  read<T>(work: () => T): MaybePromise<T> {
    return this.#now(work)
  }

  /** Writes, in order of arrival. */
  write<T>(work: () => T): MaybePromise<T> {
    return this.#waiting.length > 0 ? this.#later(work) : this.#now(work)
  }

  /** Fails those who wait, and every later call. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    for (const { fail } of this.#waiting.splice(0)) fail(unavailable('closed while waiting for a lock'))
  }

  /** Tries at once; what a lock stops goes to the queue. */
  #now<T>(work: () => T): MaybePromise<T> {
    if (this.#closed) throw new MisuseError('closed', 'records: closed')
    try {
      return work()
    } catch (error) {
      if (isBusy(error)) return this.#later(work)
      throw asOutage(error)
    }
  }

  /**
   * Waits for its turn, and for the lock until `maxWaitMs` is over. The place in the queue is the place in
   * time.
   */
  #later<T>(work: () => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    if (this.#waiting.length >= this.#limits.maxWaiting) {
      reject(unavailable('too many calls wait for a lock'))
      return promise
    }
    const untilMs = performance.now() + this.#limits.maxWaitMs
    const attempt = (now: number): boolean => {
      try {
        resolve(work())
      } catch (error) {
        if (isBusy(error) && now < untilMs) return false
        reject(asOutage(error))
      }
      return true
    }
    this.#waiting.push({ attempt, fail: reject })
    if (this.#waiting.length === 1) this.#pause()
    return promise
  }

  /** A round is due after a short, random pause. Until the queue is empty no attempt blocks. */
  #pause(): void {
    this.#mayBlock(false)
    this.#timer = setTimeout(() => this.#round(), randomInt(pauseMs.least, pauseMs.most))
  }

  /**
   * As many of those who wait, from the front, as the time of one round allows; the first that finds the
   * lock held ends it.
   */
  #round(): void {
    const beganMs = performance.now()
    let now = beganMs
    while (now - beganMs < roundMs && this.#waiting[0]?.attempt(now) === true) {
      this.#waiting.shift()
      now = performance.now()
    }
    if (this.#waiting.length > 0) this.#pause()
    else this.#mayBlock(true)
  }
}

/** The error by which a store tells that it cannot answer; misuse and outages stay what they are. */
export function asOutage(error: unknown): MisuseError | OutageError {
  if (error instanceof MisuseError || error instanceof OutageError) return error
  const words = isBusy(error) ? 'another process holds the lock' : 'SQLite failed'
  return new OutageError('records_unavailable', `records: ${words}`, { cause: error })
}

/** An outage without a cause: SQLite was not asked. */
function unavailable(words: string): OutageError {
  return new OutageError('records_unavailable', `records: ${words}`)
}
