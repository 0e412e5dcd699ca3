import { every, isToken, trimBlanks } from './ascii.ts'
import { absent, found, malformed, type Found } from './found.ts'

/** Longest `Cookie` header that is read, in characters. */
export const maxCookieHeaderLength = 16_384

/** Longest name and value together that browsers keep, in characters (RFC 6265bis §5.6). */
export const maxCookieLength = 4_096

/**
 * Finds one cookie in a `Cookie` header (RFC 6265bis §4.2.1 as servers must read it). The name is compared
 * exactly and never decoded; the value is returned as written, without the one pair of quotes that may
 * surround it. The same name with different values is malformed: one of the two was planted. An empty value
 * is absent.
 */
export function findCookie(header: string | undefined, name: string): Found<string> {
  if (header === undefined) return absent
  if (header.length > maxCookieHeaderLength) return malformed('cookie header too long')
  let seen: string | undefined
  for (let start = 0; start <= header.length;) {
    const end = pairEnd(header, start)
    const equals = equalsOf(header, start, end)
    if (equals < end && trimBlanks(header, start, equals) === name) {
      const value = unquote(trimBlanks(header, equals + 1, end))
      if (!isCookieValue(value)) return malformed('cookie characters')
      if (seen !== undefined && seen !== value) return malformed('cookies disagree')
      seen = value
    }
    start = end + 1
  }
  return seen === undefined || seen === '' ? absent : found(seen)
}

/** The header without the cookies of these names; empty when none is left: then drop the header. */
export function stripCookie(header: string, names: readonly string[]): string {
  let kept: string[] | undefined
  for (let start = 0; start <= header.length;) {
    const end = pairEnd(header, start)
    if (names.includes(nameOf(header, start, end))) kept ??= start === 0 ? [] : [header.slice(0, start - 1)]
    else kept?.push(header.slice(start, end))
    start = end + 1
  }
  return kept === undefined ? header : trimBlanks(kept.join(';'))
}

/**
 * What a `Set-Cookie` header says beside name and value. There is no `Domain`: Countersign's cookies are
 * host-only.
 */
export interface CookieAttributes {
  /** @default '/' */
  readonly path?: string
  /** @default false */
  readonly secure?: boolean
  /** @default false */
  readonly httpOnly?: boolean
  /** No attribute when left out; browsers then differ. */
  readonly sameSite?: 'Strict' | 'Lax' | 'None'
  /** Cookies Having Independent Partitioned State. @default false */
  readonly partitioned?: boolean
  /** Seconds, a whole number; 0 deletes the cookie. A session cookie when left out. */
  readonly maxAgeSeconds?: number
}

/**
 * A `Set-Cookie` value (RFC 6265bis §4.1).
 *
 * @throws TypeError on misuse: a name that is no token, a value with characters that a cookie cannot hold,
 *   more than 4,096 characters, a path or age that is none, and combinations that browsers drop: a `__Host-`
 *   cookie that is not `Secure` with path `/`, a `__Secure-` cookie, `SameSite=None` or `Partitioned` without
 *   `Secure`
 */
export function serializeCookie(name: string, value: string, attributes: CookieAttributes = {}): string {
  const {
    path = '/',
    secure = false,
    httpOnly = false,
    sameSite,
    partitioned = false,
    maxAgeSeconds,
  } = attributes
  const checks: readonly (readonly [good: boolean, rule: string])[] = [
    [isToken(name), 'a cookie name is a token'],
    [isCookieValue(value), 'a cookie value has no blanks, quotes, commas, semicolons or backslashes'],
    [name.length + value.length <= maxCookieLength, 'a cookie has at most 4,096 characters'],
    [path.startsWith('/') && every(path, isPathCode), 'a cookie path begins with / and has no semicolon'],
    [
      maxAgeSeconds === undefined || isAge(maxAgeSeconds),
      'a cookie age is a whole number of seconds, not negative',
    ],
    [!/^__Host-/i.test(name) || (secure && path === '/'), 'a __Host- cookie is Secure and has the path /'],
    [!/^__Secure-/i.test(name) || secure, 'a __Secure- cookie is Secure'],
    [sameSite !== 'None' || secure, 'a SameSite=None cookie is Secure'],
    [!partitioned || secure, 'a Partitioned cookie is Secure'],
  ]
  for (const [good, rule] of checks) if (!good) throw new TypeError(rule)
  return [
    `${name}=${value}`,
    `Path=${path}`,
    ...(maxAgeSeconds === undefined ? [] : [`Max-Age=${maxAgeSeconds}`]),
    ...(secure ? ['Secure'] : []),
    ...(httpOnly ? ['HttpOnly'] : []),
    ...(sameSite === undefined ? [] : [`SameSite=${sameSite}`]),
    ...(partitioned ? ['Partitioned'] : []),
  ].join('; ')
}

function pairEnd(header: string, start: number): number {
  const mark = header.indexOf(';', start)
  return mark < 0 ? header.length : mark
}

/**
 * Position of the `=` in one pair, or its end. Looks no further: a header without any `=` costs no more than
 * another.
 */
function equalsOf(header: string, start: number, end: number): number {
  let at = start
  while (at < end && header.charCodeAt(at) !== 0x3d) at++
  return at
}

/** A pair without `=` is taken for a name: when stripping, too much is better than too little. */
function nameOf(header: string, start: number, end: number): string {
  return trimBlanks(header, start, equalsOf(header, start, end))
}

/**
 * RFC 6265bis §4.1.1 lets a value stand in quotes; frameworks disagree whether they belong to it; in a token
 * they never do.
 */
function unquote(value: string): string {
  return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value
}

function isCookieValue(value: string): boolean {
  for (let at = 0; at < value.length; at++) if (!isCookieCode(value.charCodeAt(at))) return false
  return true
}

/** `cookie-octet` of RFC 6265bis §4.1.1. */
function isCookieCode(code: number): boolean {
  return code > 0x20 && code < 0x7f && code !== 0x22 && code !== 0x2c && code !== 0x3b && code !== 0x5c
}

function isPathCode(code: number): boolean {
  return code >= 0x20 && code < 0x7f && code !== 0x3b
}

/**
 * `Max-Age` is digits; a fraction or a sign would be dropped by browsers, and the cookie would outlive its
 * session.
 */
function isAge(seconds: number): boolean {
  return Number.isSafeInteger(seconds) && seconds >= 0
}
