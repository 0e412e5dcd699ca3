/** Account passwords by argon2id (RFC 9106), through the optional peer dependency `@node-rs/argon2`. */
import type * as argon2 from '@node-rs/argon2'
import { checkWhole, MisuseError, OutageError } from '../core/errors.ts'
import type { Clock, PasswordHasher } from '../core/ports.ts'
import { BoundedQueue } from './bounded-queue.ts'
import { PasswordCache } from './password-cache.ts'

/** Cost and bounds of password hashing. */
export interface Argon2Options {
  /** Hashes computed at once; each takes a thread of the pool and `memoryKiB`. @default 2 */
  readonly maxConcurrent?: number
  /** Calls that may wait for their turn; the next one is answered `busy`. @default 32 */
  readonly maxQueued?: number
  /** Memory of a fresh hash, KiB. @default 19456 (OWASP's minimum with two passes) */
  readonly memoryKiB?: number
  /** Passes over it. @default 2 */
  readonly passes?: number
  /**
   * How long a right password is remembered as an HMAC, ms, at most 60,000; 0: never. Clients of HTTP Basic show the
   * same password at every connection. A dump of the process's memory lets such an entry be guessed at fast.
   * @default 60000
   */
  readonly cacheMs?: number
  /** Passwords remembered at once. @default 1000 */
  readonly maxCached?: number
  /** By which the memory of right passwords ends. @default the system's monotonic clock */
  readonly clock?: Pick<Clock, 'now'>
}

/** What is used of the peer dependency. */
type Argon2 = Pick<typeof argon2, 'hash' | 'verify'>
type Outcome = 'right' | 'wrong'

/** What an option left out means. */
const defaults: Readonly<Required<Argon2Options>> = Object.freeze({
  maxConcurrent: 2,
  maxQueued: 32,
  memoryKiB: 19_456,
  passes: 2,
  cacheMs: 60_000,
  maxCached: 1000,
  clock: { now: () => performance.now() },
})

/** Longer passwords are refused when set, and wrong when shown. */
const maxPasswordBytes = 1024
const maxCacheMs = 60_000

/**
 * Hashes and verifies passwords as PHC strings (`$argon2id$v=19$…`). An unknown account, a hash of another algorithm
 * and a password that is too long cost one verification of the same parameters. Nothing is loaded before the first call.
 * @throws MisuseError for options out of range; calls reject with `missing_port` without the peer dependency, and
 * `hash` rejects with an OutageError when too many calls wait
 */
export function argon2Passwords(options: Argon2Options = {}): PasswordHasher {
  const settings = { ...defaults, ...options }
  checkSettings(settings)
  const hasher = new Argon2Passwords(settings)
  return {
    hash: (password) => hasher.hash(password),
    verify: (password, stored, source) => hasher.verify(password, stored, source),
  }
}

/** For guards without a password method: no password is ever right. */
export const rejectingPasswords: PasswordHasher = Object.freeze({
  hash(): never {
    throw new MisuseError('missing_port', 'passwords: this guard has no password hasher')
  },
  verify: (): 'wrong' => 'wrong',
})

class Argon2Passwords {
  readonly #settings: Readonly<Required<Argon2Options>>
  readonly #queue: BoundedQueue
  readonly #cache: PasswordCache
  readonly #dummy: string
  #loading: Promise<Argon2> | undefined

  constructor(settings: Readonly<Required<Argon2Options>>) {
    this.#settings = settings
    this.#queue = new BoundedQueue(settings.maxConcurrent, settings.maxQueued)
    this.#cache = new PasswordCache(settings.cacheMs, settings.maxCached)
    this.#dummy = dummyHash(settings.memoryKiB, settings.passes)
  }

  /** Shares the queue of `verify`, and rejects where that answers `busy`: setting passwords is bounded as well. */
  async hash(password: string): Promise<string> {
    if (isTooLong(password)) {
      throw new MisuseError('invalid_option', `password: at most ${maxPasswordBytes} bytes`)
    }
    const { memoryKiB, passes } = this.#settings
    const hashed = await this.#queue.run(async () => {
      const argon2 = await this.#load()
      return argon2.hash(password, { memoryCost: memoryKiB, timeCost: passes, parallelism: 1 })
    })
    if (hashed === undefined) throw new OutageError('overloaded', 'passwords: too many calls are waiting')
    return hashed
  }

  /** `right` at once from the cache, `busy` from a full queue, at once or for another's sake, else after the work. */
  verify(
    password: string,
    stored: string | undefined,
    source: string | undefined,
  ): Outcome | 'busy' | Promise<Outcome | 'busy'> {
    if (stored === undefined || !stored.startsWith('$argon2id$') || isTooLong(password))
      return this.#pretend(source)
    const entry = this.#cache.entryOf(password, stored)
    if (this.#cache.has(entry, this.#settings.clock.now())) return 'right'
    return busyWithout(this.#queue.run(() => this.#compare(password, stored, entry), source))
  }

  async #compare(password: string, stored: string, entry: string): Promise<Outcome> {
    const argon2 = await this.#load()
    if (!(await argon2.verify(stored, password))) return 'wrong'
    this.#cache.add(entry, this.#settings.clock.now())
    return 'right'
  }

  /** The work of a verification, with its answer known. */
  #pretend(source: string | undefined): 'busy' | Promise<Outcome | 'busy'> {
    const work = this.#queue.run(async (): Promise<Outcome> => {
      const argon2 = await this.#load()
      await argon2.verify(this.#dummy, '')
      return 'wrong'
    }, source)
    return busyWithout(work)
  }

  #load(): Promise<Argon2> {
    this.#loading ??= import('@node-rs/argon2').catch(() => {
      // The loader's own message names paths of this machine.
      throw new MisuseError('missing_port', 'passwords: @node-rs/argon2 cannot be loaded, npm install it')
    })
    return this.#loading
  }
}

/** Work that was not taken, or was sent away while it waited. */
function busyWithout(work: Promise<Outcome | undefined> | undefined): 'busy' | Promise<Outcome | 'busy'> {
  return work === undefined ? 'busy' : work.then((outcome) => outcome ?? 'busy')
}

/** A well-formed hash of no known password: salt and digest are zeros. Verifying it takes the time of a real one. */
function dummyHash(memoryKiB: number, passes: number): string {
  return `$argon2id$v=19$m=${memoryKiB},t=${passes},p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`
}

/** The length in UTF-16 code units first: it is at hand, and never more than the bytes. */
function isTooLong(password: string): boolean {
  return password.length > maxPasswordBytes || Buffer.byteLength(password) > maxPasswordBytes
}

/** Name, least, greatest. */
const ranges = [
  ['maxConcurrent', 1, 64],
  ['maxQueued', 0, 100_000],
  ['memoryKiB', 8, 4_194_304],
  ['passes', 1, 1000],
  ['cacheMs', 0, maxCacheMs],
  ['maxCached', 1, 1_000_000],
] as const

function checkSettings(settings: Readonly<Required<Argon2Options>>): void {
  for (const [name, least, most] of ranges) checkWhole(`passwords: ${name}`, settings[name], [least, most])
}
