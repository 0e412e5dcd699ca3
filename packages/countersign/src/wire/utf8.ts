/** Bytes with a buffer of their own, as WebCrypto and `node:crypto` both take them. */
export type Bytes = Uint8Array<ArrayBuffer>

// `ignoreBOM` keeps a byte order mark in the text: bytes and text then stand for each other one to one.
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

/** The text that these bytes encode, or `undefined` when they are not well-formed UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes)
  } catch {
    return undefined
  }
}

/** The UTF-8 form of `text`; a lone surrogate becomes U+FFFD, as everywhere on the web platform. */
export function encodeUtf8(text: string): Bytes {
  return encoder.encode(text)
}

/** How many bytes one code point takes in UTF-8. */
export function utf8Width(codePoint: number): 1 | 2 | 3 | 4 {
  if (codePoint < 0x80) return 1
  if (codePoint < 0x800) return 2
  return codePoint < 0x10000 ? 3 : 4
}

/**
 * True when the UTF-8 form of `text` is at most `maxBytes` long; stops counting as soon as the answer is
 * known.
 */
export function fitsUtf8(text: string, maxBytes: number): boolean {
  if (text.length > maxBytes) return false
  if (text.length * 3 <= maxBytes) return true
  let bytes = 0
  for (const character of text) {
    bytes += utf8Width(Number(character.codePointAt(0)))
    if (bytes > maxBytes) return false
  }
  return true
}
