/**
 * The lengths that prefixes have. Prefixes are compared as text (WAMP, advanced profile, "Prefix Matching"), so a URI is
 * looked up once for each length that occurs, however many prefixes there are.
 */
export class PrefixLengths {
  /** Lengths that occur, shortest first, each once. Replaced as a whole. */
  ascending: readonly number[] = []
  /** The same, longest first. */
  descending: readonly number[] = []
  /** How many prefixes have each length. */
  readonly #counts = new Map<number, number>()

  /** One more prefix has this length. */
  add(length: number): void {
    const before = this.#counts.get(length) ?? 0
    this.#counts.set(length, before + 1)
    if (before === 0) this.#list()
  }

  /** One that had it is gone. */
  remove(length: number): void {
    const before = this.#counts.get(length) ?? 0
    if (before > 1) this.#counts.set(length, before - 1)
    else if (this.#counts.delete(length)) this.#list()
  }

  /** Only when a length comes or goes: there are at most `maxUriLength` of them. */
  #list(): void {
    this.ascending = [...this.#counts.keys()].toSorted((one, other) => one - other)
    this.descending = this.ascending.toReversed()
  }
}
