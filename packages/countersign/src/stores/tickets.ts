/** Tickets in memory. */
import { OutageError } from '../core/errors.ts'
import type { Hash, TicketRow } from '../core/records.ts'
import { ExpiringRows } from './expiring-rows.ts'

/** Single-use rows by key: one thread, so that of any number of callers one gets the row. */
export class TicketRows {
  /** Swept as tickets come: those that nobody shows would else stay for ever. */
  readonly #rows = new ExpiringRows<Hash, TicketRow>({ isOver: (row, now) => row.expiresAtMs <= now })

  /** @throws OutageError for a key that is there already: the generator of keys has failed */
  put(row: TicketRow): void {
    if (this.#rows.get(row.key) !== undefined) {
      throw new OutageError('records_unavailable', 'records: a ticket with this key exists')
    }
    this.#rows.put(row.key, row, row.issuedAtMs)
  }

  /** Removes and returns the row. Expiry is the caller's to judge. */
  take(key: Hash): TicketRow | undefined {
    return this.#rows.take(key)
  }

  /** Removes what has expired. @returns how many */
  sweep(now: number): number {
    return this.#rows.sweep(now)
  }

  /** Removes every row. */
  clear(): void {
    this.#rows.clear()
  }
}
