/** What a server keeps of a password for SCRAM: made once, when the password is set. */
import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { checkWhole, MisuseError } from '../core/errors.ts'
import { saslPrep } from '../wire/scram-text.ts'

/** How keys are made; `argon2id13` and `pbkdf2` for `wamp-scram`, `argon2id-13` for `scram` of Autobahn. */
export interface ScramKeyOptions {
  readonly kdf: 'argon2id13' | 'argon2id-13' | 'pbkdf2'
  /** Passes of argon2id, or rounds of PBKDF2. */
  readonly iterations: number
  /** KiB; needed by argon2id. */
  readonly memory?: number
  /** @default 16 random bytes */
  readonly salt?: Uint8Array
}

/** A principal as `scramPrincipals` takes it; salt and keys in hex. */
export interface ScramKeys {
  readonly kdf: ScramKeyOptions['kdf']
  readonly iterations: number
  readonly memory?: number
  readonly salt: string
  readonly 'stored-key': string
  readonly 'server-key': string
}

const keyBytes = 32
const argon2id = 2
const derivePbkdf2 = promisify(pbkdf2)

/**
 * Derives the keys of a password (RFC 5802 §3). Passwords are prepared by SASLprep where the
 * specification's clients do so.
 * @throws MisuseError for costs out of range, or when argon2id is asked for without the peer dependency
 */
export async function scramKeys(password: string, options: ScramKeyOptions): Promise<ScramKeys> {
  const { kdf, iterations, memory, salt = randomBytes(16) } = options
  checkWhole('scramKeys: iterations', iterations, [1, 10_000_000])
  if (kdf !== 'pbkdf2') checkWhole('scramKeys: memory', memory ?? 0, [8, 4_194_304])
  const salted = await saltedPassword(password, { ...options, salt })
  const clientKey = createHmac('sha256', salted).update('Client Key').digest()
  return {
    kdf,
    iterations,
    ...(kdf === 'pbkdf2' || memory === undefined ? {} : { memory }),
    salt: Buffer.from(salt).toString('hex'),
    'stored-key': createHash('sha256').update(clientKey).digest('hex'),
    'server-key': createHmac('sha256', salted).update('Server Key').digest('hex'),
  }
}

async function saltedPassword(
  password: string,
  { kdf, iterations, memory, salt }: ScramKeyOptions & { readonly salt: Uint8Array },
): Promise<Uint8Array> {
  const prepared = saslPrep(password) ?? password
  if (kdf === 'pbkdf2') return derivePbkdf2(prepared, salt, iterations, keyBytes, 'sha256')
  const { hashRaw } = await import('@node-rs/argon2').catch(() => {
    throw new MisuseError('missing_port', 'scramKeys: @node-rs/argon2 cannot be loaded, npm install it')
  })
  const raw = await hashRaw(kdf === 'argon2id13' ? prepared : password, {
    algorithm: argon2id,
    timeCost: iterations,
    memoryCost: memory ?? 0,
    parallelism: 1,
    outputLen: keyBytes,
    salt,
  })
  // Autobahn takes the hash as it stands in a PHC string: base64 without padding, as text.
  return kdf === 'argon2id13' ? raw : Buffer.from(raw.toString('base64').replaceAll('=', ''))
}
