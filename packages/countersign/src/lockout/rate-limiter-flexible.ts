/**
 * `countersign/lockout/rate-limiter-flexible`: counts of guesses that several processes share, kept by the library of that
 * name wherever it can keep them (Redis, Valkey, PostgreSQL, Memcached, …). In one process the guard's own is enough.
 */
import { createHash } from 'node:crypto'
import type { RateLimiterAbstract, RateLimiterRes } from 'rate-limiter-flexible'
import { OutageError } from '../core/errors.ts'
import { limitsOf } from '../core/limits.ts'
import type { LockoutLimits } from '../core/lockout.ts'
import type { Guess, GuessLimiter } from '../core/guess.ts'

/** What one of the six limiters is made with; hand it on to the library beside your store. */
export interface CounterOptions {
  /** `countersign-pairs`, `-strangers`, `-identities`, `-everybody`, `-known`, `-devices`. */
  readonly keyPrefix: string
  /** Tries or failures that are free. */
  readonly points: number
  /** Seconds until they are free again, at most 24 days: timers reach no further. */
  readonly duration: number
}

/** Makes a limiter: `(options) => new RateLimiterRedis({ storeClient, ...options })`. */
export type MakeCounter = (options: CounterOptions) => RateLimiterAbstract

/** The rules of `Lockout`, over counters of the library. */
interface Counters {
  readonly pairs: RateLimiterAbstract
  readonly strangers: RateLimiterAbstract
  readonly identities: RateLimiterAbstract
  readonly everybody: RateLimiterAbstract
  readonly known: RateLimiterAbstract
  readonly devices: RateLimiterAbstract
}

/** Where a guess is counted. */
interface Seat {
  /** All of them must have a point left. */
  readonly counters: readonly RateLimiterAbstract[]
  readonly key: string
  readonly device: string | undefined
}

/** 24 days: a timer of Node, by which the library forgets in memory, fires at once when it is set further. */
const maxSeconds = 2_073_600

/**
 * A limiter for `createGuard({ guesses })`, with the rules of `Lockout` and the library's kind of waiting: what is free is
 * free again at the end of a window, which is as long as the longest waits of so many tries (five minutes for five; ten
 * for the one of a stranger). Names reach the store as hashes. While the store is out of reach nobody is judged, unless
 * the limiters that you make have an `insuranceLimiter`.
 * @param make called once for each of the six counters, at once
 * @param limits as `limits.lockout` of a guard; what is about single waits and memory has no effect here
 * @throws MisuseError for limits that are no numbers; what `make` throws
 */
export function rateLimiterGuesses(make: MakeCounter, limits: Partial<LockoutLimits> = {}): GuessLimiter {
  const all = limitsOf({ lockout: limits }).lockout
  const counter = (name: keyof Counters, points: number, ms: number): RateLimiterAbstract =>
    make({ keyPrefix: `countersign-${name}`, points, duration: secondsOf(ms) })
  return new CountedGuesses({
    pairs: counter('pairs', all.failures, all.failures * all.maxWaitMs),
    strangers: counter('strangers', all.strangerFailures, all.strangerFailures * all.strangerMaxWaitMs),
    identities: counter('identities', all.identityFailures, all.windowMs),
    everybody: counter('everybody', all.allFailures, all.windowMs),
    known: counter('known', 1, all.knownMs),
    devices: counter('devices', all.deviceFailures, Infinity),
  })
}

class CountedGuesses implements GuessLimiter {
  readonly #counters: Counters

  constructor(counters: Counters) {
    this.#counters = counters
  }

  waitMs(guess: Guess): Promise<number> {
    return reached(async () => {
      const { counters, key } = await this.#seatOf(guess)
      const waits = counters.map(async (counter) => leftOf(counter, await counter.get(key)))
      return Math.max(...(await Promise.all(waits)))
    })
  }

  /** The point is taken first, in one step of the store: of a burst only as many have an outcome as are free. */
  tried(guess: Guess, right: boolean): Promise<number> {
    return reached(async () => {
      const seat = await this.#seatOf(guess)
      const waitMs = await take(seat)
      if (waitMs > 0) return waitMs
      await (right ? this.#succeeded(guess, seat) : this.#failed(guess, seat))
      return 0
    })
  }

  async #seatOf(guess: Guess): Promise<Seat> {
    const { pairs, strangers, devices } = this.#counters
    const { identity, source, device } = guess
    if (device !== undefined) {
      const key = keyOf(identity, 'd', device)
      if (!isSpent(devices, await devices.get(key))) return { counters: [pairs], key, device: key }
    }
    const key = keyOf(identity, 's', source)
    const strange = await this.#isStrange(guess, key)
    return { counters: strange ? [strangers, pairs] : [pairs], key, device: undefined }
  }

  async #isStrange({ identity }: Guess, pair: string): Promise<boolean> {
    const { identities, everybody, known } = this.#counters
    const [own, all, success] = await Promise.all([
      identities.get(keyOf(identity)),
      everybody.get(everyone),
      known.get(pair),
    ])
    return success === null && (isSpent(identities, own) || isSpent(everybody, all))
  }

  async #succeeded({ identity, source }: Guess, seat: Seat): Promise<void> {
    const { pairs, strangers, known } = this.#counters
    await Promise.all([pairs.delete(seat.key), strangers.delete(seat.key)])
    await known.set(keyOf(identity, 's', source), 1, known.duration)
  }

  async #failed({ identity }: Guess, seat: Seat): Promise<void> {
    const { strangers, identities, everybody, devices } = this.#counters
    await Promise.all([
      identities.penalty(keyOf(identity)),
      everybody.penalty(everyone),
      seat.device === undefined ? undefined : devices.penalty(seat.device),
      // Counted before it matters: a slow-down finds what has failed already.
      seat.counters.includes(strangers) ? undefined : strangers.penalty(seat.key),
    ])
  }
}

/** The one key of the counter of everybody. */
const everyone = 'all'

/** Takes one point of each. @returns 0, or how long until there is one again, ms */
async function take({ counters, key }: Seat): Promise<number> {
  try {
    for (const counter of counters) await counter.consume(key)
    return 0
  } catch (refusal) {
    // The library rejects with an Error for a store that fails, and with counts where no point is left.
    if (refusal instanceof Error || !isCounts(refusal)) throw refusal
    return Math.max(1, refusal.msBeforeNext)
  }
}

function isCounts(value: unknown): value is Pick<RateLimiterRes, 'msBeforeNext'> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'msBeforeNext' in value &&
    typeof value.msBeforeNext === 'number'
  )
}

function isSpent(counter: RateLimiterAbstract, counts: RateLimiterRes | null): boolean {
  return leftOf(counter, counts) > 0
}

/** How long until a point is free, ms; 0: one is. Counts whose time is over may still be there for a moment. */
function leftOf(counter: RateLimiterAbstract, counts: RateLimiterRes | null): number {
  if (counts === null || counts.consumedPoints < counter.points) return 0
  return Math.max(0, counts.msBeforeNext)
}

/** People type passwords where names belong: none is readable in the store. Lengths keep the parts apart. */
function keyOf(identity: string, sort = '', from = ''): string {
  return createHash('sha256').update(`${identity.length}:${identity}${sort}${from}`).digest('base64url')
}

/** Whole seconds, at least one: 0 would mean for ever. */
function secondsOf(ms: number): number {
  return Math.min(maxSeconds, Math.max(1, Math.ceil(ms / 1_000)))
}

/** The store's own message may name hosts and users: it stays in `cause`. @throws OutageError */
async function reached<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (cause) {
    throw new OutageError('overloaded', 'guesses: their counts are out of reach', { cause })
  }
}
