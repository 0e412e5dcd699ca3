/** Bytes as challenge-response methods handle them: hex, exclusive or, comparison. */
import { OutageError } from '../core/errors.ts'
import { hexPair } from '../wire/ascii.ts'
import { decodeBase64url } from '../wire/base64.ts'

/** Decodes hex of either case that stands for exactly `length` bytes; `undefined` for anything else. */
export function decodeHex(text: unknown, length: number): Uint8Array | undefined {
  if (typeof text !== 'string' || text.length !== length * 2) return undefined
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at++) {
    const byte = hexPair(text, at * 2, text.length)
    if (byte < 0) return undefined
    bytes[at] = byte
  }
  return bytes
}

/** Lower-case hex. */
export function encodeHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Longest answer of the platform that is decoded, bytes. */
const maxAnswerBytes = 64

/**
 * Bytes of what the platform has answered: a digest, an HMAC, random bytes, in either alphabet of base64.
 * @throws OutageError for anything else
 */
export function answeredBytes(text: string): Uint8Array {
  const urlSafe = text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
  const bytes = decodeBase64url(urlSafe, maxAnswerBytes)
  if (bytes === undefined) throw new OutageError('keys_unavailable', 'platform: an answer is no base64')
  return bytes
}

/** Exclusive or of two byte strings of one length. */
export function xor(one: Uint8Array, other: Uint8Array): Uint8Array {
  return one.map((byte, at) => byte ^ (other[at] ?? 0))
}

/** Compares in time that depends on the lengths alone. */
export function sameBytes(shown: Uint8Array, expected: Uint8Array): boolean {
  let differences = shown.length ^ expected.length
  for (const [at, byte] of expected.entries()) differences |= (shown[at] ?? 0) ^ byte
  return differences === 0
}
