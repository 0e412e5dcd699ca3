/** CBOR values, read. The bytes were validated before: every length fits, every text is UTF-8, depth is bounded. */
import { setOwn } from './codec-extension.ts'
import type { ByteLender } from './codec.ts'
import { exact, half } from './codec-numbers.ts'

/** Largest bignum that becomes a bigint, bytes: arithmetic on larger ones takes time that nobody granted. */
const maxBignumBytes = 128

/**
 * The values of elements that stand one behind the other. Integers beyond 2^53 and bignums are bigints (a bignum of more
 * than 128 bytes stays bytes); of any other tagged value the tag is dropped.
 */
export function readCborElements(bytes: Uint8Array, lend: ByteLender): readonly unknown[] {
  const reader = new CborValues(bytes, lend)
  const values: unknown[] = []
  while (reader.at < bytes.length) values.push(reader.value())
  return values
}

class CborValues {
  at: number = 0
  readonly #bytes: Uint8Array
  readonly #lend: ByteLender
  readonly #view: DataView

  constructor(bytes: Uint8Array, lend: ByteLender) {
    this.#bytes = bytes
    this.#lend = lend
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  value(): unknown {
    let head = this.#view.getUint8(this.at++)
    let tag: number | bigint = -1
    // Tags in a row are as many as the depth allows: a loop, and the innermost one counts.
    while (head >> 5 === 6) {
      tag = this.#argument(head & 31)
      head = this.#view.getUint8(this.at++)
    }
    if (tag !== 2 && tag !== 3) return this.#untagged(head)
    const magnitude = this.#untagged(head)
    return magnitude instanceof Uint8Array ? bignum(magnitude, tag === 3) : magnitude
  }

  dict(): Record<string, unknown> {
    return this.#map(this.#count(this.#view.getUint8(this.at++) & 31))
  }

  #untagged(head: number): unknown {
    const info = head & 31
    switch (head >> 5) {
      case 0:
        return this.#argument(info)
      case 1:
        return negative(this.#argument(info))
      case 2:
        return info === 31 ? joined(this.#chunks()) : this.#copy(Number(this.#argument(info)))
      case 3:
        return info === 31 ? this.#chunks().map(String).join('') : this.#text(Number(this.#argument(info)))
      case 4:
        return this.#array(this.#count(info))
      case 5:
        return this.#map(this.#count(info))
      default:
        return this.#simple(info)
    }
  }

  #argument(info: number): number | bigint {
    if (info < 24) return info
    const start = this.at
    this.at += 1 << (info - 24)
    if (info === 24) return this.#view.getUint8(start)
    if (info === 25) return this.#view.getUint16(start)
    return info === 26 ? this.#view.getUint32(start) : exact(this.#view.getBigUint64(start))
  }

  /** How many items; an indefinite length counts without end, until the break. */
  #count(info: number): number {
    return info === 31 ? Infinity : Number(this.#argument(info))
  }

  /** Steps over the break that ends an indefinite length, where it stands. */
  #ends(left: number): boolean {
    if (left !== Infinity) return left === 0
    if (this.#view.getUint8(this.at) !== 0xff) return false
    this.at++
    return true
  }

  #array(count: number): unknown[] {
    const items: unknown[] = []
    for (let left = count; !this.#ends(left); left--) items.push(this.value())
    return items
  }

  #map(count: number): Record<string, unknown> {
    const object: Record<string, unknown> = {}
    for (let left = count; !this.#ends(left); left--) {
      const name = String(this.value())
      const member = this.value()
      if (member !== undefined) setOwn(object, name, member)
    }
    return object
  }

  /** The definite parts of a text or byte string of indefinite length. */
  #chunks(): unknown[] {
    return this.#array(Infinity)
  }

  #text(size: number): string {
    const start = this.at
    this.at += size
    return this.#lend.text(this.#bytes, start, this.at)
  }

  /** A copy: a view would hold on to the chunk that the message came in. */
  #copy(size: number): Uint8Array {
    const start = this.at
    this.at += size
    return new Uint8Array(this.#bytes.subarray(start, this.at))
  }

  #simple(info: number): unknown {
    const start = this.at
    switch (info) {
      case 20:
        return false
      case 21:
        return true
      case 22:
        return null
      case 25:
        this.at += 2
        return half(this.#view.getUint16(start))
      case 26:
        this.at += 4
        return this.#view.getFloat32(start)
      case 27:
        this.at += 8
        return this.#view.getFloat64(start)
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

/** RFC 8949 §3.4.3. */
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
