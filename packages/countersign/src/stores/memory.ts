/** Records in the memory of this process: nothing survives it, nothing is waited for. */
import type { Caller } from '../core/handshake.ts'
import type { Grant } from '../core/principal.ts'
import type {
  AccountRow,
  ApiKeyRow,
  ChallengeSecretRow,
  Hash,
  Mark,
  PublicKeyRow,
  Records,
  Salting,
  ScramDerivation,
  ScramKeyRow,
  SessionRow,
  SpentRow,
  TicketRow,
} from '../core/records.ts'
import { isSessionOver } from '../core/rows.ts'
import { PublicKeyRows, ScramKeyRows } from './account-keys.ts'
import { saltingCensus } from './census.ts'
import { ExpiringRows } from './expiring-rows.ts'
import { Marks } from './marks.ts'
import { TicketRows } from './tickets.ts'

/** The records port with every answer at once. Assignable to `Records`; typed so that callers need not await. */
export type MemoryRecords = {
  readonly [K in keyof Records]: (...args: Parameters<Records[K]>) => Awaited<ReturnType<Records[K]>>
}

/**
 * Records for one process: tests, demonstrations, and services whose clients may log in again after a restart. Safe
 * for tickets, since what a crash loses is never valid again. Revocation marks are lost as well: credentials that
 * outlive the process (JWTs, certificates) need a durable store. Rows are kept as they were given.
 */
export function memory(): MemoryRecords {
  return new MemoryStore()
}

/** One thread runs it: what each member does is atomic by itself. */
class MemoryStore implements MemoryRecords {
  readonly #tickets = new TicketRows()
  readonly #sessions = new ExpiringRows<Hash, SessionRow>({
    isOver: isSessionOver,
  })
  readonly #apiKeys = new ExpiringRows<Hash, ApiKeyRow>({ isOver: (row, now) => row.expiresAtMs <= now })
  readonly #saltings = saltingCensus()
  readonly #secrets = new ExpiringRows<string, ChallengeSecretRow>({
    isOver: (row, now) => row.expiresAtMs <= now,
    left: (row) => {
      if (row.session === undefined) this.#saltings.remove(row.salting)
    },
  })
  readonly #accounts = new Map<string, AccountRow>()
  readonly #scramKeys = new ScramKeyRows()
  readonly #publicKeys = new PublicKeyRows()
  readonly #spent = new ExpiringRows<Hash, SpentRow>({ isOver: (row, now) => row.untilMs <= now })
  readonly #marks = new Marks()

  putTicket(row: TicketRow): void {
    this.#tickets.put(row)
  }

  takeTicket(key: Hash): TicketRow | undefined {
    return this.#tickets.take(key)
  }

  putSession(row: SessionRow): void {
    this.#sessions.put(row.key, row, row.issuedAtMs)
  }

  findSession(key: Hash): SessionRow | undefined {
    return this.#sessions.get(key)
  }

  /** Forward only: two requests may tell of their use in the wrong order. */
  touchSession(key: Hash, lastSeenMs: number): void {
    const row = this.#sessions.get(key)
    if (row !== undefined && row.lastSeenMs < lastSeenMs) this.#sessions.replace(key, { ...row, lastSeenMs })
  }

  endSessions(root: string): void {
    this.#sessions.removeWhere((row) => row.root === root)
  }

  putApiKey(row: ApiKeyRow): void {
    this.#apiKeys.put(row.key, row, row.issuedAtMs)
  }

  findApiKey(key: Hash): ApiKeyRow | undefined {
    return this.#apiKeys.get(key)
  }

  endApiKey(id: string): boolean {
    return this.#apiKeys.removeWhere((row) => row.id === id) > 0
  }

  listApiKeys(): readonly ApiKeyRow[] {
    return [...this.#apiKeys.values()]
  }

  putAccount(row: AccountRow): void {
    this.#accounts.set(row.username, row)
  }

  findAccount(username: string): AccountRow | undefined {
    return this.#accounts.get(username)
  }

  listAccounts(): readonly AccountRow[] {
    return [...this.#accounts.values()]
  }

  /**
   * Counted before it is put: a row that is replaced is told to have left, and its salting is counted back.
   */
  putChallengeSecret(row: ChallengeSecretRow): void {
    if (row.session === undefined) this.#saltings.add(row.salting)
    this.#secrets.put(row.authid, row, row.issuedAtMs)
  }

  findChallengeSecret(authid: string): ChallengeSecretRow | undefined {
    return this.#secrets.get(authid)
  }

  takeChallengeSecret(authid: string): boolean {
    return this.#secrets.take(authid) !== undefined
  }

  listSaltings(most: number): readonly (Salting | undefined)[] {
    return this.#saltings.list(most)
  }

  putScramKey(row: ScramKeyRow): void {
    this.#scramKeys.put(row)
  }

  findScramKey(username: string): ScramKeyRow | undefined {
    return this.#scramKeys.find(username)
  }

  endScramKey(username: string): boolean {
    return this.#scramKeys.end(username)
  }

  listScramDerivations(most: number): readonly ScramDerivation[] {
    return this.#scramKeys.derivations(most)
  }

  addPublicKey(row: PublicKeyRow): 'added' | 'taken' | 'full' {
    return this.#publicKeys.add(row)
  }

  findPublicKey(publicKey: string): PublicKeyRow | undefined {
    return this.#publicKeys.find(publicKey)
  }

  endPublicKey(username: string, publicKey: string): boolean {
    return this.#publicKeys.end(username, publicKey)
  }

  listPublicKeys(username: string): readonly PublicKeyRow[] {
    return this.#publicKeys.list(username)
  }

  putSpent(row: SpentRow): boolean {
    if (this.#spent.get(row.key) !== undefined) return false
    this.#spent.put(row.key, row, row.usedAtMs)
    return true
  }

  findSpent(key: Hash): boolean {
    return this.#spent.get(key) !== undefined
  }

  putMark(mark: Mark): void {
    this.#marks.put(mark)
  }

  findMark(grant: Grant, lease: string, caller?: Caller): Mark | undefined {
    return this.#marks.find(grant, lease, caller)
  }

  /** Accounts and their keys stay: they have no end. */
  sweep(now: number): number {
    const perishable = [this.#tickets, this.#sessions, this.#secrets, this.#apiKeys, this.#spent, this.#marks]
    return perishable.reduce((gone, rows) => gone + rows.sweep(now), 0)
  }

  close(): void {
    for (const rows of [
      this.#tickets,
      this.#sessions,
      this.#secrets,
      this.#apiKeys,
      this.#accounts,
      this.#scramKeys,
      this.#publicKeys,
      this.#spent,
      this.#marks,
    ]) {
      rows.clear()
    }
  }
}
