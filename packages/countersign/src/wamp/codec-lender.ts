/** Text and bytes without help from a runtime. */
import type { ByteLender } from './codec.ts'

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const encoder = new TextEncoder()

/** Answers with `TextDecoder` and `TextEncoder` alone. */
export const portableLender: ByteLender = {
  text: (bytes, from, to) => decoder.decode(bytes.subarray(from, to)),
  allocate: (size) => new Uint8Array(size),
  write: (text, into, at) => encoder.encodeInto(text, into.subarray(at)).written,
}

/** RFC 3629 §4, byte by byte: no overlong form, no surrogate, nothing above U+10FFFF. Allocates nothing. */
export function isWellFormedUtf8(bytes: Uint8Array, from: number, to: number): boolean {
  let at = from
  for (;;) {
    // ASCII, which most texts are, costs one comparison a byte.
    while (at < to && (bytes[at] ?? 0) < 0x80) at++
    if (at >= to) return true
    const lead = bytes[at] ?? 0
    const size = sequenceSize(lead)
    if (size === 0 || at + size > to || !isSecond(lead, bytes[at + 1] ?? 0)) return false
    for (let rest = 2; rest < size; rest++) if (((bytes[at + rest] ?? 0) & 0xc0) !== 0x80) return false
    at += size
  }
}

/** Bytes of a sequence by its first one; 0 for what begins none: continuations, overlong forms, values above U+10FFFF. */
function sequenceSize(lead: number): number {
  if (lead < 0xc2 || lead > 0xf4) return 0
  if (lead < 0xe0) return 2
  return lead < 0xf0 ? 3 : 4
}

/** The second byte carries what forbids overlong forms, surrogates and values above U+10FFFF. */
function isSecond(lead: number, byte: number): boolean {
  const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
  const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
  return byte >= lowest && byte <= highest
}
