/** Rows in memory that pass away by themselves. */

/** What a table of expiring rows must know about them. */
export interface ExpiringOptions<R> {
  /** Whether nobody can use the row any more. */
  readonly isOver: (row: R, now: number) => boolean
  /** Told of every row that is removed or replaced. */
  readonly left?: (row: R) => void
}

/** Puts between two sweeps, at least; more when there are more rows, so that each `put` pays a constant share. */
const sweepAfterPuts = 1024

/** A map that drops expired rows as new ones are put: a flood of issuing never holds much more than what is alive. */
export class ExpiringRows<K, R> {
  /** Both functions are called for every row of a sweep: keep them cheap, and let them not throw. */
  readonly #options: ExpiringOptions<R>
  readonly #rows = new Map<K, R>()
  #putsSinceSweep = 0

  /** @param options what a row is, to this table: whether it is over, and who must hear of its leaving */
  constructor(options: ExpiringOptions<R>) {
    this.#options = options
  }

  /** Rows that are held, alive or not. */
  get size(): number {
    return this.#rows.size
  }

  /** The row, expired or not: its finder is to judge it. */
  get(key: K): R | undefined {
    return this.#rows.get(key)
  }

  /** Stores or replaces a row. `now` is the caller's time, by which others may have expired. */
  put(key: K, row: R, now: number): void {
    this.replace(key, row)
    this.#putsSinceSweep++
    if (this.#putsSinceSweep >= Math.max(sweepAfterPuts, this.#rows.size / 2)) this.sweep(now)
  }

  /** As `put`, for a row that is already there: never sweeps. */
  replace(key: K, row: R): void {
    const old = this.#rows.get(key)
    if (old !== undefined) this.#options.left?.(old)
    this.#rows.set(key, row)
  }

  /** Removes and returns the row. */
  take(key: K): R | undefined {
    const row = this.#rows.get(key)
    if (row === undefined) return undefined
    this.#rows.delete(key)
    this.#options.left?.(row)
    return row
  }

  /** All rows, expired ones that no sweep has met yet included. */
  values(): MapIterator<R> {
    return this.#rows.values()
  }

  /** Removes every row of which this holds. @returns how many */
  removeWhere(holds: (row: R) => boolean): number {
    const before = this.#rows.size
    for (const [key, row] of this.#rows) if (holds(row)) this.take(key)
    return before - this.#rows.size
  }

  /** Removes what is over. @returns how many */
  sweep(now: number): number {
    this.#putsSinceSweep = 0
    return this.removeWhere((row) => this.#options.isOver(row, now))
  }

  /** Removes every row. */
  clear(): void {
    this.removeWhere(() => true)
  }
}
