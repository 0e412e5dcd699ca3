import { isDigitCode, hexPair } from './ascii.ts'
import { absent, found, malformed, type Found } from './found.ts'
import { fitsUtf8 } from './utf8.ts'

/** A JSON value as `parseJson` builds it. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject

/** A JSON object without a prototype: `__proto__` and `constructor` are ordinary members of it, or absent. */
export interface JsonObject {
  readonly [member: string]: Json
}

/** Bounds of one parse; both are the caller's duty, because only the caller knows what it expects. */
export interface JsonLimits {
  /** Longest text, in bytes of UTF-8. */
  readonly maxBytes: number
  /** Deepest nesting of arrays and objects; a lone scalar has depth 0. */
  readonly maxDepth: number
  /**
   * Refuses members called `__proto__`, however they are written: for values that go to code which may copy them into
   * ordinary objects (CWE-1321). @default false
   */
  readonly refuseProto?: boolean
}

/** Tells an array from the other JSON values. */
export function isJsonArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value)
}

/** The state of one parse. */
interface Cursor {
  readonly text: string
  readonly maxDepth: number
  readonly refuseProto: boolean
  at: number
  /** The reason of the first refusal that has one of its own. */
  why: string
}

/**
 * RFC 8259, strictly, with the rules of I-JSON (RFC 7493) that protect a verifier: a repeated member name, a
 * lone surrogate (written or escaped) and a number beyond the range of a double are refused. `JSON.parse`
 * keeps the last of two members and so lets two readers of one token see two different claims.
 *
 * The empty text is absent. Objects have no prototype.
 */
export function parseJson(text: string, limits: JsonLimits): Found<Json> {
  if (text === '') return absent
  if (!fitsUtf8(text, limits.maxBytes)) return malformed('JSON too long')
  const { maxDepth, refuseProto = false } = limits
  const cursor: Cursor = { text, maxDepth, refuseProto, at: 0, why: 'not JSON' }
  const value = readValue(cursor, 0)
  if (value === undefined) return malformed(cursor.why)
  skipBlanks(cursor)
  return cursor.at === text.length ? found(value) : malformed('text after JSON')
}

/** Tells an object from the other JSON values. */
export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

// Every reader leaves the cursor behind what it read; `undefined`, which no JSON value is, means refused.

function readValue(cursor: Cursor, depth: number): Json | undefined {
  skipBlanks(cursor)
  switch (cursor.text.charAt(cursor.at)) {
    case '{':
      return enter(cursor, depth) ? readObject(cursor, depth + 1) : undefined
    case '[':
      return enter(cursor, depth) ? readArray(cursor, depth + 1) : undefined
    case '"':
      return readString(cursor)
    case 't':
      return readWord(cursor, 'true', true)
    case 'f':
      return readWord(cursor, 'false', false)
    case 'n':
      return readWord(cursor, 'null', null)
    default:
      return readNumber(cursor)
  }
}

/**
 * Steps into an array or object, unless that would be one level too deep. Recursion is bounded here and only
 * here.
 */
function enter(cursor: Cursor, depth: number): boolean {
  cursor.at++
  if (depth >= cursor.maxDepth) cursor.why = 'JSON too deep'
  return depth < cursor.maxDepth
}

function readObject(cursor: Cursor, depth: number): JsonObject | undefined {
  // Without a prototype there is no setter behind `__proto__`: assigning it makes an ordinary member.
  const members: Record<string, Json> = Object.create(null)
  if (take(cursor, '}')) return members
  do {
    skipBlanks(cursor)
    const name = readString(cursor)
    if (name === undefined || !take(cursor, ':')) return undefined
    if (name in members) return refuse(cursor, 'repeated JSON member')
    if (cursor.refuseProto && name === '__proto__') return refuse(cursor, 'JSON member __proto__')
    const value = readValue(cursor, depth)
    if (value === undefined) return undefined
    members[name] = value
  } while (take(cursor, ','))
  return take(cursor, '}') ? members : undefined
}

function readArray(cursor: Cursor, depth: number): readonly Json[] | undefined {
  const items: Json[] = []
  if (take(cursor, ']')) return items
  do {
    const value = readValue(cursor, depth)
    if (value === undefined) return undefined
    items.push(value)
  } while (take(cursor, ','))
  return take(cursor, ']') ? items : undefined
}

/** Copies whole runs between escapes; a string without any is one slice of the text. */
function readString(cursor: Cursor): string | undefined {
  const { text } = cursor
  if (text.charAt(cursor.at) !== '"') return undefined
  let value = ''
  let from = cursor.at + 1
  // Escapes and surrogates are rare: a string without any is well-formed as it stands.
  let plain = true
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0x20) return undefined
    if (code === 0x22) {
      cursor.at = at + 1
      return plain ? text.slice(from, at) : wellFormed(cursor, value + text.slice(from, at))
    }
    if (code >= 0xd800) plain = false
    if (code === 0x5c) {
      plain = false
      const escaped = readEscape(text, at + 1)
      if (escaped === undefined) return undefined
      value += text.slice(from, at) + escaped
      at += text.charAt(at + 1) === 'u' ? 5 : 1
      from = at + 1
    }
  }
  return undefined
}

const escapes: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
])

/** What stands behind a backslash (RFC 8259 §7). The two halves of a surrogate pair are two escapes. */
function readEscape(text: string, at: number): string | undefined {
  if (text.charAt(at) !== 'u') return escapes.get(text.charAt(at))
  const high = hexPair(text, at + 1, text.length)
  const low = hexPair(text, at + 3, text.length)
  return high < 0 || low < 0 ? undefined : String.fromCharCode(high * 256 + low)
}

/** Asked of the whole string, because two escapes may make one good pair. */
function wellFormed(cursor: Cursor, value: string): string | undefined {
  return value.isWellFormed() ? value : refuse(cursor, 'lone surrogate in JSON')
}

/**
 * `[ minus ] int [ frac ] [ exp ]` of RFC 8259 §6: no leading zero, no leading plus, digits on both sides of
 * the point.
 */
function readNumber(cursor: Cursor): number | undefined {
  const { text } = cursor
  const start = cursor.at
  let at = text.charAt(start) === '-' ? start + 1 : start
  const whole = at
  at = skipDigits(text, at)
  if (at === whole || (text.charAt(whole) === '0' && at > whole + 1)) return undefined
  if (text.charAt(at) === '.') {
    const end = skipDigits(text, at + 1)
    if (end === at + 1) return undefined
    at = end
  }
  if (text.charAt(at) === 'e' || text.charAt(at) === 'E') {
    const sign = text.charAt(at + 1)
    const first = sign === '+' || sign === '-' ? at + 2 : at + 1
    at = skipDigits(text, first)
    if (at === first) return undefined
  }
  cursor.at = at
  const value = Number(text.slice(start, at))
  return Number.isFinite(value) ? value : refuse(cursor, 'JSON number out of range')
}

function skipDigits(text: string, from: number): number {
  let at = from
  while (isDigitCode(text.charCodeAt(at))) at++
  return at
}

function readWord<T>(cursor: Cursor, word: string, value: T): T | undefined {
  if (!cursor.text.startsWith(word, cursor.at)) return undefined
  cursor.at += word.length
  return value
}

/** Steps over this mark and the blanks before it, when it is there. */
function take(cursor: Cursor, mark: string): boolean {
  skipBlanks(cursor)
  if (cursor.text.charAt(cursor.at) !== mark) return false
  cursor.at++
  return true
}

/** `ws` of RFC 8259 §2: four characters and no others, no byte order mark either. */
function skipBlanks(cursor: Cursor): void {
  for (;;) {
    const code = cursor.text.charCodeAt(cursor.at)
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return
    cursor.at++
  }
}

function refuse(cursor: Cursor, why: string): undefined {
  cursor.why = why
  return undefined
}
