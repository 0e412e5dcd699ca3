/**
 * A validator of JSON bytes (RFC 8259): steps over what is good, builds nothing. Never more lenient than `JSON.parse`, which
 * reads later what passed here.
 *
 * Bytes of the grammar: `"` 0x22 · `,` 0x2c · `-` 0x2d · `.` 0x2e · digits 0x30 … 0x39 · `:` 0x3a · `[` 0x5b · `\` 0x5c ·
 * `]` 0x5d · `{` 0x7b · `}` 0x7d · blanks 0x20, 0x0a, 0x0d, 0x09. None of them occurs within a UTF-8 sequence.
 */

/** Class of a byte inside a string: 1 stands for itself, 0 needs a look: controls, the quote, the escape (RFC 8259 §7). */
const ordinary = new Uint8Array(256)
ordinary.fill(1, 0x20)
ordinary[0x22] = 0
ordinary[0x5c] = 0

const isHex = new Uint8Array(256)
for (const digit of '0123456789abcdefABCDEF') isHex[digit.charCodeAt(0)] = 1

/** Steps over blanks (RFC 8259 §2). */
export function skipBlanks(bytes: Uint8Array, from: number): number {
  let at = from
  for (;;) {
    const byte = bytes[at] ?? 0
    if (byte > 0x20 || (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) return at
    at++
  }
}

/**
 * Steps over a string whose opening quote stands at `from`. Bytes beyond ASCII are taken as they are: whether they are
 * UTF-8 is asked of the whole message.
 *
 * @returns where it ends, or -1
 */
export function skipString(bytes: Uint8Array, from: number): number {
  let at = from + 1
  for (;;) {
    // The loop that long texts are spent in. Beyond the end there is a zero, which is not ordinary.
    while (ordinary[bytes[at] ?? 0] === 1) at++
    const byte = bytes[at]
    if (byte === 0x22) return at + 1
    if (byte !== 0x5c) return -1
    at = skipEscape(bytes, at + 1)
    if (at < 0) return -1
  }
}

/** What may stand behind a backslash (RFC 8259 §7): one of eight letters and signs, or `u` and four hex digits. */
function skipEscape(bytes: Uint8Array, from: number): number {
  switch (bytes[from] ?? 0) {
    case 0x22:
    case 0x5c:
    case 0x2f:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      return from + 1
    case 0x75:
      for (let at = from + 1; at < from + 5; at++) if (isHex[bytes[at] ?? 0] !== 1) return -1
      return from + 5
    default:
      return -1
  }
}

/** Steps over a number (RFC 8259 §6); -1 where none stands. No leading zero, no sign but minus, digits around the dot. */
export function skipNumber(bytes: Uint8Array, from: number): number {
  let at = bytes[from] === 0x2d ? from + 1 : from
  if (bytes[at] === 0x30) at++
  else {
    const whole = at
    at = skipDigits(bytes, at)
    if (at === whole) return -1
  }
  if (bytes[at] === 0x2e) {
    const fraction = at + 1
    at = skipDigits(bytes, fraction)
    if (at === fraction) return -1
  }
  // `e` or `E`.
  if (((bytes[at] ?? 0) | 0x20) !== 0x65) return at
  const sign = bytes[at + 1]
  const exponent = sign === 0x2b || sign === 0x2d ? at + 2 : at + 1
  at = skipDigits(bytes, exponent)
  return at === exponent ? -1 : at
}

/** Steps over decimal digits. */
export function skipDigits(bytes: Uint8Array, from: number): number {
  let at = from
  for (;;) {
    const digit = (bytes[at] ?? 0) - 0x30
    if (digit < 0 || digit > 9) return at
    at++
  }
}

/** Steps over `true`, `null` or `false`; -1 where another text stands. */
export function skipWord(bytes: Uint8Array, from: number): number {
  switch (bytes[from] ?? 0) {
    case 0x74:
      return bytes[from + 1] === 0x72 && bytes[from + 2] === 0x75 && bytes[from + 3] === 0x65 ? from + 4 : -1
    case 0x6e:
      return bytes[from + 1] === 0x75 && bytes[from + 2] === 0x6c && bytes[from + 3] === 0x6c ? from + 4 : -1
    case 0x66:
      return bytes[from + 1] === 0x61 &&
        bytes[from + 2] === 0x6c &&
        bytes[from + 3] === 0x73 &&
        bytes[from + 4] === 0x65
        ? from + 5
        : -1
    default:
      return -1
  }
}

const openObject = 0x7b
const closeObject = 0x7d
const openArray = 0x5b
const closeArray = 0x5d

/** Steps over whole values, arrays and objects included, without recursion. */
export class JsonScanner {
  /** A bound of its own: `JSON.parse` has none, and what reads its values afterwards does so by recursion. */
  readonly #maxDepth: number
  /** What closes each level that is open. */
  readonly #closers: Uint8Array

  constructor(maxDepth: number) {
    this.#maxDepth = maxDepth
    this.#closers = new Uint8Array(maxDepth + 1)
  }

  /** Steps over the value that begins at `from`; -1 where none stands, or one that is too deep. */
  skip(bytes: Uint8Array, from: number): number {
    const closers = this.#closers
    let at = from
    let depth = 0
    for (;;) {
      const byte = bytes[at]
      if (byte === openArray || byte === openObject) {
        const inside = skipBlanks(bytes, at + 1)
        const closer = byte === openArray ? closeArray : closeObject
        if (bytes[inside] === closer) {
          if (depth >= this.#maxDepth) return -1
          at = inside + 1
        } else {
          if (depth >= this.#maxDepth) return -1
          closers[++depth] = closer
          at = closer === closeObject ? skipName(bytes, inside) : inside
          if (at < 0) return -1
          continue
        }
      } else at = skipScalar(bytes, at)
      if (at < 0) return -1
      // A value has ended. So may have levels around it, until a comma leads to the next value.
      for (;;) {
        if (depth === 0) return at
        at = skipBlanks(bytes, at)
        const closer = closers[depth]
        if (bytes[at] === closer) {
          at++
          depth--
        } else if (bytes[at] === 0x2c) {
          at = skipBlanks(bytes, at + 1)
          if (closer === closeObject) at = skipName(bytes, at)
          if (at < 0) return -1
          break
        } else return -1
      }
    }
  }
}

/** What has no values in it. `-` and digits stand below `:`, words above. */
function skipScalar(bytes: Uint8Array, from: number): number {
  const byte = bytes[from] ?? 0
  if (byte === 0x22) return skipString(bytes, from)
  return byte < 0x3a ? skipNumber(bytes, from) : skipWord(bytes, from)
}

/** Steps over a member's name, its colon, and blanks; -1 where something else stands. */
function skipName(bytes: Uint8Array, from: number): number {
  if (bytes[from] !== 0x22) return -1
  const end = skipString(bytes, from)
  if (end < 0) return -1
  const colon = skipBlanks(bytes, end)
  return bytes[colon] === 0x3a ? skipBlanks(bytes, colon + 1) : -1
}
