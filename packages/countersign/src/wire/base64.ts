import type { Bytes } from './utf8.ts'

interface Alphabet {
  readonly digits: string
  /**
   * Value 0–63 by character code, -1 for what is no digit. A table, not ranges: which digit comes next cannot be
   * predicted, so every branch on it would be taken wrongly half of the time.
   */
  readonly values: Int8Array
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const standard: Alphabet = alphabetOf(`${letters}+/`)
const urlSafe: Alphabet = alphabetOf(`${letters}-_`)

function alphabetOf(digits: string): Alphabet {
  const values = new Int8Array(128).fill(-1)
  for (let value = 0; value < 64; value++) values[digits.charCodeAt(value)] = value
  return { digits, values }
}

/**
 * RFC 4648 §4, canonical only: padding is required, unused bits are zero, nothing else stands in the text.
 * Each byte sequence therefore has exactly one accepted spelling, and a credential cannot be respelled past a
 * deny list.
 *
 * @returns the bytes, or `undefined` for anything else, including more than `maxBytes`
 */
export function decodeBase64(text: string, maxBytes: number): Bytes | undefined {
  if (text.length % 4 !== 0) return undefined
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  return decode(text.slice(0, text.length - padding), standard, maxBytes)
}

/**
 * RFC 4648 §5 as RFC 7515 §2 uses it: no padding, unused bits are zero, nothing else stands in the text.
 *
 * @returns the bytes, or `undefined` for anything else, including more than `maxBytes`
 */
export function decodeBase64url(text: string, maxBytes: number): Bytes | undefined {
  return decode(text, urlSafe, maxBytes)
}

/**
 * `decodeBase64url` into the front of a buffer that the caller uses again: a fresh one for each of many short texts
 * costs more than to decode them.
 *
 * @returns how many bytes were written, or -1 for what is not canonical or does not fit; `bytes` then holds anything
 */
export function decodeBase64urlInto(bytes: Uint8Array, text: string): number {
  const size = sizeOf(text.length)
  return size <= bytes.length && size >= 0 && fill(bytes, text, urlSafe) ? size : -1
}

/** RFC 4648 §4 with padding. */
export function encodeBase64(bytes: Uint8Array): string {
  const digits = encode(bytes, standard)
  return digits.padEnd(Math.ceil(digits.length / 4) * 4, '=')
}

/** RFC 4648 §5 without padding. */
export function encodeBase64url(bytes: Uint8Array): string {
  return encode(bytes, urlSafe)
}

/**
 * True when `text` is the canonical base64 of exactly 16 bytes: what `Sec-WebSocket-Key` must be (RFC 6455
 * §4.1). Looks only, allocates nothing.
 */
export function isBase64Of16Bytes(text: string): boolean {
  if (text.length !== 24 || !text.endsWith('==')) return false
  for (let at = 0; at < 21; at++) if (sextetOf(text, at, standard) < 0) return false
  const last = sextetOf(text, 21, standard)
  return last >= 0 && (last & 15) === 0
}

/** The value 0–63 of the digit at `at`, or a negative number. */
function sextetOf(text: string, at: number, { values }: Alphabet): number {
  return values[text.charCodeAt(at)] ?? -1
}

/** How many bytes `length` digits without padding stand for; -1 for a length that no text has. */
function sizeOf(length: number): number {
  return length % 4 === 1 ? -1 : Math.floor((length * 3) / 4)
}

/** Decodes digits without padding. */
function decode(text: string, alphabet: Alphabet, maxBytes: number): Bytes | undefined {
  const size = sizeOf(text.length)
  if (size < 0 || size > maxBytes) return undefined
  const bytes = new Uint8Array(size)
  return fill(bytes, text, alphabet) ? bytes : undefined
}

/** Decodes into the front of `bytes`, which must be long enough. @returns `false` for what is not canonical */
function fill(bytes: Uint8Array, text: string, alphabet: Alphabet): boolean {
  const whole = text.length - (text.length % 4)
  let written = 0
  for (let at = 0; at < whole; at += 4) {
    const high = (sextetOf(text, at, alphabet) << 6) | sextetOf(text, at + 1, alphabet)
    const low = (sextetOf(text, at + 2, alphabet) << 6) | sextetOf(text, at + 3, alphabet)
    // A negative value stays negative through shift and union.
    if ((high | low) < 0) return false
    bytes[written++] = high >> 4
    bytes[written++] = ((high & 15) << 4) | (low >> 8)
    bytes[written++] = low & 255
  }
  return whole === text.length || fillRest(bytes, written, text.slice(whole), alphabet)
}

/** The last two or three digits. RFC 4648 §3.5: unused bits are zero, or the text is a second spelling of the bytes. */
function fillRest(bytes: Uint8Array, from: number, rest: string, alphabet: Alphabet): boolean {
  const high = (sextetOf(rest, 0, alphabet) << 6) | sextetOf(rest, 1, alphabet)
  const low = rest.length === 3 ? sextetOf(rest, 2, alphabet) : 0
  const unused = rest.length === 3 ? low & 3 : high & 15
  if ((high | low) < 0 || unused !== 0) return false
  bytes[from] = high >> 4
  if (rest.length === 3) bytes[from + 1] = ((high & 15) << 4) | (low >> 2)
  return true
}

/** Encodes without padding; the last digit is filled up with zero bits. */
function encode(bytes: Uint8Array, alphabet: Alphabet): string {
  let text = ''
  let held = 0
  let bits = 0
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xffff
    bits += 8
    while (bits >= 6) {
      bits -= 6
      text += alphabet.digits.charAt((held >> bits) & 63)
    }
  }
  return bits === 0 ? text : text + alphabet.digits.charAt((held << (6 - bits)) & 63)
}
