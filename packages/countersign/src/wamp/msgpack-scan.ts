/**
 * A validator of MessagePack bytes: steps over what is good, builds nothing.
 *
 * A value begins with one byte that says what it is (MessagePack specification, "Formats"):
 * 0x00 … 0x7f a small number · 0x80 … 0x8f a map of up to 15 members · 0x90 … 0x9f an array of up to 15 ·
 * 0xa0 … 0xbf a text of up to 31 bytes · 0xc0 … 0xdf the table below · 0xe0 … 0xff −32 … −1.
 */
import { isWellFormedUtf8 } from './codec-lender.ts'
import { maxCountedBytes, outerLevels, skipAscii, type OuterLevels } from './codec-levels.ts'
import { uintAt } from './codec-numbers.ts'

/** What stands behind one head byte, in kinds; see `heads`. */
const kind: {
  readonly none: 0
  readonly fixed: 1
  readonly text: 2
  readonly bytes: 3
  readonly extension: 4
  readonly array: 5
  readonly map: 6
} = { none: 0, fixed: 1, text: 2, bytes: 3, extension: 4, array: 5, map: 6 }

/**
 * Heads from 0xc0 to 0xdf: what it is, and how many bytes its length, or a fixed value, takes. Of fixed extensions the byte
 * of the type is among them.
 */
const heads: readonly (readonly [kind: number, size: number])[] = [
  [kind.fixed, 0], // 0xc0 nil
  [kind.none, 0], // 0xc1 never used: refused
  [kind.fixed, 0], // 0xc2 false
  [kind.fixed, 0], // 0xc3 true
  [kind.bytes, 1], // 0xc4 bin 8
  [kind.bytes, 2], // 0xc5 bin 16
  [kind.bytes, 4], // 0xc6 bin 32
  [kind.extension, 1], // 0xc7 ext 8
  [kind.extension, 2], // 0xc8 ext 16
  [kind.extension, 4], // 0xc9 ext 32
  [kind.fixed, 4], // 0xca float 32
  [kind.fixed, 8], // 0xcb float 64
  [kind.fixed, 1], // 0xcc uint 8
  [kind.fixed, 2], // 0xcd uint 16
  [kind.fixed, 4], // 0xce uint 32
  [kind.fixed, 8], // 0xcf uint 64
  [kind.fixed, 1], // 0xd0 int 8
  [kind.fixed, 2], // 0xd1 int 16
  [kind.fixed, 4], // 0xd2 int 32
  [kind.fixed, 8], // 0xd3 int 64
  [kind.fixed, 2], // 0xd4 fixext 1
  [kind.fixed, 3], // 0xd5 fixext 2
  [kind.fixed, 5], // 0xd6 fixext 4
  [kind.fixed, 9], // 0xd7 fixext 8
  [kind.fixed, 17], // 0xd8 fixext 16
  [kind.text, 1], // 0xd9 str 8
  [kind.text, 2], // 0xda str 16
  [kind.text, 4], // 0xdb str 32
  [kind.array, 2], // 0xdc array 16
  [kind.array, 4], // 0xdd array 32
  [kind.map, 2], // 0xde map 16
  [kind.map, 4], // 0xdf map 32
]
// Typed tables over all heads: one load tells what a byte begins.
const kindOf = Uint8Array.from({ length: 256 }, (_, head) => kindOfHead(head))
const sizeOf = Uint8Array.from({ length: 256 }, (_, head) => heads[head - 0xc0]?.[1] ?? 0)

/** What the ranges and the table above come to. */
function kindOfHead(head: number): number {
  if (head < 0x80 || head >= 0xe0) return kind.fixed
  if (head < 0x90) return kind.map
  if (head < 0xa0) return kind.array
  return head < 0xc0 ? kind.text : (heads[head - 0xc0]?.[0] ?? kind.none)
}

/** The number in a head that holds it itself: length of a text, count of an array or map. */
function shortCount(head: number): number {
  return head < 0xa0 ? head & 15 : head & 31
}

/** Where a text's bytes begin, when its head stands at `from` and it fits; -1 where no text does. */
export function textStart(bytes: Uint8Array, from: number): number {
  const head = bytes[from] ?? 0xc1
  return kindOf[head] === kind.text ? from + 1 + (sizeOf[head] ?? 0) : -1
}

/** Where the text whose bytes begin at `start` ends; -1 unless it fits and is UTF-8. */
export function textEnd(bytes: Uint8Array, from: number, start: number): number {
  const size = start === from + 1 ? shortCount(bytes[from] ?? 0) : uintAt(bytes, from + 1, start - from - 1)
  const end = start + size
  return end <= bytes.length && isWellFormedUtf8(bytes, start, end) ? end : -1
}

/** Steps over whole values, arrays and maps included, without recursion. */
export class MsgpackScanner {
  /** A bound of its own, because whoever decodes a payload later does so by recursion. */
  readonly #maxDepth: number
  readonly #outer: OuterLevels

  constructor(maxDepth: number) {
    this.#maxDepth = maxDepth
    this.#outer = outerLevels(maxDepth)
  }

  /**
   * Steps over the value that begins at `from`. Names in maps are texts or integers.
   *
   * @returns where it ends; -1 where none stands, where one reaches beyond the end, or is too deep
   */
  skip(bytes: Uint8Array, from: number): number {
    if (bytes.length > maxCountedBytes) return -1
    const outer = this.#outer
    let at = from
    let depth = 0
    // Values to come in the innermost level. In a map names and members count, so an even number means: a name comes next.
    let left = 1
    let isMap = 0
    for (;;) {
      // Beyond the end stands 0xc1, which is no value.
      const head = bytes[at] ?? 0xc1
      // In the order of how often they occur: this chain is what the scanner's speed comes from.
      if (head < 0xc0 && head >= 0xa0) at = skipShortText(bytes, at)
      else if ((isMap & ~left) !== 0 && !isName(head)) return -1
      else if (head < 0x80 || head >= 0xe0) at++
      else {
        const what = kindOf[head] ?? kind.none
        if (what < kind.array) at = skipScalar(bytes, at, what)
        else {
          const size = sizeOf[head] ?? 0
          const count = size === 0 ? shortCount(head) : uintAt(bytes, at + 1, size)
          at += 1 + size
          // Every value takes a byte at least: a count that cannot be true is refused before anything is counted.
          if (depth >= this.#maxDepth || count > bytes.length - at) return -1
          if (count > 0) {
            outer.left[++depth] = left
            outer.bits[depth] = isMap
            isMap = what === kind.map ? 1 : 0
            left = count << isMap
            continue
          }
        }
      }
      if (at < 0 || at > bytes.length) return -1
      while (--left === 0) {
        if (depth === 0) return at
        left = outer.left[depth] ?? 0
        isMap = outer.bits[depth--] ?? 0
      }
    }
  }
}

/** Texts of up to 31 bytes, which names are, one and all. */
function skipShortText(bytes: Uint8Array, from: number): number {
  const end = from + 1 + ((bytes[from] ?? 0) & 31)
  if (end > bytes.length) return -1
  const at = skipAscii(bytes, from + 1, end)
  return at === end || isWellFormedUtf8(bytes, at, end) ? end : -1
}

/** Texts, and integers, as some peers use them. */
function isName(head: number): boolean {
  return head < 0x80 || head >= 0xe0 || (head >= 0xcc && head <= 0xd3) || kindOf[head] === kind.text
}

/** What has no values in it. A length that reaches beyond the end is seen by the caller. */
function skipScalar(bytes: Uint8Array, from: number, what: number): number {
  const head = bytes[from] ?? 0xc1
  const size = sizeOf[head] ?? 0
  switch (what) {
    case kind.fixed:
      return isFixedExtension(head) && !isGoodExtension(bytes, from + 1, size - 1) ? -1 : from + 1 + size
    case kind.text:
      return textEnd(bytes, from, from + 1 + size)
    case kind.bytes:
      return from + 1 + size + uintAt(bytes, from + 1, size)
    case kind.extension: {
      const length = uintAt(bytes, from + 1, size)
      return isGoodExtension(bytes, from + 1 + size, length) ? from + 2 + size + length : -1
    }
    default:
      return -1
  }
}

/** Fixext 1 … 16: the length is in the head. */
function isFixedExtension(head: number): boolean {
  return head >= 0xd4 && head <= 0xd8
}

/** A timestamp (type −1; specification, "Timestamp extension type") has three sizes: readers of peers throw at any other. */
function isGoodExtension(bytes: Uint8Array, at: number, length: number): boolean {
  return bytes[at] !== 0xff || length === 4 || length === 8 || length === 12
}
