/** Challenge secrets in the file: sealed, because whoever reads the file must not be able to log in. */
import { MisuseError, OutageError } from '../core/errors.ts'
import type { Sealer } from '../core/ports.ts'
import type { ChallengeSecretRow, Salting } from '../core/records.ts'
import { saltingColumns, rowOf, secretColumns, type StoredSecret } from './sqlite-columns.ts'
import { Table, type Statements } from './sqlite-table.ts'

const table = new Table('challenge_secrets', 'authid', secretColumns)
const unsalted = { salt: undefined, iterations: undefined, keylen: undefined } as const
// Word for word the condition of the index that answers both: however many logins there are, they cost nothing here.
const unsaltedInUse = 'SELECT 1 FROM challenge_secrets WHERE session IS NULL AND iterations IS NULL LIMIT 1'
const saltingsInUse = `
  SELECT DISTINCT salt, iterations, keylen FROM challenge_secrets 
  WHERE session IS NULL AND iterations IS NOT NULL
  ORDER BY iterations, keylen, salt LIMIT ?`

/** Seals a row for its place in the table: moved to another name, it does not open. */
export function sealSecret(row: ChallengeSecretRow, sealer: Sealer | undefined): StoredSecret {
  const { salting, ...rest } = row
  const secret = needed(sealer).seal(row.secret, contextOf(row.authid))
  return { ...rest, ...(salting ?? unsalted), secret }
}

/** Writes a sealed row. */
export function putSecret(on: Statements, row: StoredSecret): void {
  table.put(on, row)
}

/** Reads a row and opens its seal. @throws OutageError when no key of the sealer does */
export function findSecret(
  on: Statements,
  authid: string,
  sealer: Sealer | undefined,
): ChallengeSecretRow | undefined {
  const stored = table.find(on, authid)
  if (stored === undefined) return undefined
  const { salt, iterations, keylen, ...rest } = stored
  const secret = needed(sealer).unseal(stored.secret, contextOf(authid))
  if (secret === undefined) {
    throw new OutageError('keys_unavailable', 'records: no sealing key opens this challenge secret')
  }
  const isSalted = salt !== undefined && iterations !== undefined && keylen !== undefined
  return { ...rest, secret, salting: isSalted ? { salt, iterations, keylen } : undefined }
}

/** Whether there is one. Takes no lock. */
export function hasSecret(on: Statements, authid: string): boolean {
  return table.exists(on, authid)
}

/** Removes it. `true` for exactly one caller. */
export function takeSecret(on: Statements, authid: string): boolean {
  return table.remove(on, authid)
}

/** Distinct saltings of secrets that no session ends, in an order that is the same for every process; unsalted first. */
export function saltingsOf(on: Statements, most: number): readonly (Salting | undefined)[] {
  const plain = on.get(unsaltedInUse) === undefined ? [] : [undefined]
  const salted = on.all(saltingsInUse, most)
  return [...plain, ...salted.map((stored) => rowOf(saltingColumns, stored))].slice(0, most)
}

/** Bound into the seal: a row that is copied to another name does not open there. */
function contextOf(authid: string): string {
  return `challenge secret of ${authid}`
}

/** Told at the first use, not at the opening: whoever keeps no challenge secrets needs no sealing key. */
function needed(sealer: Sealer | undefined): Sealer {
  if (sealer !== undefined) return sealer
  throw new MisuseError('missing_port', 'sqlite: challenge secrets need the option sealer')
}
