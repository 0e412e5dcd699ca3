/** Memory of passwords that were right a moment ago, without the passwords. */
import { createHmac, createSecretKey, randomBytes, type KeyObject } from 'node:crypto'

/**
 * Successes of the last `cacheMs`, at most `maxEntries`. Keys are HMACs of password and stored hash under a key of
 * this process alone: a changed password misses by itself, and an entry tells nothing without the process's memory.
 */
export class PasswordCache {
  readonly #key: KeyObject = createSecretKey(randomBytes(32))
  readonly #cacheMs: number
  readonly #maxEntries: number
  /** Entry → when it ends, in order of use. */
  readonly #entries = new Map<string, number>()

  /**
   * @param cacheMs life of an entry, 0: nothing is remembered
   * @param maxEntries most entries; the least used goes first
   */
  constructor(cacheMs: number, maxEntries: number) {
    this.#cacheMs = cacheMs
    this.#maxEntries = maxEntries
  }

  /** Name of a password beside a stored hash. The length keeps the two apart. */
  entryOf(password: string, stored: string): string {
    return createHmac('sha256', this.#key)
      .update(`${password.length}:${password}${stored}`)
      .digest('base64url')
  }

  /** Whether this was right less than `cacheMs` ago. Being asked does not prolong it. */
  has(entry: string, now: number): boolean {
    const untilMs = this.#entries.get(entry)
    if (untilMs === undefined) return false
    this.#entries.delete(entry)
    if (untilMs <= now) return false
    this.#entries.set(entry, untilMs)
    return true
  }

  /** Remembers a success; the one that was used longest ago makes room. */
  add(entry: string, now: number): void {
    if (this.#cacheMs === 0) return
    this.#entries.set(entry, now + this.#cacheMs)
    if (this.#entries.size <= this.#maxEntries) return
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest)
      return
    }
  }
}
