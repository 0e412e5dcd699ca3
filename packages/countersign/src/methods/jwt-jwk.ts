/** Public keys as JSON Web Keys (RFC 7517): which are usable, and which one a token means. */
import { importJWK } from 'jose'
import { OutageError } from '../core/errors.ts'
import type { PublicKey } from '../core/ports.ts'
import type { MaybePromise } from '../core/records.ts'
import { decodeBase64url } from '../wire/base64.ts'
import { isJsonArray, isJsonObject, parseJson, type Json } from '../wire/json.ts'
import { jwtAlgorithms, type AlgorithmRow, type JwtAlgorithm } from './jwt-algorithms.ts'

/** What a token says of its key, together with what its issuer is allowed to use. */
export interface WantedKey {
  readonly alg: JwtAlgorithm
  /** `undefined`: the token names no key, so exactly one must fit. */
  readonly kid: string | undefined
  /** All algorithms allowed for this issuer: they decide for which one a key without `alg` stands. */
  readonly algorithms: readonly JwtAlgorithm[]
}

/**
 * A key that fits, imported on first use and once: a promise until then, and the key itself ever after.
 * @throws OutageError when its numbers make no key
 */
export type VerificationKey = () => MaybePromise<PublicKey>

/** Keys of one issuer at one time. */
export interface KeySet {
  /** How many keys can verify anything at all. */
  readonly size: number
  /** The one key that fits; `undefined` when none does, or more than one. */
  find(wanted: WantedKey): VerificationKey | undefined
}

/** The public part of a usable key. Private members of the source are never copied. */
interface PublicJwk {
  readonly kid: string | undefined
  /** The one algorithm that the key may be used with, where it says so. */
  readonly alg: string | undefined
  readonly kty: AlgorithmRow['kty']
  readonly crv: string | undefined
  /** The members that make up the key, base64url (RFC 7518 §6, RFC 8037 §2). */
  readonly numbers: Readonly<Record<string, string>>
}

/** Most keys that are looked at in one set. */
export const maxKeys = 128

/** What the public keys of one `kty` consist of. */
interface KeyShape {
  readonly kty: PublicJwk['kty']
  /** The members that hold its numbers, and how many bits each has at least. */
  readonly leastBits: Readonly<Record<string, number>>
}

/** By `kty` (RFC 7518 §6, §3.3; RFC 8037 §2). Symmetric keys have no row: they are no public keys. */
const shapes: readonly KeyShape[] = [
  { kty: 'RSA', leastBits: { n: 2048, e: 2 } },
  { kty: 'EC', leastBits: { x: 1, y: 1 } },
  { kty: 'OKP', leastBits: { x: 1 } },
]

/** Longest number: RSA of 8192 bits, which bounds the cost of one verification. */
const maxNumberBytes = 1024

/**
 * Reads a JSON Web Key Set strictly. Keys of another kind or another use are skipped (RFC 7517 §5).
 *
 * @returns `undefined` when the text is no key set, or one of more than `maxKeys` keys
 */
export function parseKeySet(text: string, maxBytes: number): KeySet | undefined {
  const json = parseJson(text, { maxBytes, maxDepth: 16 })
  if (json.kind !== 'found' || !isJsonObject(json.value)) return undefined
  const { keys } = json.value
  return isJsonArray(keys) && keys.length <= maxKeys ? keySet(keys) : undefined
}

/** A set of those keys among `jwks` that can verify signatures. */
export function keySet(jwks: readonly (Json | object)[]): KeySet {
  const keys = jwks.map(readJwk).filter((jwk) => jwk !== undefined)
  // One import for each pair of key and algorithm. Never by `kid` alone: two keys may share one.
  const imported = new Map<PublicJwk, Map<JwtAlgorithm, MaybePromise<PublicKey>>>(
    keys.map((jwk) => [jwk, new Map()]),
  )
  return {
    size: keys.length,
    find(wanted) {
      const [jwk, second] = keys.filter((one) => fits(one, wanted))
      if (jwk === undefined || second !== undefined) return undefined
      const { alg } = wanted
      return () => {
        const known = imported.get(jwk)?.get(alg)
        if (known !== undefined) return known
        const fresh = importKey(jwk, alg).then((key) => {
          imported.get(jwk)?.set(alg, key)
          return key
        })
        imported.get(jwk)?.set(alg, fresh)
        return fresh
      }
    },
  }
}

/** One key, one algorithm (RFC 8725 §3.1): its own `alg`, or the only scheme that its issuer may use with its kind. */
function fits(jwk: PublicJwk, wanted: WantedKey): boolean {
  const row = jwtAlgorithms[wanted.alg]
  if (jwk.kty !== row.kty || jwk.crv !== row.crv) return false
  if (wanted.kid !== undefined && jwk.kid !== wanted.kid) return false
  if (jwk.alg !== undefined) return jwk.alg === wanted.alg
  return wanted.algorithms
    .map((name) => jwtAlgorithms[name])
    .every((other) => other.kty !== row.kty || other.crv !== row.crv || other.scheme === row.scheme)
}

/** The public part of a key; `undefined` for what cannot verify signatures. */
function readJwk(value: unknown): PublicJwk | undefined {
  if (!isRecord(value)) return undefined
  const { kty, kid, alg, crv } = value
  const shape = shapes.find((row) => row.kty === kty)
  if (shape === undefined || !isTextOrAbsent(kid) || !isTextOrAbsent(alg) || !isTextOrAbsent(crv))
    return undefined
  if (!maySign(value)) return undefined
  const numbers: Record<string, string> = {}
  for (const [name, leastBits] of Object.entries(shape.leastBits)) {
    const digits = value[name]
    if (typeof digits !== 'string' || bitLength(digits) < leastBits) return undefined
    numbers[name] = digits
  }
  return { kid, alg, kty: shape.kty, crv, numbers }
}

/** RFC 7517 §4.2, §4.3: what a key is for, where it says so. */
function maySign({ use, key_ops: operations }: Readonly<Record<string, unknown>>): boolean {
  if (use !== undefined && use !== 'sig') return false
  return operations === undefined || (Array.isArray(operations) && operations.includes('verify'))
}

/** Bits of a base64url number without its leading zeros; 0 for what is none, and for what is too long. */
function bitLength(digits: string): number {
  const bytes = decodeBase64url(digits, maxNumberBytes) ?? []
  for (const [at, byte] of bytes.entries()) {
    if (byte !== 0) return (bytes.length - at) * 8 + 24 - Math.clz32(byte)
  }
  return 0
}

/**
 * The library makes it a key of this algorithm and no other; the runtime checks that the numbers make one, a point on
 * its curve for instance.
 */
async function importKey(jwk: PublicJwk, alg: JwtAlgorithm): Promise<PublicKey> {
  const { kty, crv, numbers } = jwk
  try {
    const key = await importJWK({ kty, ...numbers, ...(crv === undefined ? {} : { crv }) }, alg)
    if (key instanceof Uint8Array) throw new TypeError('a symmetric key')
    return key
  } catch (cause) {
    throw new OutageError('keys_unavailable', 'jwt: a published key cannot be imported', { cause })
  }
}

function isTextOrAbsent(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string'
}

/** Also arrays: they have none of the members that are asked for. */
function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
