/** JSON Web Tokens of configured issuers (RFC 7519, by the rules of RFC 8725). */
import { hash } from '../core/ask.ts'
import type { Talk } from '../core/drive.ts'
import { placesOf, type Method, type Shown } from '../core/method.ts'
import type { CompactJws } from '../core/ports.ts'
import { deny, type Verdict } from '../core/verdict.ts'
import { maxJwsBytes, parseCompactJws } from '../wire/jws.ts'
import { tokenCache } from './jwt-cache.ts'
import { acceptClaims, judgeTimes, readClaims, type JwtClaims } from './jwt-claims.ts'
import { isTyp, jwtRules, type JwtOptions, type JwtRules } from './jwt-options.ts'
import { isSigned, type Signing } from './jwt-signature.ts'

export type { JwtAlgorithm } from './jwt-algorithms.ts'
export type { JwtClaimNames } from './jwt-claims.ts'
export { jwks, type JwksFetch, type JwksOptions } from './jwt-jwks.ts'
export { hmacSecret, localJwks, type Jwk, type KeySource, type LocalJwksOptions } from './jwt-keys.ts'
export type { JwtOptions } from './jwt-options.ts'

/** A token that would be accepted, or is merely too old, if its signature were right. */
interface Candidate {
  readonly jws: CompactJws
  readonly claims: JwtClaims
  /** Whether its time is over: told only after the signature was found right. */
  readonly expired: boolean
  readonly signing: Signing
}

/**
 * Accepts a signed token until its `exp`. A token that was verified before is accepted again without any promise, as
 * long as the keys that verified it are in force; whether it was revoked is asked by the guard each time.
 *
 * `expired_credential` is said of tokens whose signature is right, and of no others.
 *
 * @throws MisuseError when an option is missing or impossible
 */
export function jwt(options: JwtOptions): Method {
  // Checked now: a guard that is misconfigured does not start.
  const rules = jwtRules(options)
  const cache = rules.cacheSize === 0 ? undefined : tokenCache(rules.cacheSize)
  return {
    name: 'jwt',
    from: placesOf(options.from),
    csrf: undefined,
    recognises: (credential) => credential.kind === 'token' && looksLikeJwt(credential.text),
    *judge({ credential, now }: Shown): Talk<Verdict> {
      // Before hashing: what is not looked at costs nothing.
      if (credential.kind !== 'token' || credential.text.length > maxJwsBytes)
        return deny('invalid_credential')
      const token = cache === undefined ? undefined : yield* hash(credential.text)
      const known = token === undefined ? undefined : cache?.find(token, now)
      if (known !== undefined) return known
      const candidate = readCandidate(credential.text, rules, now)
      if (candidate === undefined) return deny('invalid_credential')
      const { jws, claims, signing } = candidate
      // Nothing is believed yet: all that is known is that a signature check is worth its cost.
      const before = signing.keys.generation(now)
      if (!(yield* isSigned(signing, jws, now))) return deny('invalid_credential')
      if (candidate.expired) return deny('expired_credential')
      const verdict = Object.freeze(acceptClaims(claims, rules))
      if (token === undefined) return verdict
      const generation = signing.keys.generation(now)
      // Keys that were replaced while the signature was checked may not be the ones that it was checked with.
      if (generation !== undefined && (before === undefined || before === generation)) {
        cache?.put(token, {
          verdict,
          endsAtMs: claims.expiresAtMs + rules.toleranceMs,
          keys: signing.keys,
          generation,
        })
      }
      return verdict
    },
  }
}

/** The first two characters of a JSON object in base64url, and the two dots of the compact form. */
function looksLikeJwt(token: string): boolean {
  if (!token.startsWith('eyJ')) return false
  const first = token.indexOf('.')
  const second = token.indexOf('.', first + 1)
  return first > 0 && second > 0 && !token.includes('.', second + 1)
}

/**
 * Everything about a token that costs neither a key nor a signature check. `undefined` for all that is wrong
 * with it: which part was, is told to nobody who has not signed it.
 */
function readCandidate(token: string, rules: JwtRules, now: number): Candidate | undefined {
  const parsed = parseCompactJws(token)
  if (parsed.kind !== 'found') return undefined
  const { header, payload, signingInput, signature } = parsed.value
  const signing = typeof payload.iss === 'string' ? rules.issuers.get(payload.iss) : undefined
  if (signing === undefined || !isTyp(header.typ, rules.typ)) return undefined
  const claims = readClaims(payload, rules)
  if (claims === undefined) return undefined
  const time = judgeTimes(claims, rules, now)
  if (time === 'invalid') return undefined
  return {
    jws: { token, header, payload, signingInput, signature },
    claims,
    expired: time === 'expired',
    signing,
  }
}
