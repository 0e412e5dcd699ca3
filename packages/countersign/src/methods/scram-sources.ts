/** Principals of SCRAM: what is kept of each proves that someone knows a password, and is none. */
import {
  decoy,
  derive,
  findAccount,
  findChallengeSecret,
  findScramKey,
  hash,
  hmac,
  listSaltings,
  listScramDerivations,
} from '../core/ask.ts'
import type { Talk } from '../core/drive.ts'
import { MisuseError } from '../core/errors.ts'
import type { ScramDerivation, ScramKdf } from '../core/records.ts'
import { encodeUtf8 } from '../wire/utf8.ts'
import { dictOf, wholeIn, whoOf, type Answered } from './wamp-answer.ts'
import { saslPrep } from '../wire/scram-text.ts'
import { answeredBytes, decodeHex } from './wamp-bytes.ts'
import { listed, type PrincipalSource, type SourceMaker, type Surroundings } from './wamp-source.ts'
import { accountWho, secretWho, staticWho, type Who } from './wamp-who.ts'

export type { ScramKdf } from '../core/records.ts'

/** How a principal's challenge looks: decoys take after it. */
export interface ScramShape extends ScramDerivation {
  /** Whether the salt is the text of base64 characters that `secretSalt` makes. */
  readonly ofSecret: boolean
}

/** Somebody who knows a password. */
export interface ScramFound extends ScramShape {
  readonly who: Who
  readonly salt: Uint8Array
  /** SHA-256 of the client key, 32 bytes (RFC 5802 §3). */
  readonly storedKey: Uint8Array
  /** 32 bytes. */
  readonly serverKey: Uint8Array
}

/** A principal as configurations write it: what `scramKeys` or `derive_scram_credential` of Autobahn has made. */
export interface ScramPrincipal {
  readonly kdf: ScramKdf
  readonly iterations: number
  /** KiB; needed by argon2id. */
  readonly memory?: number
  /** Hex, 8 to 64 bytes. */
  readonly salt: string
  /** Hex, 32 bytes each. */
  readonly 'stored-key': string
  readonly 'server-key': string
  readonly role?: string
  /** The name that the session gets. @default the one under which the principal is listed */
  readonly authid?: string
}

/**
 * Principals of a configuration, by the name that they log in with.
 * @throws MisuseError for keys, salts and costs that are none
 */
export function scramPrincipals(
  principals: Readonly<Record<string, ScramPrincipal>>,
): PrincipalSource<ScramFound, ScramShape> {
  const list = new Map<string, ScramFound>()
  for (const [name, { role, authid = name, ...material }] of Object.entries(principals)) {
    list.set(name, { ...materialOf(material), who: staticWho(authid, role) })
  }
  const shapes = new Map([...list.values()].map((found) => [JSON.stringify(shapeOf(found)), shapeOf(found)]))
  return listed(({ name }) => list.get(name), [...shapes.values()])
}

function shapeOf({ kdf, iterations, memory, saltBytes, ofSecret }: ScramFound): ScramShape {
  return { kdf, iterations, memory, saltBytes, ofSecret }
}

const kdfs: ReadonlySet<unknown> = new Set<ScramKdf>(['pbkdf2', 'argon2id13', 'argon2id-13'])

/** Reads what was written, in a configuration or by an authenticator. */
function materialOf(written: Readonly<Record<string, unknown>>): Omit<ScramFound, 'who'> {
  const { kdf, salt: saltText } = written
  const storedKey = decodeHex(written['stored-key'], 32)
  const serverKey = decodeHex(written['server-key'], 32)
  const saltBytes = String(saltText).length / 2
  const salt = saltBytes >= 8 && saltBytes <= 64 ? decodeHex(saltText, saltBytes) : undefined
  if (!isKdf(kdf) || storedKey === undefined || serverKey === undefined || salt === undefined) {
    throw new MisuseError('invalid_option', 'scram: kdf, salt, stored-key or server-key is none')
  }
  const iterations = wholeIn('scram: iterations', written['iterations'], [1, 10_000_000])
  const memory = wholeIn('scram: memory', kdf === 'pbkdf2' ? undefined : written['memory'], [8, 4_194_304])
  if (iterations === undefined || (memory === undefined && kdf !== 'pbkdf2')) {
    throw new MisuseError('invalid_option', 'scram: iterations or memory is missing')
  }
  return { kdf, iterations, memory, saltBytes, ofSecret: false, salt, storedKey, serverKey }
}

function isKdf(value: unknown): value is ScramKdf {
  return kdfs.has(value)
}

/** RFC 7677 §4 asks for this at least; the secrets of accounts are random as a rule, and each login derives. */
const secretIterations = 4_096

const secretShape: ScramShape = {
  kdf: 'pbkdf2',
  iterations: secretIterations,
  memory: undefined,
  saltBytes: 24,
  ofSecret: true,
}

/** Salt for names of the records: the same each time, and made for names that nobody has alike. */
export function* secretSalt(authid: string): Talk<string> {
  return (yield* decoy(`scram-salt 0\n${authid}`)).slice(0, secretShape.saltBytes)
}

/**
 * SCRAM keys of an account, by its name as it is stored: were it found in capitals too, its salt would be the same then,
 * which those of unknown names are not. Asked for in the same way for names that nobody has.
 */
function* keysOfAccount({ name: username, shown }: Surroundings): Talk<ScramFound | undefined> {
  const row = yield* findScramKey(username)
  const account = yield* findAccount(username)
  if (row === undefined || account === undefined || account.disabled) return undefined
  const { storedKey, serverKey } = row
  const material = materialOf({ ...row, 'stored-key': storedKey, 'server-key': serverKey })
  return { ...material, who: accountWho(account, shown.now) }
}

/**
 * Challenge secrets of the records that are kept in clear, login-bound ones too; their keys are derived at each login,
 * for names that nobody has alike.
 */
function* keysOfSecret({ name: authid }: Surroundings): Talk<ScramFound | undefined> {
  const row = yield* findChallengeSecret(authid)
  const nobody = yield* decoy(`scram-secret\n${authid}`)
  // Of a salted one only the derived key is known, which is of no use to another method.
  const usable = row?.salting === undefined ? row : undefined
  const salt = yield* secretSalt(authid)
  const salting = { salt, iterations: secretIterations, keylen: 32 }
  const secret = usable?.secret ?? nobody
  const salted = yield* derive(saslPrep(secret) ?? secret, salting)
  const clientKey = answeredBytes(yield* hmac(salted, 'Client Key'))
  const storedKey = answeredBytes(yield* hash(clientKey))
  const serverKey = answeredBytes(yield* hmac(salted, 'Server Key'))
  if (usable === undefined) return undefined
  return { ...secretShape, who: secretWho(usable), salt: encodeUtf8(salt), storedKey, serverKey }
}

/** Both are looked for, whoever is found. */
const accountSource: PrincipalSource<ScramFound, ScramShape> = {
  *find(around) {
    const account = yield* keysOfAccount(around)
    const secret = yield* keysOfSecret(around)
    return account ?? secret
  },
  *shapes() {
    const derivations = yield* listScramDerivations()
    const saltings = yield* listSaltings()
    const shapes = derivations.map((derivation) => ({ ...derivation, ofSecret: false }))
    // Where there is nothing that lasts, only secrets of logins can be met: their names are random, their shape is known.
    const ofSecrets = saltings.includes(undefined) || shapes.length === 0
    return ofSecrets ? [secretShape, ...shapes].slice(0, 16) : shapes
  },
}

/** See `sourcesOf`. */
export const scramSources: SourceMaker<ScramFound, ScramShape> = {
  accounts: accountSource,
  read(answered: Answered) {
    const who = whoOf(answered)
    return who === undefined ? undefined : { ...materialOf(dictOf(answered.value)), who }
  },
  shapeOf,
}
