import { isDigitCode } from './ascii.ts'
import type { Bytes } from './utf8.ts'

interface Alphabet {
  readonly digits: string
  readonly code62: number
  readonly code63: number
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const standard: Alphabet = { digits: `${letters}+/`, code62: 0x2b, code63: 0x2f }
const urlSafe: Alphabet = { digits: `${letters}-_`, code62: 0x2d, code63: 0x5f }

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
  for (let at = 0; at < 21; at++) if (sextetOf(text.charCodeAt(at), standard) < 0) return false
  const last = sextetOf(text.charCodeAt(21), standard)
  return last >= 0 && (last & 15) === 0
}

/** The value 0–63 of one digit, or -1. Ranges instead of a table: nothing to index, nothing to miss. */
function sextetOf(code: number, alphabet: Alphabet): number {
  if (code >= 0x61 && code <= 0x7a) return code - 0x47
  if (code >= 0x41 && code <= 0x5a) return code - 0x41
  if (isDigitCode(code)) return code + 4
  if (code === alphabet.code62) return 62
  return code === alphabet.code63 ? 63 : -1
}

/** Decodes digits without padding. */
function decode(text: string, alphabet: Alphabet, maxBytes: number): Bytes | undefined {
  const { length } = text
  const size = Math.floor((length * 3) / 4)
  if (length % 4 === 1 || size > maxBytes) return undefined
  const bytes = new Uint8Array(size)
  let held = 0
  let bits = 0
  let written = 0
  for (let at = 0; at < length; at++) {
    const sextet = sextetOf(text.charCodeAt(at), alphabet)
    if (sextet < 0) return undefined
    held = ((held << 6) | sextet) & 0xfff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      bytes[written++] = held >> bits
    }
  }
  // RFC 4648 §3.5: bits beyond the last byte are zero, or the text is a second spelling of the same bytes.
  const unused = held & ((1 << bits) - 1)
  return unused === 0 ? bytes : undefined
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
