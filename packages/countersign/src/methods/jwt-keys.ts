/** Where the keys of an issuer come from: the contract, and the two sources that need no network. */
import { MisuseError } from '../core/errors.ts'
import type { MaybePromise } from '../core/records.ts'
import { keySet, maxKeys, type VerificationKey, type WantedKey } from './jwt-jwk.ts'

/** Keys of one issuer. Made by `jwks`, `localJwks` or `hmacSecret`; several guards may share one. */
export type KeySource = PublicKeySource | SecretSource

/** How a cache learns that its keys have changed. */
interface Generations {
  /**
   * Changes whenever the keys do, so that what was verified under earlier ones is verified anew.
   * @returns `undefined` when the keys are due to be fetched
   */
  generation(now: number): number | undefined
}

/** Public keys, of which a token's header names one. */
export interface PublicKeySource extends Generations {
  readonly kind: 'public'
  /** The one key that fits. @throws OutageError when no keys are at hand */
  find(wanted: WantedKey, now: number): MaybePromise<VerificationKey | undefined>
}

/** One shared secret. */
export interface SecretSource extends Generations {
  readonly kind: 'secret'
  /** The `kid` that a token must state if it states any. */
  readonly kid: string | undefined
  /** The bytes, always the same array. A function, so that no log of the options shows them. */
  secret(): Uint8Array
}

/** A JSON Web Key as options take it (RFC 7517 §4). Private members are ignored. */
export interface Jwk {
  readonly kty?: string | undefined
  readonly kid?: string | undefined
  readonly alg?: string | undefined
  readonly use?: string | undefined
  readonly key_ops?: readonly string[] | undefined
  readonly crv?: string | undefined
  readonly x?: string | undefined
  readonly y?: string | undefined
  readonly n?: string | undefined
  readonly e?: string | undefined
}

/** Keys that are known when the program starts. */
export interface LocalJwksOptions {
  /** 1 to 128 public keys; read once, so that later changes of the list have no effect. */
  readonly keys: readonly Jwk[]
}

/** RFC 7518 §3.2: at least as long as the digest. */
const leastSecretBytes = 32

/**
 * Public keys from configuration. Keys that are symmetric, too short, or for another use than signatures are skipped.
 *
 * @throws MisuseError when no key is left, or there are more than 128
 */
export function localJwks(options: LocalJwksOptions): PublicKeySource {
  const keys = keySet(options.keys)
  if (keys.size === 0 || options.keys.length > maxKeys) {
    throw new MisuseError(
      'invalid_option',
      `localJwks: 1 to ${String(maxKeys)} keys that can verify signatures`,
    )
  }
  return { kind: 'public', find: (wanted) => keys.find(wanted), generation: () => 0 }
}

/**
 * A secret shared with the issuer, for HS256. Whoever verifies with it can sign with it: prefer public keys.
 *
 * @param bytes at least 32, from a generator and never a password; copied
 * @throws MisuseError when there are fewer
 */
export function hmacSecret(bytes: Uint8Array, options: { readonly kid?: string } = {}): SecretSource {
  if (!(bytes instanceof Uint8Array) || bytes.length < leastSecretBytes) {
    throw new MisuseError('invalid_option', `hmacSecret: at least ${String(leastSecretBytes)} bytes`)
  }
  const copy = Uint8Array.from(bytes)
  return { kind: 'secret', kid: options.kid, secret: () => copy, generation: () => 0 }
}
