import type { ByteLender } from './codec.ts'

/** How many names are remembered, a power of two, and how long one may be. Together they bound the memory. */
const places = 1024
const maxNameBytes = 128

/**
 * Remembers URIs: the same few come in over and over, and a text that was made before has its hash already. One place for
 * each hash: a newcomer replaces whoever is there, so a peer that invents names makes others slower, and nothing worse.
 */
export class NameCache {
  readonly #lend: ByteLender
  readonly #names: string[] = Array.from({ length: places }, () => '')

  constructor(lend: ByteLender) {
    this.#lend = lend
  }

  /** The text of these bytes, which are UTF-8. Texts beyond ASCII are not remembered. */
  text(bytes: Uint8Array, from: number, to: number): string {
    const place = to - from > maxNameBytes ? -1 : placeOf(bytes, from, to)
    if (place < 0) return this.#lend.text(bytes, from, to)
    const known = this.#names[place]
    if (known !== undefined && isTextOf(known, bytes, from) && known.length === to - from) return known
    const text = this.#lend.text(bytes, from, to)
    this.#names[place] = text
    return text
  }
}

/** A hash of ASCII; -1 for anything else. */
function placeOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = to - from
  let seen = 0
  for (let at = from; at < to; at++) {
    const byte = bytes[at] ?? 0
    seen |= byte
    hash = (Math.imul(hash, 31) + byte) | 0
  }
  return seen < 0x80 ? (hash ^ (hash >>> 15)) & (places - 1) : -1
}

/** Whether each unit of the text is the byte at its place. */
function isTextOf(text: string, bytes: Uint8Array, from: number): boolean {
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) !== bytes[from + index]) return false
  }
  return true
}
