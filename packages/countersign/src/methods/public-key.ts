/** Ed25519 public keys as they are written. */
import { decodeHex, encodeHex } from './wamp-bytes.ts'

/**
 * Points of small order, without their sign: under such a key anyone can make signatures that RFC 8032 §5.1.7 finds
 * right, and not every platform refuses. All encodings, those beyond the prime included.
 */
const smallOrder: ReadonlySet<string> = new Set([
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  `ec${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`,
])

/**
 * The form in which public keys are stored and compared: 64 lower-case hex digits.
 * @returns `undefined` for what is no hex of 32 bytes, and for a key that holds nobody off
 */
export function normalisePublicKey(written: unknown): string | undefined {
  const bytes = decodeHex(written, 32)
  if (bytes === undefined) return undefined
  const unsigned = bytes.map((byte, at) => (at === 31 ? byte & 0x7f : byte))
  return smallOrder.has(encodeHex(unsigned)) ? undefined : encodeHex(bytes)
}
