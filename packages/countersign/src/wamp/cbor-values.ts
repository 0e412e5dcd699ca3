/**
 * CBOR values, read (RFC 8949 §3; how a head is put together stands in `cbor-scan.ts`). The bytes were validated before:
 * every length fits, every text is UTF-8, depth is bounded, hence the recursion.
 */
import { breakByte } from './cbor-scan.ts'
import type { ByteLender } from './codec.ts'
import { ByteCursor } from './codec-cursor.ts'
import { setOwn } from './codec-extension.ts'
import { exact, half } from './codec-numbers.ts'

/** Largest bignum that becomes a bigint, bytes: arithmetic on larger ones takes time that nobody granted. */
const maxBignumBytes = 128

/**
 * The values of elements that stand one behind the other. Integers beyond 2^53 and bignums are bigints (a bignum of more
 * than 128 bytes stays bytes); of any other tagged value the tag is dropped.
 */
export function readCborElements(bytes: Uint8Array, lend: ByteLender): readonly unknown[] {
  return new CborValues(bytes, lend).all()
}

class CborValues {
  readonly #from: ByteCursor

  constructor(bytes: Uint8Array, lend: ByteLender) {
    this.#from = new ByteCursor(bytes, lend)
  }

  all(): readonly unknown[] {
    return this.#from.rest(() => this.value())
  }

  /** RFC 8949 §3.4: a tag says something about the value behind it. Two are understood, 2 and 3: bignums. */
  value(): unknown {
    let head = this.#from.byte()
    let tag: number | bigint = -1
    // Tags in a row are as many as the depth allows: a loop, and the innermost one counts.
    while (head >> 5 === 6) {
      tag = this.#argument(head & 31)
      head = this.#from.byte()
    }
    if (tag !== 2 && tag !== 3) return this.#untagged(head)
    const magnitude = this.#untagged(head)
    return magnitude instanceof Uint8Array ? bignum(magnitude, tag === 3) : magnitude
  }

  /** A map that stands at hand. */
  dict(): Record<string, unknown> {
    return this.#map(this.#count(this.#from.byte() & 31))
  }

  /** By major type, the three highest bits of a head (RFC 8949 §3.1). */
  #untagged(head: number): unknown {
    const info = head & 31
    switch (head >> 5) {
      case 0:
        return this.#argument(info)
      case 1:
        return negative(this.#argument(info))
      case 2:
        return info === 31 ? joined(this.#chunks()) : this.#from.copy(Number(this.#argument(info)))
      case 3:
        return info === 31
          ? this.#chunks().map(String).join('')
          : this.#from.text(Number(this.#argument(info)))
      case 4:
        return this.#array(this.#count(info))
      case 5:
        return this.#map(this.#count(info))
      default:
        return this.#simple(info)
    }
  }

  /** RFC 8949 §3: the additional information itself, or 1, 2, 4 or 8 bytes behind the head. */
  #argument(info: number): number | bigint {
    if (info < 24) return info
    const { view } = this.#from
    const start = this.#from.step(1 << (info - 24))
    if (info === 24) return view.getUint8(start)
    if (info === 25) return view.getUint16(start)
    return info === 26 ? view.getUint32(start) : exact(view.getBigUint64(start))
  }

  /** How many items; an indefinite length counts without end, until the break. */
  #count(info: number): number {
    return info === 31 ? Infinity : Number(this.#argument(info))
  }

  /** Steps over the break that ends an indefinite length, where it stands. */
  #ends(left: number): boolean {
    if (left !== Infinity) return left === 0
    if (this.#from.view.getUint8(this.#from.at) !== breakByte) return false
    this.#from.at++
    return true
  }

  #array(count: number): unknown[] {
    const items: unknown[] = []
    for (let left = count; !this.#ends(left); left--) items.push(this.value())
    return items
  }

  /**
   * Names are texts; an integer, as some peers use them, becomes its decimal text. Of one name the last member counts, as it
   * does in JSON.
   */
  #map(count: number): Record<string, unknown> {
    const object: Record<string, unknown> = {}
    for (let left = count; !this.#ends(left); left--) {
      const name = String(this.value())
      const member = this.value()
      if (member !== undefined) setOwn(object, name, member)
    }
    return object
  }

  /** The definite parts of a text or byte string of indefinite length (RFC 8949 §3.2.3): they stand as items would. */
  #chunks(): unknown[] {
    return this.#array(Infinity)
  }

  /** Major type 7 (RFC 8949 §3.3): false, true, null, floats of 2, 4 and 8 bytes, and undefined. */
  #simple(info: number): unknown {
    const { view } = this.#from
    switch (info) {
      case 20:
        return false
      case 21:
        return true
      case 22:
        return null
      case 25:
        return half(view.getUint16(this.#from.step(2)))
      case 26:
        return view.getFloat32(this.#from.step(4))
      case 27:
        return view.getFloat64(this.#from.step(8))
      default:
        return undefined
    }
  }
}

/** −1 − n (RFC 8949 §3.1, major type 1). */
function negative(value: number | bigint): number | bigint {
  return exact(-1n - BigInt(value))
}

/** Bytes of parts; a part that is no byte string was refused before. */
function joined(parts: readonly unknown[]): Uint8Array {
  const chunks = parts.filter((part) => part instanceof Uint8Array)
  const whole = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}

/** RFC 8949 §3.4.3: a magnitude, big-endian; tag 3 is −1 − n. Small ones are numbers, as if they had been written plainly. */
function bignum(magnitude: Uint8Array, isNegative: boolean): number | bigint | Uint8Array {
  if (magnitude.length > maxBignumBytes) return magnitude
  let value = 0n
  for (const byte of magnitude) value = (value << 8n) | BigInt(byte)
  return exact(isNegative ? -1n - value : value)
}

/** One dictionary; `bytes` hold it and nothing else. */
export function readCborDict(bytes: Uint8Array, lend: ByteLender): Record<string, unknown> {
  return new CborValues(bytes, lend).dict()
}
