/** Public keys as JSON Web Keys (RFC 7517): which are usable, and which one a token means. */
import { importJWK, type CryptoKey } from 'jose'
import { OutageError } from '../core/errors.ts'
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

/** A key that fits, imported on first use and once. @throws OutageError when its numbers make no key */
export type VerificationKey = () => Promise<CryptoKey>

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
  readonly alg: string | undefined
  readonly kty: AlgorithmRow['kty']
  readonly crv: string | undefined
  /** The members that make up the key, base64url (RFC 7518 §6, RFC 8037 §2). */
  readonly numbers: Readonly<Record<string, string>>
}

/** Most keys that are looked at in one set. */
export const maxKeys = 128

/** The members that hold the numbers of a public key, by `kty`. Symmetric keys have no row: they are no public keys. */
const numbersOf: ReadonlyMap<unknown, { readonly kty: PublicJwk['kty']; readonly names: readonly string[] }> =
  new Map(
    [
      { kty: 'RSA', names: ['n', 'e'] } as const,
      { kty: 'EC', names: ['x', 'y'] } as const,
      { kty: 'OKP', names: ['x'] } as const,
    ].map((row) => [row.kty, row]),
  )

/** RFC 7518 §3.3: 2048 bits or more; 8192 bounds the cost of one verification. */
const rsaBytes = { least: 256, most: 1024 } as const

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
  const imported = new Map<PublicJwk, Map<JwtAlgorithm, Promise<CryptoKey>>>(
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
        const fresh = importKey(jwk, alg)
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

function readJwk(value: unknown): PublicJwk | undefined {
  if (!isRecord(value)) return undefined
  const { kty, kid, alg, crv } = value
  const shape = numbersOf.get(kty)
  if (shape === undefined || !isTextOrAbsent(kid) || !isTextOrAbsent(alg) || !isTextOrAbsent(crv))
    return undefined
  if (!maySign(value)) return undefined
  const numbers = shape.names.map((name) => [name, value[name]] as const)
  if (!numbers.every(isNumber)) return undefined
  if (shape.kty === 'RSA' && !isLongEnough(value.n)) return undefined
  return { kid, alg, kty: shape.kty, crv, numbers: Object.fromEntries(numbers) }
}

/** RFC 7517 §4.2, §4.3: what a key is for, where it says so. */
function maySign({ use, key_ops: operations }: Readonly<Record<string, unknown>>): boolean {
  if (use !== undefined && use !== 'sig') return false
  return operations === undefined || (Array.isArray(operations) && operations.includes('verify'))
}

function isNumber(entry: readonly [string, unknown]): entry is readonly [string, string] {
  const [, digits] = entry
  return typeof digits === 'string' && digits !== '' && decodeBase64url(digits, rsaBytes.most) !== undefined
}

function isLongEnough(modulus: unknown): boolean {
  const bytes = typeof modulus === 'string' ? decodeBase64url(modulus, rsaBytes.most) : undefined
  const [first = 0, ...rest] = bytes?.subarray(bytes.findIndex((byte) => byte !== 0)) ?? []
  return rest.length >= rsaBytes.least || (rest.length === rsaBytes.least - 1 && first >= 0x80)
}

async function importKey(jwk: PublicJwk, alg: JwtAlgorithm): Promise<CryptoKey> {
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

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
