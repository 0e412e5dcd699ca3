/** The four things that are done to every table. */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { marksOf, namesOf, rowOf, valuesOf, type Columns } from './sqlite-columns.ts'

/** A connection whose statements are prepared once, at their first use. */
export class Statements {
  readonly db: DatabaseSync
  readonly #prepared = new Map<string, StatementSync>()

  /** @param db stays its opener's to close; statements die with it */
  constructor(db: DatabaseSync) {
    this.db = db
  }

  /** The statement of this text. */
  prepare(sql: string): StatementSync {
    const known = this.#prepared.get(sql)
    if (known !== undefined) return known
    const statement = this.db.prepare(sql)
    this.#prepared.set(sql, statement)
    return statement
  }

  /** Runs it to its end. @returns how many rows it changed */
  run(sql: string, ...values: readonly SQLInputValue[]): number {
    return Number(this.prepare(sql).run(...values).changes)
  }
}

/** A table by its name, its columns, and the one by which rows are found. */
export class Table<R> {
  readonly #columns: Columns<R>
  readonly #insert: string
  readonly #replace: string
  readonly #exists: string
  readonly #find: string
  readonly #take: string
  readonly #list: string

  /** @param key name of the column that is the primary key */
  constructor(name: string, key: keyof R & string, columns: Columns<R>) {
    this.#columns = columns
    const names = namesOf(columns)
    const into = `INTO ${name} (${names}) VALUES (${marksOf(columns)})`
    this.#insert = `INSERT ${into}`
    this.#replace = `INSERT OR REPLACE ${into}`
    this.#exists = `SELECT 1 FROM ${name} WHERE ${key} = ?`
    this.#find = `SELECT ${names} FROM ${name} WHERE ${key} = ?`
    this.#take = `DELETE FROM ${name} WHERE ${key} = ? RETURNING ${names}`
    this.#list = `SELECT ${names} FROM ${name} ORDER BY ${key}`
  }

  /**
   * Writes a row. Throws when the key is there already: the generator of keys has failed, or somebody
   * replays.
   */
  insert(on: Statements, row: R): void {
    on.run(this.#insert, ...valuesOf(this.#columns, row))
  }

  /** Writes a row, in place of the one that has its key. */
  put(on: Statements, row: R): void {
    on.run(this.#replace, ...valuesOf(this.#columns, row))
  }

  /** Takes no lock: what is asked for in vain must not hinder those who write. */
  exists(on: Statements, key: string): boolean {
    return on.prepare(this.#exists).get(key) !== undefined
  }

  /** Reads a row. @throws OutageError for values that were not written by `put` or `insert` */
  find(on: Statements, key: string): R | undefined {
    const stored = on.prepare(this.#find).get(key)
    return stored === undefined ? undefined : rowOf(this.#columns, stored)
  }

  /**
   * Removes and returns the row. `all`, not `get`: a statement that returns rows commits when it has been run to its
   * end, and only there does a failed commit (disk full) throw.
   */
  take(on: Statements, key: string): R | undefined {
    const [stored] = on.prepare(this.#take).all(key)
    return stored === undefined ? undefined : rowOf(this.#columns, stored)
  }

  /** All rows, in the order of their keys. */
  list(on: Statements): readonly R[] {
    return on
      .prepare(this.#list)
      .all()
      .map((stored) => rowOf(this.#columns, stored))
  }
}
