/** How values travel into columns and back: one table per kind of row. */
import type { SQLInputValue, SQLOutputValue } from 'node:sqlite'
import { MisuseError, OutageError } from '../core/errors.ts'
import {
  markKinds,
  type AccountRow,
  type ApiKeyRow,
  type ChallengeSecretRow,
  type Hash,
  type Mark,
  type PublicKeyRow,
  type Salting,
  type ScramKdf,
  type ScramKeyRow,
  type SessionRow,
  type SpentRow,
  type TicketRow,
} from '../core/records.ts'

/** One column: how a member of a row is written and read. */
export interface Column<T> {
  readonly write: (value: T) => SQLInputValue
  /** @throws OutageError for what `write` never wrote */
  readonly read: (stored: SQLOutputValue) => T
}

/** What SQLite answers for one row: the values of the columns that were asked for, in that order. */
export type StoredRow = readonly SQLOutputValue[]

/** The columns of a table, each called like the member of the row that it holds. */
export type Columns<R> = { readonly [K in keyof R]-?: Column<R[K]> }

/** Text of well-formed Unicode. */
const text: Column<string> = {
  write(value) {
    // SQLite keeps UTF-8: two texts with different lone surrogates would become one.
    if (!value.isWellFormed())
      throw new MisuseError('invalid_option', 'records: text is not well-formed Unicode')
    return value
  },
  read: (stored) => (typeof stored === 'string' ? stored : damaged()),
}

/** A number. SQLite keeps doubles as they are, fractions of a millisecond included. */
const number: Column<number> = {
  write: (value) => value,
  read: (stored) => (typeof stored === 'number' ? stored : damaged()),
}

/** The SHA-256 of a secret. */
const hash: Column<Hash> = {
  write: (value) => value,
  // A column of this kind only ever holds what `write` was given.
  read: (stored) => text.read(stored) as Hash,
}

/** `Infinity` is NULL, which no comparison finds: what has no end is never swept. */
const endless: Column<number> = {
  write: (value) => (value === Infinity ? null : value),
  read: (stored) => (stored === null ? Infinity : number.read(stored)),
}

/** SQLite has no booleans: 1 or 0. */
const flag: Column<boolean> = {
  write: (value) => (value ? 1 : 0),
  read: (stored) => number.read(stored) !== 0,
}

/** Texts as a JSON array. */
const list: Column<readonly string[]> = {
  write: (value) => text.write(JSON.stringify(value)),
  read(stored) {
    if (stored === '[]') return []
    const value: unknown = JSON.parse(text.read(stored))
    return Array.isArray(value) ? value.map(text.read) : damaged()
  },
}

/** `undefined` is NULL. */
function optional<T>(column: Column<T>): Column<T | undefined> {
  return {
    write: (value) => (value === undefined ? null : column.write(value)),
    read: (stored) => (stored === null ? undefined : column.read(stored)),
  }
}

/** One of a few words; any other is damage, not a value to be guarded against later. */
function oneOf<W extends string>(...words: readonly W[]): Column<W> {
  return {
    write: (value) => value,
    read: (stored) => words.find((word) => word === stored) ?? damaged(),
  }
}

/** Constant words: what stands in the file may be a secret. */
function damaged(): never {
  throw new OutageError('records_unavailable', 'records: a stored value has the wrong type')
}

/** A ticket, and the boot of the machine in which it was put. */
export interface StoredTicket extends TicketRow {
  readonly boot: string
}

/** A challenge secret with its salting laid flat, its secret sealed. */
export interface StoredSecret extends Omit<ChallengeSecretRow, 'salting'> {
  readonly salt: string | undefined
  readonly iterations: number | undefined
  readonly keylen: number | undefined
}

/** Columns of `tickets`. */
export const ticketColumns: Columns<StoredTicket> = {
  key: hash,
  id: text,
  purpose: oneOf('connect', 'frame', 'csrf'),
  subject: text,
  roles: list,
  audience: text,
  origin: optional(text),
  sessionKey: optional(hash),
  session: optional(text),
  apiKey: optional(text),
  lease: text,
  leaseUntilMs: endless,
  issuedAtMs: number,
  expiresAtMs: endless,
  boot: text,
}

/** Columns of `sessions`. */
export const sessionColumns: Columns<SessionRow> = {
  key: hash,
  id: text,
  purpose: oneOf('login', 'frame', 'alias', 'preauth'),
  root: text,
  subject: text,
  roles: list,
  origin: optional(text),
  issuedAtMs: number,
  expiresAtMs: endless,
  idleMs: endless,
  lastSeenMs: number,
}

/** Columns of `api_keys`. */
export const apiKeyColumns: Columns<ApiKeyRow> = {
  key: hash,
  id: text,
  name: text,
  subject: text,
  roles: list,
  scopes: list,
  issuedAtMs: number,
  expiresAtMs: endless,
}

/** Columns of `accounts`. */
export const accountColumns: Columns<AccountRow> = {
  username: text,
  roles: list,
  passwordHash: optional(text),
  disabled: flag,
  changedAtMs: number,
}

/** Columns of `challenge_secrets`. */
export const secretColumns: Columns<StoredSecret> = {
  authid: text,
  secret: text,
  salt: optional(text),
  iterations: optional(number),
  keylen: optional(number),
  subject: text,
  roles: list,
  session: optional(text),
  uses: oneOf('one', 'session'),
  issuedAtMs: number,
  expiresAtMs: endless,
}

/** The columns of `challenge_secrets` that tell how a secret was salted. */
export const saltingColumns: Columns<Salting> = { salt: text, iterations: number, keylen: number }

/** Ways to derive SCRAM keys; others are damage. */
export const kdf: Column<ScramKdf> = oneOf('pbkdf2', 'argon2id13', 'argon2id-13')

/** Columns of `scram_keys`, but for `derivation`, which SQLite makes of the others. */
export const scramKeyColumns: Columns<ScramKeyRow> = {
  username: text,
  kdf,
  iterations: number,
  memory: optional(number),
  salt: text,
  storedKey: text,
  serverKey: text,
  changedAtMs: number,
}

/** Columns of `public_keys`. */
export const publicKeyColumns: Columns<PublicKeyRow> = { publicKey: text, username: text, addedAtMs: number }

/** Columns of `spent`. */
export const spentColumns: Columns<SpentRow> = { key: hash, usedAtMs: number, untilMs: number }

/** Columns of `marks`, but for `seq`, which SQLite gives. */
export const markColumns: Columns<Mark> = {
  kind: oneOf(...markKinds),
  value: text,
  atMs: number,
  enforceAtMs: number,
  reason: oneOf('revoked', 'logged_out'),
}

/** The names of the columns, as SQL lists them. */
export function namesOf<R>(columns: Columns<R>): string {
  return Object.keys(columns).join(', ')
}

/** A question mark for each column. */
export function marksOf<R>(columns: Columns<R>): string {
  return Object.keys(columns).fill('?').join(', ')
}

/**
 * The values of a row in the order of its columns, as `marksOf` has places for them.
 * @throws MisuseError for text that is not well-formed Unicode
 */
export function valuesOf<R>(columns: Columns<R>, row: R): readonly SQLInputValue[] {
  const values: SQLInputValue[] = []
  for (const name in columns) values.push(columns[name].write(row[name]))
  return values
}

/**
 * A row from what SQLite answered for all of its columns, in their order.
 * @throws OutageError when a column holds what its `write` never wrote: the file was changed by other hands
 */
export function rowOf<R>(columns: Columns<R>, stored: StoredRow): R {
  const row: Partial<R> = {}
  let at = 0
  for (const name in columns) row[name] = columns[name].read(stored[at++] ?? null)
  // The loop has filled every member that `Columns<R>` demands.
  return row as R
}
