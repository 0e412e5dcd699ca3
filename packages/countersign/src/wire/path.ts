import { hasControl, hasVisibleOnly, hexPair } from './ascii.ts'
import { absent, found, malformed, type Found } from './found.ts'
import { decodePercent, maxTargetLength } from './query.ts'

/** Longest last segment, in characters as written (before decoding). */
export const maxSegmentLength = 8_192

/**
 * Finds what stands behind `prefix` in the path of a raw request target: one segment and nothing behind it but the
 * query. The prefix begins and ends with `/` and is compared after decoding, so that `/conn%65ct/` is `/connect/`; an
 * encoded slash is none (RFC 3986 §2.2).
 *
 * The segment is percent-decoded strictly (RFC 3986 §2.1): broken encoding, ill-formed UTF-8, raw characters outside
 * visible ASCII and decoded control characters are malformed, and so are more segments. Another path, or nothing behind
 * the prefix, is absent.
 */
export function findSegment(target: string, prefix: string): Found<string> {
  if (target.length > maxTargetLength) return malformed('request target too long')
  const start = prefixEnd(target, prefix)
  if (start < 0) return absent
  const raw = target.slice(start, pathEnd(target))
  if (raw === '') return absent
  if (raw.length > maxSegmentLength || !hasVisibleOnly(raw) || hasDelimiter(raw))
    return malformed('path segment')
  const value = decodePercent(raw)
  return value === undefined || hasControl(value) ? malformed('path segment') : found(value)
}

/**
 * The target without anything between `prefix` and its query, whether it is a well-formed segment or not. All other
 * characters stay as they are. Applying it twice changes nothing more.
 */
export function stripSegment(target: string, prefix: string): string {
  const start = prefixEnd(target, prefix)
  if (start < 0) return target
  const end = pathEnd(target)
  return start === end ? target : target.slice(0, start) + target.slice(end)
}

/** Where the path ends: at the first `?`. A `#` is not special: what follows it is stripped like everything else. */
function pathEnd(target: string): number {
  const mark = target.indexOf('?')
  return mark < 0 ? target.length : mark
}

/** Position behind the prefix, or -1 where the path does not begin with it. */
function prefixEnd(target: string, prefix: string): number {
  const end = pathEnd(target)
  let at = 0
  for (let index = 0; index < prefix.length; index++) {
    if (at >= end) return -1
    let code = target.charCodeAt(at++)
    const decoded = code === 0x25 ? hexPair(target, at, end) : -1
    if (decoded >= 0 && decoded !== 0x2f) {
      code = decoded
      at += 2
    }
    if (code !== prefix.charCodeAt(index)) return -1
  }
  return at
}

/** Characters at which URL parsers end a segment, `\` among them (WHATWG URL §4.4). */
function hasDelimiter(raw: string): boolean {
  return raw.includes('/') || raw.includes('\\') || raw.includes('#')
}
