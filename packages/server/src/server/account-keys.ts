/** What accounts log in with besides passwords: SCRAM keys and public keys. Whatever is taken away ends what it had opened. */
import type { PublicKeyRow, Records, ScramKdf, ScramKeyRow } from 'countersign'
import { MisuseError, maxPublicKeys } from 'countersign'
import { normalisePublicKey } from 'countersign/methods'
import { scramKeys, type ScramKeyOptions } from 'countersign/platform/node'
import { checkPassword, knownAccount, revokeSubject, type AccountTools } from './accounts.ts'

/**
 * What deriving costs, the client at each login and a thief at each guess: argon2id as RFC 9106 §4 recommends where memory
 * is short, on one lane, because the protocol knows no more; PBKDF2 as OWASP recommends.
 */
const costs: Readonly<Record<ScramKdf, Pick<ScramKeyOptions, 'iterations' | 'memory'>>> = {
  argon2id13: { iterations: 3, memory: 65_536 },
  'argon2id-13': { iterations: 3, memory: 65_536 },
  pbkdf2: { iterations: 600_000 },
}

/** Ways to derive SCRAM keys, the recommended one first. */
export const scramKdfs: readonly ScramKdf[] = ['argon2id13', 'argon2id-13', 'pbkdf2']

/** What SCRAM keys are made of. */
export interface NewScramKey {
  readonly username: string
  /** 8 to 1,024 characters; need not be the one of the login form. */
  readonly password: string
  readonly kdf: ScramKdf
}

/**
 * Derives and keeps SCRAM keys of a password, in place of earlier ones, which end with everything that the account had
 * opened.
 * @throws MisuseError when there is no such account, the password is out of bounds, or argon2id cannot be loaded
 */
export async function setScramKey(tools: AccountTools, wanted: NewScramKey): Promise<ScramKeyRow> {
  const { username } = await knownAccount(tools.records, wanted.username)
  const { kdf } = wanted
  const keys = await scramKeys(checkPassword(wanted.password), { kdf, ...costs[kdf] })
  const row: ScramKeyRow = {
    username,
    kdf,
    iterations: keys.iterations,
    memory: keys.memory,
    salt: keys.salt,
    storedKey: keys['stored-key'],
    serverKey: keys['server-key'],
    changedAtMs: tools.clock.now(),
  }
  const replaced = await tools.records.findScramKey(username)
  await tools.records.putScramKey(row)
  if (replaced !== undefined) await revokeSubject(tools, username)
  return row
}

/** Removes the SCRAM keys of an account. @throws MisuseError when there is no such account, or it has none */
export async function endScramKey(tools: AccountTools, typed: string): Promise<void> {
  const { username } = await knownAccount(tools.records, typed)
  if (!(await tools.records.endScramKey(username))) {
    throw new MisuseError('invalid_option', `${username} has no SCRAM keys`)
  }
  await revokeSubject(tools, username)
}

/**
 * Lets the holder of an Ed25519 key log in to an account.
 * @param hex 64 hex digits
 * @throws MisuseError when there is no such account, the key is none, some account has it, or this one has too many
 */
export async function addPublicKey(tools: AccountTools, typed: string, hex: string): Promise<PublicKeyRow> {
  const { username } = await knownAccount(tools.records, typed)
  const row: PublicKeyRow = { username, publicKey: checkPublicKey(hex), addedAtMs: tools.clock.now() }
  const outcome = await tools.records.addPublicKey(row)
  if (outcome === 'added') return row
  if (outcome === 'full') {
    throw new MisuseError('invalid_option', `${username} has ${maxPublicKeys} public keys, which is the most`)
  }
  throw new MisuseError('invalid_option', 'this public key belongs to an account already; no two share one')
}

/**
 * Takes a key away from an account, with everything that the account had opened.
 * @throws MisuseError when there is no such account, or it does not have this key
 */
export async function endPublicKey(tools: AccountTools, typed: string, hex: string): Promise<void> {
  const { username } = await knownAccount(tools.records, typed)
  if (!(await tools.records.endPublicKey(username, checkPublicKey(hex)))) {
    throw new MisuseError('invalid_option', `${username} does not have this public key`)
  }
  await revokeSubject(tools, username)
}

/** What an account may log in with. */
export interface AccountKeys {
  readonly scram: ScramKeyRow | undefined
  /** Oldest first. */
  readonly publicKeys: readonly PublicKeyRow[]
}

/** Keys of an account. */
export async function keysOf(records: Records, username: string): Promise<AccountKeys> {
  const scram = await records.findScramKey(username)
  const publicKeys = [...(await records.listPublicKeys(username))]
  return { scram, publicKeys: publicKeys.sort((one, other) => one.addedAtMs - other.addedAtMs) }
}

/** The stored form of a key. @throws MisuseError for one that is none, or that holds nobody off */
function checkPublicKey(hex: string): string {
  const publicKey = normalisePublicKey(hex)
  if (publicKey !== undefined) return publicKey
  throw new MisuseError('invalid_option', 'the public key is none: an Ed25519 key is 64 hex digits')
}
