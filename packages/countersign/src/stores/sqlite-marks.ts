/** Revocation marks in a file that several processes share, with a copy in memory that is never behind. */
import type { Caller } from '../core/handshake.ts'
import type { Grant } from '../core/principal.ts'
import type { Mark } from '../core/records.ts'
import { keepMarksMs, Marks } from './marks.ts'
import { markColumns, marksOf, namesOf, rowOf, valuesOf } from './sqlite-columns.ts'
import type { Statements } from './sqlite-table.ts'
import { inTransaction } from './sqlite-transaction.ts'

const names = namesOf(markColumns)
// The primary key is `seq`; of one kind and value there is one mark, hence `OR IGNORE` after `forget`.
const insert = `INSERT OR IGNORE INTO marks (${names}) VALUES (${marksOf(markColumns)})`
const forget = 'DELETE FROM marks WHERE kind = ? AND value = ? AND atMs <= ?'
const news = `SELECT seq, ${names} FROM marks WHERE seq > ? ORDER BY seq`
const expire = 'DELETE FROM marks WHERE atMs < ?'

/** All marks of the file. */
export class SqliteMarks {
  readonly #quick: Statements
  readonly #durable: Statements
  readonly #marks = new Marks()
  /** Highest `seq` that was read: SQLite never gives one twice. */
  #seq = 0

  /**
   * @param quick connection that reads and sweeps
   * @param durable connection that writes marks: a revocation must not come undone with the power
   */
  constructor(quick: Statements, durable: Statements) {
    this.#quick = quick
    this.#durable = durable
  }

  /** Writes a mark unless a later one of its kind and value is there. It takes a new `seq`, so that others see it. */
  put(mark: Mark): void {
    const values = valuesOf(markColumns, mark)
    inTransaction(this.#durable.db, () => {
      this.#durable.run(forget, mark.kind, mark.value, mark.atMs)
      this.#durable.run(insert, ...values)
    })
    this.#marks.put(mark)
  }

  /** The mark that revokes this grant, lease or caller, whichever process wrote it. */
  find(grant: Grant, lease: string, caller: Caller | undefined): Mark | undefined {
    this.#refresh()
    return this.#marks.find(grant, lease, caller)
  }

  /** Forgets marks that are older than anything they could revoke. @returns how many */
  sweep(now: number): number {
    this.#marks.sweep(now)
    return this.#quick.run(expire, now - keepMarksMs)
  }

  /** A mark that is written between the two statements shows at the next call. */
  #refresh(): void {
    if (this.#quick.newestMark() <= this.#seq) return
    for (const [seq, ...stored] of this.#quick.all(news, this.#seq)) {
      this.#marks.put(rowOf(markColumns, stored))
      this.#seq = Number(seq)
    }
  }
}
