/** What is done to every table. */
import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite'
import { marksOf, namesOf, rowOf, valuesOf, type Columns, type StoredRow } from './sqlite-columns.ts'

/** A tree of numbers, of which only the last is looked for: next to nothing beside the statement it stands in. */
const newestMark = '(SELECT max(seq) FROM marks)'

/** Settled: what is chained to it runs when the present turn has come to its end. */
const endOfTurn = Promise.resolve()

/** A connection whose statements are prepared once, at their first use. */
export class Statements {
  readonly db: DatabaseSync
  readonly #prepared = new Map<string, StatementSync>()
  /** As a look-up of this very turn has seen it. */
  #seenMark: number | undefined = undefined

  /** @param db stays its opener's to close; statements die with it */
  constructor(db: DatabaseSync) {
    this.db = db
  }

  /** Runs it to its end. @returns how many rows it changed */
  run(sql: string, ...values: readonly SQLInputValue[]): number {
    return Number(this.#prepare(sql).run(...values).changes)
  }

  /** The first row. */
  get(sql: string, ...values: readonly SQLInputValue[]): StoredRow | undefined {
    // Statements return arrays, which Node's type of `get` does not know.
    return this.#prepare(sql).get(...values) as StoredRow | undefined
  }

  /** All rows. */
  all(sql: string, ...values: readonly SQLInputValue[]): readonly StoredRow[] {
    // See `get`.
    return this.#prepare(sql).all(...values) as unknown as readonly StoredRow[]
  }

  /**
   * Highest `seq` of all marks, 0 without any. A look-up of this turn has told it already, under the one read lock that
   * it took: whoever writes a mark later cannot be heard before the turn is over.
   */
  newestMark(): number {
    return this.#seenMark ?? numberOf(this.get(`SELECT ${newestMark}`)?.[0])
  }

  /** Tells what a look-up has seen besides its row. Forgotten when the turn ends. */
  sawMark(seq: SQLOutputValue | undefined): void {
    this.#seenMark = numberOf(seq)
    void endOfTurn.then(this.#forgetMark)
  }

  readonly #forgetMark = (): void => {
    this.#seenMark = undefined
  }

  /** Rows as arrays: an object per row would be a dictionary whose keys are made anew each time. */
  #prepare(sql: string): StatementSync {
    const known = this.#prepared.get(sql)
    if (known !== undefined) return known
    const statement = this.db.prepare(sql)
    statement.setReturnArrays(true)
    this.#prepared.set(sql, statement)
    return statement
  }
}

/** A table by its name, its columns, and the one by which rows are found. */
export class Table<R> {
  readonly #columns: Columns<R>
  readonly #width: number
  readonly #insert: string
  readonly #replace: string
  readonly #add: string
  readonly #exists: string
  readonly #find: string
  readonly #remove: string
  readonly #list: string

  /** @param key name of the column that is the primary key */
  constructor(name: string, key: keyof R & string, columns: Columns<R>) {
    this.#columns = columns
    this.#width = Object.keys(columns).length
    const names = namesOf(columns)
    const into = `INTO ${name} (${names}) VALUES (${marksOf(columns)})`
    this.#insert = `INSERT ${into}`
    this.#replace = `INSERT OR REPLACE ${into}`
    this.#add = `INSERT OR IGNORE ${into}`
    this.#exists = `SELECT 1 FROM ${name} WHERE ${key} = ?`
    this.#find = `SELECT ${names}, ${newestMark} FROM ${name} WHERE ${key} = ?`
    this.#remove = `DELETE FROM ${name} WHERE ${key} = ?`
    this.#list = `SELECT ${names} FROM ${name} ORDER BY ${key}`
  }

  /**
   * Writes a row. Throws when the key is there already: the generator of keys has failed, or somebody
   * replays.
   */
  insert(on: Statements, row: R): void {
    on.run(this.#insert, ...valuesOf(this.#columns, row))
  }

  /** Writes a row unless its key is there. `true` for exactly one caller, whichever process it is in. */
  add(on: Statements, row: R): boolean {
    return on.run(this.#add, ...valuesOf(this.#columns, row)) > 0
  }

  /** Writes a row, in place of the one that has its key. */
  put(on: Statements, row: R): void {
    on.run(this.#replace, ...valuesOf(this.#columns, row))
  }

  /** Takes no lock: what is asked for in vain must not hinder those who write. */
  exists(on: Statements, key: string): boolean {
    return on.get(this.#exists, key) !== undefined
  }

  /**
   * Reads a row, and tells the connection what the newest mark is: who has found a row asks for marks next.
   * @throws OutageError for values that were not written by `put` or `insert`
   */
  find(on: Statements, key: string): R | undefined {
    const stored = on.get(this.#find, key)
    if (stored === undefined) return undefined
    on.sawMark(stored[this.#width])
    return rowOf(this.#columns, stored)
  }

  /** Removes the row. `true` for exactly one caller, whichever process it is in. */
  remove(on: Statements, key: string): boolean {
    return on.run(this.#remove, key) > 0
  }

  /** All rows, in the order of their keys. */
  list(on: Statements): readonly R[] {
    return on.all(this.#list).map((stored) => rowOf(this.#columns, stored))
  }
}

/** NULL is the highest of nothing. */
function numberOf(seq: SQLOutputValue | undefined): number {
  return seq === null ? 0 : Number(seq)
}
