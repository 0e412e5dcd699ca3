/** A map of bounded size: whoever comes when it is full takes the place of the entry that was touched longest ago. */

/** Entries in order of last touch. Reading touches nothing. */
export class Recent<V> {
  readonly #maxEntries: number
  /** The first is the oldest. */
  readonly #entries = new Map<string, V>()

  /** @param maxEntries most entries that are kept; 0: none */
  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries
  }

  /** Never more than `maxEntries`. */
  get size(): number {
    return this.#entries.size
  }

  /** The entry, if it is still there. */
  get(key: string): V | undefined {
    return this.#entries.get(key)
  }

  /** Writes an entry and makes it the youngest. */
  set(key: string, value: V): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#maxEntries) return
      this.#entries.delete(oldest)
    }
  }

  /** The entries, oldest first. */
  values(): Iterable<V> {
    return this.#entries.values()
  }

  /** Takes an entry out; nothing happens when it is not there. */
  delete(key: string): void {
    this.#entries.delete(key)
  }
}
