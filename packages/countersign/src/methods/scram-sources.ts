/** Principals of SCRAM: what is kept of each proves that someone knows a password, and is none. */
import { decoy, derive, findChallengeSecret, hash, hmac, takeChallengeSecret } from '../core/ask.ts'
import type { Talk } from '../core/drive.ts'
import { MisuseError } from '../core/errors.ts'
import { secretGrant } from '../core/rows.ts'
import { encodeUtf8 } from '../wire/utf8.ts'
import { dictOf, wholeIn, whoOf, type Answered } from './wamp-answer.ts'
import { saslPrep } from './scram-text.ts'
import { answeredBytes, decodeHex } from './wamp-bytes.ts'
import { listed, plainWho, type PrincipalSource, type SourceMaker, type Who } from './wamp-source.ts'

/**
 * How the password becomes the salted password. `argon2id13` is the specification's, whose key is the hash itself;
 * `argon2id-13` is Autobahn's, whose key is the hash in base64 without padding: stored keys of one fit no other.
 */
export type ScramKdf = 'pbkdf2' | 'argon2id13' | 'argon2id-13'

/** How a principal's challenge looks: decoys take after it. */
export interface ScramShape {
  readonly kdf: ScramKdf
  /** Rounds of PBKDF2, or passes of argon2id. */
  readonly iterations: number
  /** KiB for argon2id; `undefined` for PBKDF2. */
  readonly memory: number | undefined
  readonly saltBytes: number
  /** Whether the salt is the text of base64 characters that `accountSalt` makes. */
  readonly ofAccount: boolean
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
    const who = { ...plainWho, authid, roles: role === undefined ? [] : [role], provider: 'static' }
    list.set(name, { ...materialOf(material), who })
  }
  const shapes = new Map([...list.values()].map((found) => [JSON.stringify(shapeOf(found)), shapeOf(found)]))
  return listed(({ name }) => list.get(name), [...shapes.values()])
}

function shapeOf({ kdf, iterations, memory, saltBytes, ofAccount }: ScramFound): ScramShape {
  return { kdf, iterations, memory, saltBytes, ofAccount }
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
  return { kdf, iterations, memory, saltBytes, ofAccount: false, salt, storedKey, serverKey }
}

function isKdf(value: unknown): value is ScramKdf {
  return kdfs.has(value)
}

/** RFC 7677 §4 asks for this at least; the secrets of accounts are random as a rule, and each login derives. */
const accountIterations = 4_096

const accountShape: ScramShape = {
  kdf: 'pbkdf2',
  iterations: accountIterations,
  memory: undefined,
  saltBytes: 24,
  ofAccount: true,
}

/** Salt for names of the records: the same each time, and made for names that nobody has alike. */
export function* accountSalt(authid: string): Talk<string> {
  return (yield* decoy(`scram-salt 0\n${authid}`)).slice(0, accountShape.saltBytes)
}

/**
 * Challenge secrets of the records that are kept in clear, login-bound ones too; their keys are derived at each login,
 * for names that nobody has alike.
 */
const accountSource: PrincipalSource<ScramFound, ScramShape> = {
  *find({ name: authid }) {
    const row = yield* findChallengeSecret(authid)
    const nobody = yield* decoy(`scram-secret\n${authid}`)
    // Of a salted one only the derived key is known, which is of no use to another method.
    const usable = row?.salting === undefined ? row : undefined
    const salt = yield* accountSalt(authid)
    const salting = { salt, iterations: accountIterations, keylen: 32 }
    const secret = usable?.secret ?? nobody
    const salted = yield* derive(saslPrep(secret) ?? secret, salting)
    const clientKey = answeredBytes(yield* hmac(salted, 'Client Key'))
    const storedKey = answeredBytes(yield* hash(clientKey))
    const serverKey = answeredBytes(yield* hmac(salted, 'Server Key'))
    if (usable === undefined) return undefined
    const { subject, roles, uses, expiresAtMs: untilMs } = usable
    const spend = uses === 'one' ? () => takeChallengeSecret(usable.authid) : undefined
    const grant = secretGrant(usable)
    const who = {
      ...plainWho,
      authid: usable.authid,
      subject,
      roles,
      provider: 'records',
      grant,
      untilMs,
      spend,
    }
    return { ...accountShape, who, salt: encodeUtf8(salt), storedKey, serverKey }
  },
  // oxlint-disable-next-line require-yield -- every source is a conversation; this answer is at hand
  *shapes() {
    return [accountShape]
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
