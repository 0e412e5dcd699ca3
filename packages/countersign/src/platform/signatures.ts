/** What public keys say of the signatures that they verify: the one reading of it for every platform. */
import type { PublicKey } from '../core/ports.ts'

/** How a signature is computed. */
export interface SignatureScheme {
  readonly name: 'Ed25519' | 'ECDSA' | 'RSASSA-PKCS1-v1_5' | 'RSA-PSS'
  /** Digest of the text; `undefined`: the scheme has its own. */
  readonly hash: 'SHA-256' | 'SHA-384' | 'SHA-512' | undefined
  /** Salt of RSA-PSS: as long as the digest, which is all that RFC 7518 §3.5 allows. */
  readonly saltBytes: number
}

function scheme(
  name: SignatureScheme['name'],
  hash?: SignatureScheme['hash'],
  saltBytes: number = 0,
): SignatureScheme {
  return { name, hash, saltBytes }
}

/**
 * By the key's algorithm and its curve or digest. A curve has one digest (RFC 7518 §3.4), and no key is there for two
 * schemes: which one a signature is held against is the key's to say, and never the token's.
 */
const schemes: ReadonlyMap<string, SignatureScheme> = new Map([
  ['Ed25519', scheme('Ed25519')],
  ['ECDSA P-256', scheme('ECDSA', 'SHA-256')],
  ['ECDSA P-384', scheme('ECDSA', 'SHA-384')],
  ['ECDSA P-521', scheme('ECDSA', 'SHA-512')],
  ['RSASSA-PKCS1-v1_5 SHA-256', scheme('RSASSA-PKCS1-v1_5', 'SHA-256')],
  ['RSASSA-PKCS1-v1_5 SHA-384', scheme('RSASSA-PKCS1-v1_5', 'SHA-384')],
  ['RSASSA-PKCS1-v1_5 SHA-512', scheme('RSASSA-PKCS1-v1_5', 'SHA-512')],
  ['RSA-PSS SHA-256', scheme('RSA-PSS', 'SHA-256', 32)],
  ['RSA-PSS SHA-384', scheme('RSA-PSS', 'SHA-384', 48)],
  ['RSA-PSS SHA-512', scheme('RSA-PSS', 'SHA-512', 64)],
])

/**
 * The scheme that a key was imported for.
 *
 * @throws TypeError for a key that is not public, not for verifying, or of a scheme that is no row of the table
 */
export function schemeOf(key: PublicKey): SignatureScheme {
  const { name, ...rest } = key.algorithm
  const detail = 'namedCurve' in rest ? rest.namedCurve : 'hash' in rest ? nameOf(rest.hash) : undefined
  const found = schemes.get(typeof detail === 'string' ? `${name} ${detail}` : name)
  if (found === undefined || key.type !== 'public' || !key.usages.includes('verify')) {
    throw new TypeError('a key that cannot verify signatures')
  }
  return found
}

function nameOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'name' in value ? value.name : undefined
}
