import { hasControl, hasVisibleOnly, hexPair } from './ascii.ts'
import { absent, found, malformed, type Found } from './found.ts'

/** Longest request target that `findParameter` reads, in characters. */
export const maxTargetLength = 16_384

/** Longest value of a parameter, in characters as written (before decoding). */
export const maxParameterLength = 8_192

/**
 * Finds one parameter in the query of a raw request target, by any of its `names` (ASCII, compared after
 * decoding, so that `tick%65t=` is `ticket=`).
 *
 * The value is decoded as `application/x-www-form-urlencoded` (WHATWG URL §5.1) but strictly: broken
 * percent-encoding, ill-formed UTF-8, raw characters outside visible ASCII and decoded control characters are
 * malformed. Several occurrences, under one name or several, must agree. An empty value is absent.
 *
 * A `#` is not special: what follows it is read, and stripped, like everything else.
 */
export function findParameter(target: string, names: readonly string[]): Found<string> {
  if (target.length > maxTargetLength) return malformed('request target too long')
  let seen: string | undefined
  for (const walk = walkQuery(target); advance(walk);) {
    if (!isListed(walk, names)) continue
    const value = decodeValue(target.slice(walk.nameEnd + 1, Math.max(walk.end, walk.nameEnd + 1)))
    if (value === undefined) return malformed('parameter value')
    if (seen !== undefined && seen !== value) return malformed('parameters disagree')
    seen = value
  }
  return seen === undefined || seen === '' ? absent : found(seen)
}

/**
 * The target without every parameter of these names, percent-encoded spellings included. All other characters
 * stay as they are; a `?` with nothing left behind it goes too. Applying it twice changes nothing more.
 */
export function stripParameters(target: string, names: readonly string[]): string {
  const walk = walkQuery(target)
  const first = walk.end + 1
  let kept: string[] | undefined
  while (advance(walk)) {
    if (isListed(walk, names)) kept ??= walk.start === first ? [] : [target.slice(first, walk.start - 1)]
    else kept?.push(target.slice(walk.start, walk.end))
  }
  if (kept === undefined) return target
  return kept.length === 0 ? target.slice(0, first - 1) : target.slice(0, first) + kept.join('&')
}

/** The place of one `name=value` in the target; one value is moved along the whole query. */
interface Walk {
  readonly target: string
  start: number
  /** Position of the `=`, or `end` when there is none. */
  nameEnd: number
  end: number
}

/** A walk that stands before the first segment, or beyond the last one when there is no query. */
function walkQuery(target: string): Walk {
  const mark = target.indexOf('?')
  const before = mark < 0 ? target.length : mark
  return { target, start: before, nameEnd: before, end: before }
}

/** Moves on to the next segment; false when there is none. */
function advance(walk: Walk): boolean {
  const { target } = walk
  walk.start = walk.end + 1
  if (walk.start > target.length) return false
  const mark = target.indexOf('&', walk.start)
  walk.end = mark < 0 ? target.length : mark
  walk.nameEnd = walk.start
  while (walk.nameEnd < walk.end && target.charCodeAt(walk.nameEnd) !== 0x3d) walk.nameEnd++
  return true
}

function isListed(walk: Walk, names: readonly string[]): boolean {
  for (const name of names) if (isSpelled(walk, name)) return true
  return false
}

/** Decodes and compares in one walk: no string is made for the many names that are not asked for. */
function isSpelled(walk: Walk, name: string): boolean {
  const { target, nameEnd } = walk
  let at = walk.start
  for (let index = 0; index < name.length; index++) {
    if (at >= nameEnd) return false
    let code = target.charCodeAt(at++)
    if (code === 0x2b) {
      code = 0x20
    } else if (code === 0x25) {
      // A percent sign without two digits stands for itself, as in the WHATWG parser.
      const decoded = hexPair(target, at, nameEnd)
      if (decoded >= 0) {
        code = decoded
        at += 2
      }
    }
    if (code !== name.charCodeAt(index)) return false
  }
  return at === nameEnd
}

/** Strict where the WHATWG parser repairs: a credential that needs repair is no credential. */
function decodeValue(raw: string): string | undefined {
  if (raw.length > maxParameterLength || !hasVisibleOnly(raw)) return undefined
  if (!raw.includes('%') && !raw.includes('+')) return raw
  const value = decodePercent(raw.replaceAll('+', ' '))
  return value === undefined || hasControl(value) ? undefined : value
}

/** Percent-decoding of RFC 3986 §2.1 with well-formed UTF-8, or `undefined`. A `+` stays a plus sign. */
export function decodePercent(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
