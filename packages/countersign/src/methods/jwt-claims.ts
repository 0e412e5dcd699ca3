/** What a JWT says (RFC 7519 §4): its claims as the guard's words, and whether it says so at this time. */
import { grantOf } from '../core/rows.ts'
import { accept, type Accept } from '../core/verdict.ts'
import { isJsonArray, isJsonObject, type Json, type JsonObject } from '../wire/json.ts'
import { grantName, type GrantNames } from './grant-names.ts'

/** Names of the claims that become the principal. */
export interface JwtClaimNames {
  /** Who it is: a string of 1 to 256 characters. @default 'sub' */
  readonly subject?: string
  /**
   * A list of strings. For `scope` and `scp` also one string, its parts separated by spaces (RFC 8693 §4.2).
   * @default 'roles'
   */
  readonly roles?: string
  /** The principal's realm. @default none: the realm is undefined */
  readonly realm?: string | undefined
}

/** What claims are held against. */
export interface ClaimRules {
  /** One of them must be in `aud`. */
  readonly audiences: ReadonlySet<string>
  /** Name of the claim; so are `roles` and `realm`. */
  readonly subject: string
  readonly roles: string
  readonly realm: string | undefined
  /** How far the issuer's clock may be off. */
  readonly toleranceMs: number
  /** Longest life. */
  readonly maxAgeMs: number
  /** How the grant calls what the issuer names. */
  readonly names: GrantNames
}

/** Claims whose shape and audience are right; all instants in ms since the epoch. */
export interface JwtClaims {
  /** `iss`. */
  readonly issuer: string
  readonly subject: string
  readonly roles: readonly string[]
  readonly realm: string | undefined
  /** `jti`. */
  readonly token: string | undefined
  /** `sid`. */
  readonly session: string | undefined
  /** `iat`: what a revocation mark is compared with. */
  readonly issuedAtMs: number | undefined
  /** `nbf`, with the rules' tolerance not yet applied. */
  readonly notBeforeMs: number | undefined
  /** `exp`: a token without it is refused. End of the lease. */
  readonly expiresAtMs: number
  /** The payload without what the members above were read from by definition. Frozen, however deep. */
  readonly others: Readonly<Record<string, unknown>>
}

/** Longest subject, realm, role, token and session identifier, UTF-16 code units. */
const maxNameLength = 256
/** Most roles of one token. */
const maxRoles = 128
/** The last second that a date can express. */
const maxSeconds = 8.64e12

/** The event that makes a token a logout token (OpenID Connect Back-Channel Logout 1.0 §2.4). */
export const backChannelLogout = 'http://schemas.openid.net/event/backchannel-logout'

/** Claims that the verdict states in its own words (RFC 7519 §4.1). */
const registered: ReadonlySet<string> = new Set(['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti'])
/** Elsewhere a text with a space is one role: `super admin` must not become `admin`. */
const spaceSeparated: ReadonlySet<string> = new Set(['scope', 'scp'])

/**
 * Reads the claims; whether the issuer is a known one is the caller's to decide. Nothing of it may be acted on before
 * the signature is checked.
 *
 * @returns `undefined` when a claim is missing or malformed, or the token is for another audience
 */
export function readClaims(payload: JsonObject, rules: ClaimRules): JwtClaims | undefined {
  const { iss, exp, nbf, iat, jti, sid, aud, events } = payload
  // Where `typ` does not tell the kinds apart, this does: what ends a session opens no door (RFC 8725 §3.12).
  if (isJsonObject(events) && backChannelLogout in events) return undefined
  const subject = payload[rules.subject]
  const realm = rules.realm === undefined ? undefined : payload[rules.realm]
  const roles = readRoles(payload[rules.roles], rules.roles)
  if (
    typeof iss !== 'string' ||
    !isName(subject) ||
    roles === undefined ||
    !isNameOrAbsent(realm) ||
    !isNameOrAbsent(jti)
  )
    return undefined
  if (!isSeconds(exp) || !isSecondsOrAbsent(nbf) || !isSecondsOrAbsent(iat)) return undefined
  if (!isFor(aud, rules.audiences)) return undefined
  return {
    issuer: iss,
    subject,
    roles,
    realm,
    token: jti,
    session: isName(sid) ? sid : undefined,
    issuedAtMs: inMs(iat),
    notBeforeMs: inMs(nbf),
    expiresAtMs: Math.floor(exp * 1000),
    others: othersOf(payload),
  }
}

/** Where `now` lies in the life that a token claims. `invalid`: not yet valid, from the future, or too long a life. */
export function judgeTimes(
  claims: JwtClaims,
  rules: ClaimRules,
  now: number,
): 'live' | 'expired' | 'invalid' {
  const { expiresAtMs, issuedAtMs, notBeforeMs } = claims
  const latestStart = now + rules.toleranceMs
  if ((notBeforeMs ?? 0) > latestStart || (issuedAtMs ?? 0) > latestStart) return 'invalid'
  if (issuedAtMs !== undefined && expiresAtMs <= issuedAtMs) return 'invalid'
  if (expiresAtMs - (issuedAtMs ?? now) > rules.maxAgeMs) return 'invalid'
  return expiresAtMs + rules.toleranceMs <= now ? 'expired' : 'live'
}

/** The acceptance that verified claims stand for. A token without `iat` counts as issued before every revocation. */
export function acceptClaims(claims: JwtClaims, { names }: Pick<ClaimRules, 'names'>): Accept {
  const { subject, roles, realm, issuer, token, session, others } = claims
  const called = (name: string | undefined): string | undefined =>
    name === undefined ? undefined : grantName(names, issuer, name)
  return accept({
    principal: Object.freeze({ id: subject, roles, realm, method: 'jwt', provider: issuer, claims: others }),
    grant: Object.freeze(
      grantOf({
        subject: grantName(names, issuer, subject),
        roles,
        session: called(session),
        token: called(token),
        issuer,
        issuedAtMs: claims.issuedAtMs ?? 0,
      }),
    ),
    untilMs: claims.expiresAtMs,
  })
}

/** Whether one of the audiences is in `aud`: one text or a list of them (RFC 7519 §4.1.3). */
export function isFor(aud: Json | undefined, audiences: ReadonlySet<string>): boolean {
  if (typeof aud === 'string') return audiences.has(aud)
  if (!isJsonArray(aud) || !aud.every((one) => typeof one === 'string')) return false
  return aud.some((one) => audiences.has(one))
}

/** No claim is no roles; a malformed one refuses the token rather than losing a role. */
function readRoles(value: Json | undefined, claim: string): readonly string[] | undefined {
  if (value === undefined) return Object.freeze([])
  const roles = typeof value === 'string' && spaceSeparated.has(claim) ? splitScope(value) : value
  if (!isJsonArray(roles) || roles.length > maxRoles || !roles.every(isName)) return undefined
  // The parser's own list, which nobody else holds: frozen here, or with the claim that it stands in.
  return Object.freeze(roles)
}

/** RFC 6749 §3.3: single spaces. Others leave an empty part, which is no role and refuses the token. */
function splitScope(scope: string): readonly string[] {
  return scope === '' ? [] : scope.split(' ')
}

/** Whether it is text of 1 to 256 characters. Bounded: names stand in journals, marks and lists. */
export function isName(value: Json | undefined): value is string {
  return typeof value === 'string' && value !== '' && value.length <= maxNameLength
}

/** As `isName`, or nothing at all. */
export function isNameOrAbsent(value: Json | undefined): value is string | undefined {
  return value === undefined || isName(value)
}

/** Whether it is a NumericDate (RFC 7519 §2). */
export function isSeconds(value: Json | undefined): value is number {
  return typeof value === 'number' && value >= 0 && value <= maxSeconds
}

/** As `isSeconds`, or nothing at all. */
export function isSecondsOrAbsent(value: Json | undefined): value is number | undefined {
  return value === undefined || isSeconds(value)
}

/** A NumericDate may have a fraction (RFC 7519 §2): the millisecond that it falls into. */
function inMs(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.floor(seconds * 1000)
}

/** Without a prototype, as the parser made it: a claim named `__proto__` stays a claim. */
function othersOf(payload: JsonObject): Readonly<Record<string, Json>> {
  const others: Record<string, Json> = Object.create(null)
  for (const name of Object.keys(payload)) {
    const value = registered.has(name) ? undefined : payload[name]
    if (value !== undefined) others[name] = frozen(value)
  }
  return Object.freeze(others)
}

/** Freezes a value of the strict parser, whose depth is bounded: one connection cannot change another's claims. */
function frozen(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value
  if (isJsonArray(value)) for (const item of value) frozen(item)
  else for (const item of Object.values(value)) frozen(item)
  return Object.freeze(value)
}
