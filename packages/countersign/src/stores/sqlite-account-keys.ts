/** SCRAM keys and public keys of accounts in the file. None of them is secret as a password is: nothing is sealed. */
import { maxPublicKeys, type PublicKeyRow, type ScramDerivation, type ScramKeyRow } from '../core/records.ts'
import { kdf, publicKeyColumns, rowOf, namesOf, scramKeyColumns } from './sqlite-columns.ts'
import { Table, type Statements } from './sqlite-table.ts'
import { inTransaction } from './sqlite-transaction.ts'

/** SCRAM keys, by account. */
export const scramKeys: Table<ScramKeyRow> = new Table('scram_keys', 'username', scramKeyColumns)
/** Public keys, by themselves. */
export const publicKeys: Table<PublicKeyRow> = new Table('public_keys', 'publicKey', publicKeyColumns)

const ofAccount = `SELECT ${namesOf(publicKeyColumns)} FROM public_keys WHERE username = ? LIMIT ${maxPublicKeys}`
const countOfAccount = 'SELECT count(*) FROM public_keys WHERE username = ?'
const remove = 'DELETE FROM public_keys WHERE username = ? AND publicKey = ?'

/** From one to the next in the index: as long as there are derivations, however many accounts there are. */
const derivations = `
  WITH RECURSIVE used (name) AS (
    SELECT min(derivation) FROM scram_keys UNION ALL
    SELECT (SELECT min(derivation) FROM scram_keys WHERE derivation > name) FROM used WHERE name IS NOT NULL
  ) SELECT name FROM used WHERE name IS NOT NULL LIMIT ?`

/** Derivations in use, in an order that is the same for every process. */
export function derivationsOf(on: Statements, most: number): readonly ScramDerivation[] {
  return on.all(derivations, most).map(([name]) => {
    const [way = '', iterations, memory, saltBytes] = String(name).split(':')
    return {
      kdf: kdf.read(way),
      iterations: Number(iterations),
      memory: memory === '' ? undefined : Number(memory),
      saltBytes: Number(saltBytes),
    }
  })
}

/** Counts and adds under one lock: of several processes none adds a key too many, or one that another has added. */
export function addPublicKey(on: Statements, row: PublicKeyRow): 'added' | 'taken' | 'full' {
  return inTransaction(on.db, () => {
    if (publicKeys.exists(on, row.publicKey)) return 'taken'
    if (Number(on.get(countOfAccount, row.username)?.[0]) >= maxPublicKeys) return 'full'
    publicKeys.insert(on, row)
    return 'added'
  })
}

/** Removes it from this account, and from no other. */
export function endPublicKey(on: Statements, username: string, publicKey: string): boolean {
  return on.run(remove, username, publicKey) > 0
}

/** The keys of one account. */
export function publicKeysOf(on: Statements, username: string): readonly PublicKeyRow[] {
  return on.all(ofAccount, username).map((stored) => rowOf(publicKeyColumns, stored))
}
