/**
 * A validator of CBOR bytes (RFC 8949): steps over what is good, builds nothing.
 *
 * A value begins with a head (§3): three bits of major type, five of additional information.
 * Major types (§3.1): 0 unsigned · 1 negative · 2 bytes · 3 text · 4 array · 5 map · 6 tag · 7 floats and simple values.
 * Additional information: up to 23 the argument itself · 24 … 27 it follows in 1, 2, 4 or 8 bytes · 28 … 30 reserved ·
 * 31 an indefinite length, or the break that ends one. The argument is the number, the length, the count or the tag.
 */
import { isWellFormedUtf8 } from './codec-lender.ts'
import {
  countless,
  levelBits,
  maxCountedBytes,
  outerLevels,
  skipAscii,
  type OuterLevels,
} from './codec-levels.ts'
import { uintAt } from './codec-numbers.ts'

/** The byte that ends an indefinite length (RFC 8949 §3.2.1). */
export const breakByte = 0xff

/** Additional information that means an indefinite length. */
const indefinite = 31

/** Stands for bytes beyond the end: a head that is reserved. */
const noHead = 0x1c

/**
 * Tags that refer to what was said before, in the registry of tags: stringref (25, 256) and shared values (28, 29). A span
 * that is passed on alone would point into nothing.
 */
const refusedTags: ReadonlySet<number> = new Set([25, 28, 29, 256])

/** How many bytes of argument follow a head (RFC 8949 §3); -1 for what is reserved or has no argument. */
function argumentSize(info: number): number {
  if (info < 24) return 0
  return info < 28 ? 1 << (info - 24) : -1
}

/** Where the head at `at` ends; -1 for one that is reserved or has no argument. */
export function headEnd(bytes: Uint8Array, at: number): number {
  const size = argumentSize((bytes[at] ?? noHead) & 31)
  return size < 0 ? -1 : at + 1 + size
}

/** The argument of a head that ends at `end`. Rounded beyond 2^53: as a length it is too long anyway. */
export function argumentAt(bytes: Uint8Array, at: number, end: number): number {
  return end === at + 1 ? (bytes[at] ?? 0) & 31 : uintAt(bytes, at + 1, end - at - 1)
}

/** Steps over whole values, arrays, maps and tags included, without recursion. */
export class CborScanner {
  /** A bound of its own, because whoever decodes a payload later does so by recursion. */
  readonly #maxDepth: number
  readonly #outer: OuterLevels

  constructor(maxDepth: number) {
    this.#maxDepth = maxDepth
    this.#outer = outerLevels(maxDepth)
  }

  /**
   * Steps over the value that begins at `from`. Names in maps are texts or integers; a tag is a level of its own.
   *
   * @returns where it ends; -1 where none stands, where one reaches beyond the end, is too deep, or may not be passed on:
   * reserved heads, unassigned simple values, tags that refer to other values
   */
  skip(bytes: Uint8Array, from: number): number {
    if (bytes.length > maxCountedBytes) return -1
    const outer = this.#outer
    let at = from
    let depth = 0
    // Values to come in the innermost level. In a map names and members count, so an even number means: a name comes next.
    let left = 1
    let bits = 0
    for (;;) {
      const head = bytes[at] ?? noHead
      // In the order of how often they occur: this chain is what the scanner's speed comes from.
      if (head < 0x78 && head >= 0x60) at = skipShortText(bytes, at)
      else if (head === breakByte) {
        // A member whose name was read is still to come.
        if ((bits & levelBits.endless) === 0 || (bits & levelBits.ofMembers & left) !== 0) return -1
        at++
        left = outer.left[depth] ?? 0
        bits = outer.bits[depth--] ?? 0
      } else if ((bits & levelBits.ofMembers & ~left) !== 0 && !isName(head)) return -1
      else if (head < 0x80 || head >= 0xe0) at = skipScalar(bytes, at)
      else {
        const count = countAt(bytes, at)
        const end = (head & 31) === indefinite ? at + 1 : headEnd(bytes, at)
        if (count < 0 || depth >= this.#maxDepth) return -1
        at = end
        if (count > 0) {
          outer.left[++depth] = left
          outer.bits[depth] = bits
          bits = levelOf(head)
          left = count
          continue
        }
      }
      if (at < 0 || at > bytes.length) return -1
      while (--left === 0) {
        if (depth === 0) return at
        left = outer.left[depth] ?? 0
        bits = outer.bits[depth--] ?? 0
      }
    }
  }
}

/** How many values an array, a map or a tag has, those of a map twice; -1 for one that is refused. */
function countAt(bytes: Uint8Array, at: number): number {
  const head = bytes[at] ?? noHead
  if ((head & 31) === indefinite) return head < 0xc0 ? countless : -1
  const end = headEnd(bytes, at)
  if (end < 0) return -1
  const argument = argumentAt(bytes, at, end)
  if (head >= 0xc0) return refusedTags.has(argument) ? -1 : 1
  // Every value takes a byte at least: a count that cannot be true is refused before anything is counted.
  if (argument > bytes.length - end) return -1
  return head < 0xa0 ? argument : argument * 2
}

/** What kind of level a head opens. */
function levelOf(head: number): number {
  const endless = (head & 31) === indefinite ? levelBits.endless : 0
  return head >= 0xa0 && head < 0xc0 ? endless | levelBits.ofMembers : endless
}

/** Texts of up to 23 bytes, which most names are. */
function skipShortText(bytes: Uint8Array, from: number): number {
  const end = from + 1 + ((bytes[from] ?? 0) & 31)
  if (end > bytes.length) return -1
  const at = skipAscii(bytes, from + 1, end)
  return at === end || isWellFormedUtf8(bytes, at, end) ? end : -1
}

/** Texts, and integers, as some peers use them. */
function isName(head: number): boolean {
  return head < 0x40 || head >> 5 === 3
}

/** What has no values in it. */
function skipScalar(bytes: Uint8Array, at: number): number {
  const head = bytes[at] ?? noHead
  switch (head >> 5) {
    case 0:
    case 1:
      return headEnd(bytes, at)
    case 2:
    case 3:
      return (head & 31) === indefinite ? skipChunks(bytes, at) : skipDefinite(bytes, at)
    default:
      return skipSimple(bytes, at)
  }
}

/** Steps over a text or byte string of definite length; texts are UTF-8. */
function skipDefinite(bytes: Uint8Array, at: number): number {
  const start = headEnd(bytes, at)
  if (start < 0) return -1
  const end = start + argumentAt(bytes, at, start)
  if (end > bytes.length) return -1
  return (bytes[at] ?? 0) >> 5 === 2 || isWellFormedUtf8(bytes, start, end) ? end : -1
}

/** RFC 8949 §3.2.3: parts of the same type and of definite length, until the break. */
function skipChunks(bytes: Uint8Array, from: number): number {
  const type = (bytes[from] ?? noHead) >> 5
  let at = from + 1
  for (;;) {
    const head = bytes[at] ?? noHead
    if (head === breakByte) return at + 1
    if (head >> 5 !== type) return -1
    at = skipDefinite(bytes, at)
    if (at < 0) return -1
  }
}

/** RFC 8949 §3.3: false, true, null, undefined (20 … 23), and floats of 2, 4 and 8 bytes (25 … 27). Nothing else is assigned. */
function skipSimple(bytes: Uint8Array, at: number): number {
  const info = (bytes[at] ?? noHead) & 31
  if (info >= 20 && info <= 23) return at + 1
  return info >= 25 && info <= 27 ? headEnd(bytes, at) : -1
}

/** Where a text that stands at `from` has its bytes; -1 where no text of definite length stands. */
export function textStart(bytes: Uint8Array, from: number): number {
  return (bytes[from] ?? 0) >> 5 === 3 ? headEnd(bytes, from) : -1
}

/** Steps over a text of definite or indefinite length; -1 where none stands. */
export function skipText(bytes: Uint8Array, from: number): number {
  return (bytes[from] ?? 0) >> 5 === 3 ? skipScalar(bytes, from) : -1
}
