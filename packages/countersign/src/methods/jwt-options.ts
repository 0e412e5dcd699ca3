/** Options of the JWT method, and the rules that they compile to. */
import { MisuseError } from '../core/errors.ts'
import type { From } from '../core/method.ts'
import type { GrantNames } from './grant-names.ts'
import { isJwtAlgorithm, jwtAlgorithms, type JwtAlgorithm } from './jwt-algorithms.ts'
import type { ClaimRules, JwtClaimNames } from './jwt-claims.ts'
import type { KeySource } from './jwt-keys.ts'
import type { Signing } from './jwt-signature.ts'

/** Options of the JWT method. What decides who is believed has no default. */
export interface JwtOptions {
  /** Where tokens travel. */
  readonly from: From
  /** Who may issue: `iss`, compared exactly. */
  readonly issuer: string | readonly string[]
  /** For whom: one of these must be in `aud`. */
  readonly audience: string | readonly string[]
  /** What may be in `alg`. Every one needs keys of its kind: HS256 and public keys never share a source. */
  readonly algorithms: readonly JwtAlgorithm[]
  /** Keys of the issuer; of several issuers, keys by issuer. */
  readonly keys: KeySource | Readonly<Record<string, KeySource>>
  /**
   * Kind of token, such as `at+jwt` (RFC 8725 §3.11): must then be in the header, case and `application/` aside.
   * @default `JWT` or nothing
   */
  readonly typ?: string | undefined
  /** How far the issuer's clock may be off, ms, at most 60,000. @default 5_000 */
  readonly clockToleranceMs?: number
  /** Longest life of a token, ms: `exp` - `iat`, or what is left where there is no `iat`. @default 24 hours */
  readonly maxAgeMs?: number
  /** How many verified tokens are remembered until `exp`; 0: none. @default 10_000 */
  readonly cacheSize?: number
  /** Names of the claims that become subject, roles and realm. */
  readonly claims?: JwtClaimNames
  /**
   * What revocations call the subject, session (`sid`) and token (`jti`): as the issuer does, or with the issuer's name
   * before it (`issuerName`), so that names of others are not hit by its events, nor its by theirs. The principal's `id`
   * is the plain one either way. @default 'plain'
   */
  readonly names?: GrantNames
}

/** Options, checked and compiled. */
export interface JwtRules extends ClaimRules {
  /** By `iss`: the keys, and the algorithms of their kind that are allowed with them. */
  readonly issuers: ReadonlyMap<string, Signing>
  /** Canonical media type; `undefined`: `JWT` or nothing. */
  readonly typ: string | undefined
  /** Most verified tokens that are remembered. */
  readonly cacheSize: number
}

/** What an option left out means. */
const defaults = Object.freeze({
  clockToleranceMs: 5_000,
  maxAgeMs: 86_400_000,
  cacheSize: 10_000,
  subject: 'sub',
  roles: 'roles',
})

/** More than a minute is a clock to be repaired. */
const maxToleranceMs = 60_000

/** Checks and compiles. @throws MisuseError when an option is missing or impossible */
export function jwtRules(options: JwtOptions): JwtRules {
  const { claims = {}, typ, names = 'plain' } = options
  const algorithms = algorithmsOf(options.algorithms)
  const issuers = textsOf(options.issuer, 'issuer')
  if (names === 'issuer') checkNaming(issuers)
  return {
    names,
    issuers: issuersOf(issuers, options.keys, algorithms),
    audiences: new Set(textsOf(options.audience, 'audience')),
    typ: typ === undefined ? undefined : mediaType(textsOf(typ, 'typ').join('')),
    subject: textsOf(claims.subject ?? defaults.subject, 'claims.subject').join(''),
    roles: textsOf(claims.roles ?? defaults.roles, 'claims.roles').join(''),
    realm: claims.realm,
    toleranceMs: within(
      options.clockToleranceMs ?? defaults.clockToleranceMs,
      [0, maxToleranceMs],
      'clockToleranceMs',
    ),
    maxAgeMs: within(options.maxAgeMs ?? defaults.maxAgeMs, [1, Number.MAX_SAFE_INTEGER], 'maxAgeMs'),
    cacheSize: within(options.cacheSize ?? defaults.cacheSize, [0, 1_000_000], 'cacheSize'),
  }
}

/** Whether a header's `typ` is the kind that is asked for (RFC 7515 §4.1.9). */
export function isTyp(typ: unknown, wanted: string | undefined): boolean {
  if (typ === undefined) return wanted === undefined
  return typeof typ === 'string' && mediaType(typ) === (wanted ?? 'application/jwt')
}

/** The form in which kinds are compared: media types ignore case, and a bare subtype is one of `application/`. */
function mediaType(typ: string): string {
  const lower = typ.toLowerCase()
  return lower.includes('/') ? lower : `application/${lower}`
}

/** @throws MisuseError for issuers whose names would run into those of what they name */
export function checkNaming(issuers: readonly string[]): void {
  if (issuers.some((issuer) => issuer.includes(' '))) {
    throw misuse("names: 'issuer' is for issuers without a blank in their name")
  }
}

/** Known ones, each once; nothing is assumed. @throws MisuseError */
export function algorithmsOf(algorithms: readonly string[]): readonly JwtAlgorithm[] {
  const known = algorithms.filter(isJwtAlgorithm)
  if (known.length === 0 || known.length !== algorithms.length) {
    throw misuse(`algorithms must be a list of ${Object.keys(jwtAlgorithms).join(', ')}`)
  }
  return [...new Set(known)]
}

/** Issuers with their keys and, of the allowed algorithms, those of the keys' kind. @throws MisuseError */
export function issuersOf(
  issuers: readonly string[],
  keys: JwtOptions['keys'],
  algorithms: readonly JwtAlgorithm[],
): ReadonlyMap<string, Signing> {
  const sources = sourcesOf(issuers, keys)
  const kinds = new Set(Array.from(sources.values(), (source) => source.kind))
  const useless = algorithms.find((name) => !kinds.has(jwtAlgorithms[name].kind))
  if (useless !== undefined) throw misuse(`algorithms: ${useless} has no keys of its kind`)
  return new Map(
    Array.from(sources, ([issuer, source]): [string, Signing] => {
      // RFC 8725 §2.1: a public key must never be taken for a shared secret.
      const its = algorithms.filter((name) => jwtAlgorithms[name].kind === source.kind)
      if (its.length === 0) throw misuse('algorithms: none for the keys of an issuer')
      return [issuer, { keys: source, algorithms: its }]
    }),
  )
}

/** Keys by issuer. Two issuers never share keys by accident: a token of one would be taken for a token of the other. */
function sourcesOf(issuers: readonly string[], keys: JwtOptions['keys']): ReadonlyMap<string, KeySource> {
  const [first = '', second] = issuers
  if (isSource(keys)) {
    if (second !== undefined) throw misuse('keys: one source for each issuer')
    return new Map([[first, keys]])
  }
  const sources = new Map(Object.entries(keys))
  if (sources.size !== issuers.length || !issuers.every((issuer) => sources.has(issuer))) {
    throw misuse('keys: exactly the issuers must be named')
  }
  return sources
}

/**
 * Told apart by `kind`: in a record of sources that name would be an issuer's, with a source behind it and
 * not a word.
 */
function isSource(keys: JwtOptions['keys']): keys is KeySource {
  return typeof keys.kind === 'string'
}

/** One text or several, none empty: an empty issuer or audience would be equal to a claim left empty. @throws MisuseError */
export function textsOf(value: string | readonly string[], name: string): readonly string[] {
  const texts = typeof value === 'string' ? [value] : [...new Set(value)]
  if (texts.length === 0 || texts.includes('')) throw misuse(`${name} must not be empty`)
  return texts
}

/** Bounds are checked when the program starts, and included. @throws MisuseError */
export function within(value: number, [least, most]: readonly [number, number], name: string): number {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw misuse(`${name} must be an integer from ${String(least)} to ${String(most)}`)
  }
  return value
}

function misuse(message: string): MisuseError {
  return new MisuseError('invalid_option', `jwt: ${message}`)
}
