/** The records port over the tables of one SQLite file. */
import { isThenable } from '../core/drive.ts'
import type { Sealer } from '../core/ports.ts'
import type { Caller } from '../core/handshake.ts'
import type { Grant } from '../core/principal.ts'
import type {
  AccountRow,
  ApiKeyRow,
  ChallengeSecretRow,
  Hash,
  Mark,
  MaybePromise,
  PublicKeyRow,
  Records,
  Salting,
  ScramDerivation,
  ScramKeyRow,
  SessionRow,
  SpentRow,
  TicketRow,
} from '../core/records.ts'
import {
  addPublicKey,
  derivationsOf,
  endPublicKey,
  publicKeys,
  publicKeysOf,
  scramKeys,
} from './sqlite-account-keys.ts'
import { bootId, isSameBoot } from './sqlite-boot.ts'
import {
  accountColumns,
  apiKeyColumns,
  sessionColumns,
  spentColumns,
  ticketColumns,
  type StoredTicket,
} from './sqlite-columns.ts'
import { openFile, type Connections } from './sqlite-file.ts'
import { LockQueue, type LockLimits } from './sqlite-locks.ts'
import { SqliteMarks } from './sqlite-marks.ts'
import { findSecret, hasSecret, putSecret, saltingsOf, sealSecret, takeSecret } from './sqlite-secrets.ts'
import { Statements, Table } from './sqlite-table.ts'
import { inTransaction } from './sqlite-transaction.ts'
import { watchWrites } from './sqlite-watch.ts'
import { TicketRows } from './tickets.ts'

/** Settings of a store, defaults filled in. */
export interface SqliteSettings extends LockLimits {
  readonly sealer: Sealer | undefined
  /** Where tickets are kept; the rest is always in the file. */
  readonly tickets: 'memory' | 'file'
  /** How long one attempt may block the event loop, ms. */
  readonly busyTimeoutMs: number
}

const tickets = new Table('tickets', 'key', ticketColumns)
const sessions = new Table('sessions', 'key', sessionColumns)
const apiKeys = new Table('api_keys', 'key', apiKeyColumns)
const accounts = new Table('accounts', 'username', accountColumns)
const spent = new Table('spent', 'key', spentColumns)

/** A flood of tickets sweeps the table as often as this many were put. */
const sweepAfterPuts = 1024
const sweepTickets = 'DELETE FROM tickets WHERE expiresAtMs <= ?'
const sweepSpent = 'DELETE FROM spent WHERE untilMs <= ?'
/** What `sweep` drops besides marks; the one value is the time. */
const sweeps = [
  sweepTickets,
  'DELETE FROM sessions WHERE expiresAtMs <= ?1 OR ?1 - lastSeenMs > idleMs',
  'DELETE FROM api_keys WHERE expiresAtMs <= ?',
  'DELETE FROM challenge_secrets WHERE expiresAtMs <= ?',
  sweepSpent,
] as const

/**
 * Opened by `sqlite`, which has checked the settings. What must never come undone goes through the durable
 * connection, the rest through the quick one; every statement through the queue for the lock.
 */
export class SqliteStore implements Records {
  readonly #file: string
  readonly #settings: SqliteSettings
  readonly #connections: Connections
  readonly #quick: Statements
  readonly #durable: Statements
  readonly #locks: LockQueue
  readonly #marks: SqliteMarks
  readonly #boot: string = bootId()
  readonly #ticketsInMemory: TicketRows | undefined
  #putsSinceSweep = 0
  #spentSinceSweep = 0
  /** As `newestMark` last saw them. */
  #dataVersion: unknown = undefined
  #newestMark = 0
  #closed = false

  constructor(file: string, settings: SqliteSettings) {
    this.#file = file
    this.#settings = settings
    this.#connections = openFile(file, settings.busyTimeoutMs)
    this.#quick = new Statements(this.#connections.quick)
    this.#durable = new Statements(this.#connections.durable)
    this.#locks = new LockQueue(settings, (may) => this.#mayBlock(may))
    this.#marks = new SqliteMarks(this.#quick, this.#durable)
    this.#ticketsInMemory = settings.tickets === 'memory' ? new TicketRows() : undefined
  }

  /**
   * Sweeps on its own now and then: a flood of issuing must not fill the disk between two calls of `sweep`.
   */
  putTicket(row: TicketRow): MaybePromise<void> {
    if (this.#ticketsInMemory !== undefined) return this.#ticketsInMemory.put(row)
    return this.#locks.write(() => {
      if (++this.#putsSinceSweep >= sweepAfterPuts) {
        this.#quick.run(sweepTickets, row.issuedAtMs)
        this.#putsSinceSweep = 0
      }
      tickets.insert(this.#quick, { ...row, boot: this.#boot })
    })
  }

  takeTicket(key: Hash): MaybePromise<TicketRow | undefined> {
    if (this.#ticketsInMemory !== undefined) return this.#ticketsInMemory.take(key)
    // Guessed keys must not fight honest ones for the lock. A ticket is never changed: what is read now is what is taken.
    const found = this.#locks.read(() => tickets.find(this.#quick, key))
    return then(found, (stored) =>
      stored === undefined ? undefined : this.#locks.write(() => this.#takeTicket(stored)),
    )
  }

  /** The removal decides: SQLite gives it to one connection, and a ticket of an earlier boot to none. */
  #takeTicket({ boot, ...row }: StoredTicket): TicketRow | undefined {
    const taken = tickets.remove(this.#quick, row.key)
    // A power loss may have undone the taking of it.
    return taken && isSameBoot(boot, this.#boot) ? row : undefined
  }

  putSession(row: SessionRow): MaybePromise<void> {
    return this.#locks.write(() => sessions.put(this.#quick, row))
  }

  findSession(key: Hash): MaybePromise<SessionRow | undefined> {
    return this.#locks.read(() => sessions.find(this.#quick, key))
  }

  touchSession(key: Hash, lastSeenMs: number): MaybePromise<void> {
    const sql = 'UPDATE sessions SET lastSeenMs = ?1 WHERE key = ?2 AND lastSeenMs < ?1'
    return this.#locks.write(() => void this.#quick.run(sql, lastSeenMs, key))
  }

  /** A login that is over must not come back with the power. */
  endSessions(root: string): MaybePromise<void> {
    return this.#locks.write(() => void this.#durable.run('DELETE FROM sessions WHERE root = ?', root))
  }

  putApiKey(row: ApiKeyRow): MaybePromise<void> {
    return this.#locks.write(() => apiKeys.put(this.#durable, row))
  }

  findApiKey(key: Hash): MaybePromise<ApiKeyRow | undefined> {
    return this.#locks.read(() => apiKeys.find(this.#quick, key))
  }

  endApiKey(id: string): MaybePromise<boolean> {
    return this.#locks.write(() => this.#durable.run('DELETE FROM api_keys WHERE id = ?', id) > 0)
  }

  listApiKeys(): MaybePromise<readonly ApiKeyRow[]> {
    return this.#locks.read(() => apiKeys.list(this.#quick))
  }

  putAccount(row: AccountRow): MaybePromise<void> {
    return this.#locks.write(() => accounts.put(this.#durable, row))
  }

  findAccount(username: string): MaybePromise<AccountRow | undefined> {
    return this.#locks.read(() => accounts.find(this.#quick, username))
  }

  listAccounts(): MaybePromise<readonly AccountRow[]> {
    return this.#locks.read(() => accounts.list(this.#quick))
  }

  putChallengeSecret(row: ChallengeSecretRow): MaybePromise<void> {
    const sealed = sealSecret(row, this.#settings.sealer)
    return this.#locks.write(() => putSecret(this.#quick, sealed))
  }

  findChallengeSecret(authid: string): MaybePromise<ChallengeSecretRow | undefined> {
    return this.#locks.read(() => findSecret(this.#quick, authid, this.#settings.sealer))
  }

  /** Durable: a secret has no boot by which a restored one could be told. */
  takeChallengeSecret(authid: string): MaybePromise<boolean> {
    const exists = this.#locks.read(() => hasSecret(this.#quick, authid))
    return then(exists, (here) => here && this.#locks.write(() => takeSecret(this.#durable, authid)))
  }

  listSaltings(most: number): MaybePromise<readonly (Salting | undefined)[]> {
    return this.#locks.read(() => saltingsOf(this.#quick, most))
  }

  putScramKey(row: ScramKeyRow): MaybePromise<void> {
    return this.#locks.write(() => scramKeys.put(this.#durable, row))
  }

  findScramKey(username: string): MaybePromise<ScramKeyRow | undefined> {
    return this.#locks.read(() => scramKeys.find(this.#quick, username))
  }

  endScramKey(username: string): MaybePromise<boolean> {
    return this.#locks.write(() => scramKeys.remove(this.#durable, username))
  }

  listScramDerivations(most: number): MaybePromise<readonly ScramDerivation[]> {
    return this.#locks.read(() => derivationsOf(this.#quick, most))
  }

  addPublicKey(row: PublicKeyRow): MaybePromise<'added' | 'taken' | 'full'> {
    return this.#locks.write(() => addPublicKey(this.#durable, row))
  }

  findPublicKey(publicKey: string): MaybePromise<PublicKeyRow | undefined> {
    return this.#locks.read(() => publicKeys.find(this.#quick, publicKey))
  }

  endPublicKey(username: string, publicKey: string): MaybePromise<boolean> {
    return this.#locks.write(() => endPublicKey(this.#durable, username, publicKey))
  }

  listPublicKeys(username: string): MaybePromise<readonly PublicKeyRow[]> {
    return this.#locks.read(() => publicKeysOf(this.#quick, username))
  }

  /** Quick: what a power loss lets in again changes nothing that it has not changed before. */
  putSpent(row: SpentRow): MaybePromise<boolean> {
    return this.#locks.write(() => {
      if (++this.#spentSinceSweep >= sweepAfterPuts) {
        this.#quick.run(sweepSpent, row.usedAtMs)
        this.#spentSinceSweep = 0
      }
      return spent.add(this.#quick, row)
    })
  }

  findSpent(key: Hash): MaybePromise<boolean> {
    return this.#locks.read(() => spent.exists(this.#quick, key))
  }

  putMark(mark: Mark): MaybePromise<void> {
    return this.#locks.write(() => this.#marks.put(mark))
  }

  findMark(grant: Grant, lease: string, caller?: Caller): MaybePromise<Mark | undefined> {
    return this.#locks.read(() => this.#marks.find(grant, lease, caller))
  }

  /** See `SqliteRecords`. Asks for the version first: what is written between the two is seen at the next call. */
  newestMark(): MaybePromise<number> {
    return this.#locks.read(() => {
      const version = this.#quick.get('PRAGMA data_version')?.[0]
      if (version !== this.#dataVersion) {
        this.#newestMark = Number(this.#quick.get('SELECT max(seq) FROM marks')?.[0] ?? 0)
        this.#dataVersion = version
      }
      return this.#newestMark
    })
  }

  /** See `SqliteRecords`. */
  onWrite(written: () => void): () => void {
    return watchWrites(this.#file, written)
  }

  sweep(now: number): MaybePromise<number> {
    const inMemory = this.#ticketsInMemory?.sweep(now) ?? 0
    return this.#locks.write(() =>
      inTransaction(this.#quick.db, () => {
        const inTables = sweeps.reduce((gone, sql) => gone + this.#quick.run(sql, now), 0)
        return inMemory + inTables + this.#marks.sweep(now)
      }),
    )
  }

  /** May be called again. Calls that wait for the lock fail. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#locks.close()
    this.#ticketsInMemory?.clear()
    this.#connections.durable.close()
    this.#connections.quick.close()
  }

  /** Told by the queue: while calls wait, an attempt that meets a lock must give up at once. */
  #mayBlock(may: boolean): void {
    const sql = `PRAGMA busy_timeout = ${may ? this.#settings.busyTimeoutMs : 0}`
    this.#connections.quick.exec(sql)
    this.#connections.durable.exec(sql)
  }
}

/** Goes on with a value now or later. */
function then<T, U>(value: MaybePromise<T>, use: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return isThenable(value) ? value.then(use) : use(value)
}
