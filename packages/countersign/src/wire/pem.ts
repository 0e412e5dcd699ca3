import { decodeBase64 } from './base64.ts'
import type { Bytes } from './utf8.ts'

const begin = '-----BEGIN CERTIFICATE-----'
const end = '-----END CERTIFICATE-----'

/**
 * The DER bytes of exactly one PEM certificate (RFC 7468 §5) with nothing before or behind it. Lines may be
 * parted by blanks and tabs as well: that is how servers fold a certificate into one header.
 *
 * @returns the bytes, or `undefined` for anything else, including more than `maxBytes`
 */
export function decodePemCertificate(text: string, maxBytes: number): Bytes | undefined {
  // Base64 is 4/3 of the bytes; lines of one character would double it.
  if (text.length > maxBytes * 3 + begin.length + end.length) return undefined
  const trimmed = text.trim()
  if (!trimmed.startsWith(begin) || !trimmed.endsWith(end)) return undefined
  const body = trimmed.slice(begin.length, -end.length).replaceAll(/[ \t\r\n]/g, '')
  const der = decodeBase64(body, maxBytes)
  return der && isDerSequence(der) ? der : undefined
}

/**
 * True when the bytes are one DER SEQUENCE and nothing behind it, as every certificate is (X.690 §8.1 and
 * §10.1). Says nothing about what is inside.
 */
export function isDerSequence(der: Uint8Array): boolean {
  const [tag, first = 0, ...rest] = der.subarray(0, 5)
  if (tag !== 0x30) return false
  if (first < 0x80) return der.length === first + 2
  const count = first & 0x7f
  if (count < 1 || count > 3 || rest.length < count) return false
  const length = rest.slice(0, count).reduce((sum, byte) => sum * 256 + byte, 0)
  const shortest = length >= 256 ** (count - 1) && length >= 0x80
  return shortest && der.length === length + 2 + count
}
