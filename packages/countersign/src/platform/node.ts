/** What Node lends: its one-shot cryptography, its generator and its clock. Front door of the platform room. */
import {
  createHmac,
  createSecretKey,
  hash,
  pbkdf2,
  randomBytes,
  randomFillSync,
  type KeyObject,
} from 'node:crypto'
import { promisify } from 'node:util'
import type { Clock, Platform } from '../core/ports.ts'
import type { Hash } from '../core/records.ts'
import { verifyEd25519 } from './node-ed25519.ts'
import { oneShotVerify } from './node-signatures.ts'

export { argon2Passwords, rejectingPasswords, type Argon2Options } from './argon2.ts'
export { ed25519Signer, type Ed25519Signer } from './node-ed25519.ts'
export { scramKeys, type ScramKeyOptions, type ScramKeys } from './scram-keys.ts'
export {
  decoyKeyFrom,
  deviceKeyFrom,
  sealer,
  sealingKeysFrom,
  type SealingKey,
  type SealingKeySource,
} from './sealing.ts'

const derivePbkdf2 = promisify(pbkdf2)

/**
 * The platform of Node. Hashes, HMACs, randomness and quick signature checks answer at once; `derive` and the checks of
 * slow keys (P-384, P-521, RSA of more than 4096 bits) are promises, on the thread pool.
 * A key given as bytes is remembered by its array: do not change the array afterwards.
 */
export function nodePlatform(): Platform {
  const keys = new WeakMap<Uint8Array, KeyObject>()
  const keyOf = (bytes: Uint8Array): KeyObject => {
    const known = keys.get(bytes)
    if (known !== undefined) return known
    const key = createSecretKey(bytes)
    keys.set(bytes, key)
    return key
  }
  return {
    clock: nodeClock(),
    // The digest of a text is what `Hash` is the name of.
    hash: (text) => hash('sha256', text, 'base64url') as Hash,
    hmac(key, text) {
      // Bytes cost five times as much as a string or a KeyObject when handed over raw.
      const prepared = typeof key === 'string' ? key : keyOf(key)
      return createHmac('sha256', prepared).update(text).digest('base64')
    },
    verify: oneShotVerify(),
    verifyEd25519,
    random: randomPool(),
    derive: (secret, { salt, iterations, keylen }) =>
      derivePbkdf2(secret, salt, iterations, keylen, 'sha256'),
  }
}

/** The system's clock. Its timers do not keep the process alive. */
function nodeClock(): Clock {
  return {
    now: () => Date.now(),
    every(everyMs, tick) {
      const timer = setInterval(tick, everyMs).unref()
      return () => clearInterval(timer)
    },
  }
}

/** One draw from the operating system's generator. */
const poolBytes = 4096

/** Draws from the generator 4 KiB at a time: a tenth of the cost of a call for each secret. */
function randomPool(): (bytes: number) => string {
  const pool = Buffer.alloc(poolBytes)
  let at = poolBytes
  return (bytes) => {
    if (bytes > poolBytes) return randomBytes(bytes).toString('base64url')
    if (at + bytes > poolBytes) {
      randomFillSync(pool)
      at = 0
    }
    const text = pool.toString('base64url', at, at + bytes)
    // What was handed out does not stay in memory a second time.
    pool.fill(0, at, at + bytes)
    at += bytes
    return text
  }
}
