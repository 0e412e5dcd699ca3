/** Slows the guessing of secrets that people choose: pure arithmetic over who guesses and from where, in bounded memory. */
import type { Guess, GuessLimiter } from './guess.ts'
import { Recent } from './recent.ts'

/** Settings of the lockout. */
export interface LockoutLimits {
  /** Failures of one identity from one source before it must wait. */
  readonly failures: number
  /** First wait, ms; each further failure doubles it. */
  readonly firstWaitMs: number
  /** Longest wait, ms. */
  readonly maxWaitMs: number
  /** Silence after which failures are forgotten, ms. */
  readonly forgetMs: number
  /** Entries kept of each sort (pairs, identities, known, devices); the one untouched longest goes first. */
  readonly maxEntries: number
  /** Time in which failures are summed up for the slow-down, ms: older ones fade, to a third after this time. */
  readonly windowMs: number
  /** Failures of one identity, from wherever, that slow strangers to it down. */
  readonly identityFailures: number
  /** Failures of all identities together that slow all strangers down. */
  readonly allFailures: number
  /** While slowed down: failures of a stranger before it must wait. */
  readonly strangerFailures: number
  /** While slowed down: first wait of a stranger, ms; each further failure doubles it. */
  readonly strangerFirstWaitMs: number
  /** While slowed down: longest wait of a stranger, ms. Beyond `forgetMs` it has no effect. */
  readonly strangerMaxWaitMs: number
  /** How long a success makes a source known to an identity, ms. */
  readonly knownMs: number
  /** Sources known to one identity, and devices of one identity that have failures; the one untouched longest goes first. */
  readonly maxPerIdentity: number
  /** Failures of one device in all, after which its cookie is worth nothing any more. */
  readonly deviceFailures: number
}

/**
 * Defaults: five tries, then 1 s, 2 s, … up to a minute. Fifty failures of one name in a quarter of an hour, or ten
 * thousand of all names, and strangers have one try, then 15 s, 30 s, … up to ten minutes.
 */
export const defaultLockout: LockoutLimits = Object.freeze({
  failures: 5,
  firstWaitMs: 1_000,
  maxWaitMs: 60_000,
  forgetMs: 15 * 60_000,
  maxEntries: 100_000,
  windowMs: 15 * 60_000,
  identityFailures: 50,
  allFailures: 10_000,
  strangerFailures: 1,
  strangerFirstWaitMs: 15_000,
  strangerMaxWaitMs: 10 * 60_000,
  knownMs: 90 * 86_400_000,
  maxPerIdentity: 16,
  deviceFailures: 20,
})

/** Failures of one pair, and when it was last let in. */
interface Tally {
  readonly failures: number
  readonly lastMs: number
  /** It has waited and was let in for one try, which has not ended yet. */
  readonly admitted: boolean
}

/** A sum that fades. */
interface Level {
  readonly sum: number
  readonly atMs: number
}

/** How a pair is slowed. */
type Pace = Pick<LockoutLimits, 'failures' | 'firstWaitMs' | 'maxWaitMs'>

/** Where a guess is counted, and how strictly. */
interface Seat {
  readonly key: string
  readonly pace: Pace
  /** Whether it is the device's seat. */
  readonly device: boolean
}

const nothing: Level = { sum: 0, atMs: 0 }

/**
 * The limiter of one process. A guess is counted by (identity, source), or by (identity, device) where the caller vouches
 * for a device. Failures of one identity over all sources, and those of everybody, slow strangers down: pairs without a
 * success behind them. Whoever has come in from a source before, or on a device, keeps the ordinary pace. Unknown
 * identities are counted like known ones, so that an answer tells nothing.
 */
export class Lockout implements GuessLimiter {
  readonly #limits: LockoutLimits
  readonly #strangers: Pace
  readonly #pairs: Recent<Tally>
  readonly #identities: Recent<Level>
  /** Sources with a success behind them, and when that was, by identity. */
  readonly #known: Recent<Recent<number>>
  /** Failures of devices, by identity. */
  readonly #devices: Recent<Recent<number>>
  #everybody = nothing

  /** @param limits bounds; nothing is looked up and nothing is kept beside the counts */
  constructor(limits: LockoutLimits = defaultLockout) {
    this.#limits = limits
    this.#strangers = {
      failures: limits.strangerFailures,
      firstWaitMs: limits.strangerFirstWaitMs,
      maxWaitMs: limits.strangerMaxWaitMs,
    }
    this.#pairs = new Recent(limits.maxEntries)
    this.#identities = new Recent(limits.maxEntries)
    this.#known = new Recent(limits.maxEntries)
    this.#devices = new Recent(limits.maxEntries)
  }

  /** Everything that is kept: at most `maxEntries` pairs and identities, and of known sources and devices as many identities, with `maxPerIdentity` each. */
  get size(): number {
    let size = this.#pairs.size + this.#identities.size
    for (const notes of [this.#known, this.#devices]) for (const own of notes.values()) size += own.size
    return size
  }

  /**
   * See `GuessLimiter`. A pair that has waited is let in for one try and waits again, so that a burst in parallel gains
   * nothing.
   */
  waitMs(guess: Guess): number {
    const { now } = guess
    const seat = this.#seatOf(guess)
    const tally = this.#tallyAt(seat.key, now)
    if (tally === undefined || tally.failures < seat.pace.failures) return 0
    const left = tally.lastMs + waitOf(tally, seat.pace) - now
    if (left > 0) return left
    this.#pairs.set(seat.key, { failures: tally.failures, lastMs: now, admitted: true })
    return 0
  }

  /**
   * See `GuessLimiter`. Of many tries that were let in at the same time, before the first had failed, only as many have
   * an outcome as the pair has free ones.
   */
  tried(guess: Guess, right: boolean): number {
    const { now } = guess
    const seat = this.#seatOf(guess)
    const tally = this.#tallyAt(seat.key, now)
    if (tally !== undefined && tally.failures >= seat.pace.failures && !tally.admitted) {
      return Math.max(1, tally.lastMs + waitOf(tally, seat.pace) - now)
    }
    if (right) this.#succeeded(guess, seat)
    else this.#failed(guess, seat, tally)
    return 0
  }

  #tallyAt(key: string, now: number): Tally | undefined {
    const tally = this.#pairs.get(key)
    return tally === undefined || now - tally.lastMs >= this.#limits.forgetMs ? undefined : tally
  }

  /** A device with too many failures behind it is no device any more, and its holder whoever comes from that source. */
  #seatOf(guess: Guess): Seat {
    const { identity, source, device } = guess
    if (device !== undefined && this.#failuresOn(identity, device) < this.#limits.deviceFailures) {
      return { key: pair(identity, 'd', device), pace: this.#limits, device: true }
    }
    const slowed = this.#isSlowed(guess) && !this.#isKnown(guess)
    return {
      key: pair(identity, 's', source),
      pace: slowed ? this.#strangers : this.#limits,
      device: false,
    }
  }

  #isSlowed({ identity, now }: Guess): boolean {
    const { windowMs, allFailures, identityFailures } = this.#limits
    if (faded(this.#everybody, now, windowMs) >= allFailures) return true
    const level = this.#identities.get(short(identity))
    return level !== undefined && faded(level, now, windowMs) >= identityFailures
  }

  #isKnown({ identity, source, now }: Guess): boolean {
    const sinceMs = this.#known.get(short(identity))?.get(source)
    return sinceMs !== undefined && now - sinceMs < this.#limits.knownMs
  }

  #failuresOn(identity: string, device: string): number {
    return this.#devices.get(short(identity))?.get(device) ?? 0
  }

  /** The slow-down stays: one who knows the password must not lift it for those who guess. */
  #succeeded(guess: Guess, seat: Seat): void {
    this.#pairs.delete(seat.key)
    this.#note(this.#known, guess.identity, [guess.source, guess.now])
  }

  #failed(guess: Guess, seat: Seat, tally: Tally | undefined): void {
    const { identity, device, now } = guess
    const { windowMs } = this.#limits
    this.#pairs.set(seat.key, { failures: (tally?.failures ?? 0) + 1, lastMs: now, admitted: false })
    const level = this.#identities.get(short(identity)) ?? nothing
    this.#identities.set(short(identity), { sum: faded(level, now, windowMs) + 1, atMs: now })
    this.#everybody = { sum: faded(this.#everybody, now, windowMs) + 1, atMs: now }
    if (seat.device && device !== undefined) {
      this.#note(this.#devices, identity, [device, this.#failuresOn(identity, device) + 1])
    }
  }

  /** Within bounds for each identity: whoever has one cannot push out what others are known by. */
  #note(notes: Recent<Recent<number>>, identity: string, [key, value]: readonly [string, number]): void {
    const own = notes.get(short(identity)) ?? new Recent<number>(this.#limits.maxPerIdentity)
    own.set(key, value)
    notes.set(short(identity), own)
  }
}

/** Doubles with each failure over the free ones. */
function waitOf({ failures }: Tally, pace: Pace): number {
  const over = Math.max(0, Math.min(failures - pace.failures, 30))
  return Math.min(pace.firstWaitMs * 2 ** over, pace.maxWaitMs)
}

/** What is left of a sum: it falls to 1/e in each window. A clock that was set back lets nothing fade. */
function faded({ sum, atMs }: Level, now: number, windowMs: number): number {
  return now <= atMs || sum === 0 ? sum : sum * Math.exp((atMs - now) / windowMs)
}

/** Longest identity that is kept whole; longer ones with this beginning in common are counted together. */
const maxIdentityLength = 256

function short(identity: string): string {
  return identity.slice(0, maxIdentityLength)
}

/** Length-prefixed, so that no two pairs share a key, nor a source and a device. */
function pair(identity: string, sort: 's' | 'd', from: string): string {
  return `${identity.length}:${short(identity)}${sort}${from}`
}
