import { every, hexValue, isDigitCode } from './ascii.ts'

/** Eight 16-bit groups of an IPv6 address. */
export type Ipv6 = readonly number[]

/** True for the one canonical spelling of an IPv4 address: four decimal numbers to 255, no leading zero. */
export function isIpv4(text: string): boolean {
  // Every handshake asks: looked at in place, without taking the text apart.
  let at = skipOctet(text, 0)
  for (let octet = 1; octet < 4 && at > 0; octet++) {
    at = text.charCodeAt(at) === 0x2e ? skipOctet(text, at + 1) : -1
  }
  return at === text.length && at > 0
}

/** The position behind a number to 255 without leading zero, or -1. */
function skipOctet(text: string, from: number): number {
  let value = 0
  let at = from
  for (; isDigitCode(text.charCodeAt(at)); at++) {
    // Nothing but a lone zero begins with one; this also ends the walk after three digits.
    if ((at > from && value === 0) || value > 25) return -1
    value = value * 10 + text.charCodeAt(at) - 0x30
  }
  return at === from || value > 255 ? -1 : at
}

/**
 * Reads any spelling of RFC 4291 §2.2: `::`, leading zeros, a dotted quad at the end. No zone, no brackets.
 *
 * @returns the eight groups, or `undefined`
 */
export function parseIpv6(text: string): Ipv6 | undefined {
  if (text.length > 45) return undefined
  const gap = text.indexOf('::')
  if (gap < 0) {
    const groups = readGroups(text)
    return groups?.length === 8 ? groups : undefined
  }
  const head = gap === 0 ? [] : readGroups(text.slice(0, gap))
  const tail = gap + 2 === text.length ? [] : readGroups(text.slice(gap + 2))
  if (head === undefined || tail === undefined) return undefined
  const missing = 8 - head.length - tail.length
  // A dotted quad may only stand at the very end, hence never before the gap.
  if (missing < 1 || text.slice(0, gap).includes('.')) return undefined
  return [...head, ...Array.from({ length: missing }, () => 0), ...tail]
}

/**
 * The canonical spelling of RFC 5952: lower case, no leading zero, the first longest run of zero groups as
 * `::`.
 */
export function formatIpv6(groups: Ipv6): string {
  const { start, length } = longestZeros(groups)
  const words = groups.map((group) => group.toString(16))
  if (length < 2) return words.join(':')
  return `${words.slice(0, start).join(':')}::${words.slice(start + length).join(':')}`
}

/** The dotted quad inside an IPv4-mapped address (`::ffff:0:0/96`), or `undefined` when it is none. */
export function mappedIpv4(groups: Ipv6): string | undefined {
  const [a, b, c, d, e, f, high = 0, low = 0] = groups
  if (a !== 0 || b !== 0 || c !== 0 || d !== 0 || e !== 0 || f !== 0xffff) return undefined
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`
}

/** The two groups of a dotted quad. */
function readIpv4(text: string): readonly [number, number] | undefined {
  const parts = text.split('.')
  const [a, b, c, d] = parts.map(readOctet)
  if (parts.length !== 4 || a === undefined || b === undefined || c === undefined || d === undefined)
    return undefined
  return [a * 256 + b, c * 256 + d]
}

/**
 * Leading zeros are refused: some readers take them for octal, and two readers of one address is how filters
 * fail.
 */
function readOctet(text: string): number | undefined {
  if (text === '' || text.length > 3 || !every(text, isDigitCode)) return undefined
  if (text.length > 1 && text.startsWith('0')) return undefined
  return Number(text) <= 255 ? Number(text) : undefined
}

/** The groups of a text without `::`; a dotted quad at the end makes two. */
function readGroups(text: string): readonly number[] | undefined {
  const groups: number[] = []
  const words = text.split(':')
  for (const [index, word] of words.entries()) {
    const quad = index === words.length - 1 && word.includes('.') ? readIpv4(word) : undefined
    if (quad !== undefined) {
      groups.push(...quad)
    } else {
      if (word === '' || word.length > 4 || !every(word, (code) => hexValue(code) >= 0)) return undefined
      groups.push(Number.parseInt(word, 16))
    }
  }
  return groups
}

/** RFC 5952 §4.2.3: the first of the longest runs. */
function longestZeros(groups: Ipv6): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 }
  let length = 0
  for (const [index, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0
    if (length > best.length) best = { start: index - length + 1, length }
  }
  return best
}
