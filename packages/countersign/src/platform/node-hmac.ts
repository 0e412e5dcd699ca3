/** HMAC-SHA-256 by two one-shot hashes: an `Hmac` object costs more than what it computes, and once more to collect. */
import { createHmac, hash } from 'node:crypto'

const blockBytes = 64
const digestBytes = 32
/** Longer texts, in characters, are not copied. */
const maxTextLength = 1_024

/** What is hashed first: the key under `ipad`, the text; and then: the key under `opad`, the first digest. */
const inner = Buffer.alloc(blockBytes + maxTextLength * 3)
const outer = Buffer.alloc(blockBytes + digestBytes)

/** HMAC-SHA-256 (RFC 2104) of a text, in base64. A key that is a text stands for its UTF-8. */
export function hmacSha256(key: string | Uint8Array, text: string): string {
  const keyBytes = typeof key === 'string' ? Buffer.byteLength(key) : key.length
  if (text.length > maxTextLength || keyBytes > blockBytes)
    return createHmac('sha256', key).update(text).digest('base64')
  if (typeof key === 'string') inner.write(key)
  else inner.set(key)
  inner.fill(0, keyBytes, blockBytes)
  for (let at = 0; at < blockBytes; at++) {
    const byte = inner[at] ?? 0
    inner[at] = byte ^ 0x36
    outer[at] = byte ^ 0x5c
  }
  const end = blockBytes + inner.write(text, blockBytes)
  outer.set(hash('sha256', inner.subarray(0, end), 'buffer'), blockBytes)
  const mac = hash('sha256', outer, 'base64')
  // No key stays behind.
  inner.fill(0, 0, blockBytes)
  outer.fill(0)
  return mac
}
