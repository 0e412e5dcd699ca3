/** SCRAM keys and public keys of accounts, in memory. */
import { maxPublicKeys, type PublicKeyRow, type ScramDerivation, type ScramKeyRow } from '../core/records.ts'
import { derivationCensus } from './census.ts'

/** SCRAM keys by account, with a census of their derivations. */
export class ScramKeyRows {
  readonly #rows = new Map<string, ScramKeyRow>()
  readonly #derivations = derivationCensus()

  /** Stores them, in place of earlier ones. */
  put(row: ScramKeyRow): void {
    this.end(row.username)
    this.#rows.set(row.username, row)
    this.#derivations.add(derivationOf(row))
  }

  /** Those of this account. */
  find(username: string): ScramKeyRow | undefined {
    return this.#rows.get(username)
  }

  /** Removes them. @returns whether there were any */
  end(username: string): boolean {
    const row = this.#rows.get(username)
    if (row === undefined) return false
    this.#derivations.remove(derivationOf(row))
    return this.#rows.delete(username)
  }

  /** The first `most` derivations in use. */
  derivations(most: number): readonly ScramDerivation[] {
    return this.#derivations.list(most)
  }

  /** Removes all. */
  clear(): void {
    for (const username of this.#rows.keys()) this.end(username)
  }
}

/** What a challenge tells of a row. */
function derivationOf({ kdf, iterations, memory, salt }: ScramKeyRow): ScramDerivation {
  return { kdf, iterations, memory, saltBytes: salt.length / 2 }
}

/** Public keys, found by themselves and by their account. */
export class PublicKeyRows {
  readonly #byKey = new Map<string, PublicKeyRow>()
  readonly #byAccount = new Map<string, Map<string, PublicKeyRow>>()

  /** As `Records.addPublicKey`. */
  add(row: PublicKeyRow): 'added' | 'taken' | 'full' {
    if (this.#byKey.has(row.publicKey)) return 'taken'
    const ofAccount = this.#byAccount.get(row.username) ?? new Map<string, PublicKeyRow>()
    if (ofAccount.size >= maxPublicKeys) return 'full'
    this.#byKey.set(row.publicKey, row)
    this.#byAccount.set(row.username, ofAccount.set(row.publicKey, row))
    return 'added'
  }

  /** The row of this key. */
  find(publicKey: string): PublicKeyRow | undefined {
    return this.#byKey.get(publicKey)
  }

  /** Removes a key of this account. @returns whether it had it */
  end(username: string, publicKey: string): boolean {
    const ofAccount = this.#byAccount.get(username)
    if (ofAccount?.delete(publicKey) !== true) return false
    if (ofAccount.size === 0) this.#byAccount.delete(username)
    return this.#byKey.delete(publicKey)
  }

  /** Those of this account. */
  list(username: string): readonly PublicKeyRow[] {
    return [...(this.#byAccount.get(username)?.values() ?? [])]
  }

  /** Removes all. */
  clear(): void {
    this.#byKey.clear()
    this.#byAccount.clear()
  }
}
