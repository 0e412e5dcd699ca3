import type { ByteLender } from './codec.ts'

/** Bytes that grow while they are written. Multi-byte numbers are big-endian, as MessagePack and CBOR want them. */
export class Sink {
  readonly lend: ByteLender
  /** What was written is `bytes[0 … at)`. Replaced when it grows. */
  bytes: Uint8Array
  at: number = 0
  #view: DataView

  constructor(lend: ByteLender, size: number) {
    this.lend = lend
    this.bytes = lend.allocate(size)
    this.#view = viewOf(this.bytes)
  }

  /** Makes room for `size` more bytes. */
  reserve(size: number): void {
    if (this.at + size > this.bytes.length) this.#grow(this.at + size)
  }

  /** The lowest eight bits. */
  byte(value: number): void {
    this.reserve(1)
    this.bytes[this.at++] = value
  }

  /** The lowest 16 bits. */
  uint16(value: number): void {
    this.reserve(2)
    this.bytes[this.at++] = value >>> 8
    this.bytes[this.at++] = value
  }

  /** A non-negative integer below 2^32. */
  uint32(value: number): void {
    this.reserve(4)
    this.#view.setUint32(this.at, value)
    this.at += 4
  }

  /** Eight bytes of a non-negative integer up to 2^53. */
  uint53(value: number): void {
    this.uint32(Math.floor(value / 0x1_0000_0000))
    this.uint32(value >>> 0)
  }

  /** The lowest 64 bits, two's complement. */
  int64(value: bigint): void {
    this.reserve(8)
    this.#view.setBigInt64(this.at, BigInt.asIntN(64, value))
    this.at += 8
  }

  /** IEEE 754 binary64. */
  float64(value: number): void {
    this.reserve(8)
    this.#view.setFloat64(this.at, value)
    this.at += 8
  }

  /** Bytes as they are. */
  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.bytes.set(bytes, this.at)
    this.at += bytes.length
  }

  /** UTF-8 without a length before it. */
  text(text: string): void {
    const { length } = text
    // A UTF-16 unit is at most three bytes of UTF-8: two units that make a pair are four.
    this.reserve(length * 3)
    // Short texts are almost always ASCII: a loop beats the call into the runtime.
    if (length > 48 || !this.#ascii(text)) this.at += this.lend.write(text, this.bytes, this.at)
  }

  /** What was written, as a view that the next writing overwrites. */
  written(): Uint8Array {
    return this.bytes.subarray(0, this.at)
  }

  /** Begins anew; a buffer that one large message blew up is not kept. */
  reset(keepBytes: number): void {
    this.at = 0
    if (this.bytes.length <= keepBytes) return
    this.bytes = this.lend.allocate(keepBytes)
    this.#view = viewOf(this.bytes)
  }

  /** Writes the text if it is ASCII. Otherwise what was begun is behind the end, and is overwritten. */
  #ascii(text: string): boolean {
    const { bytes, at } = this
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index)
      if (code > 0x7f) return false
      bytes[at + index] = code
    }
    this.at = at + text.length
    return true
  }

  /** Doubles, so that growing costs each byte a constant number of copies. */
  #grow(least: number): void {
    const larger = this.lend.allocate(Math.max(least, this.bytes.length * 2))
    larger.set(this.bytes.subarray(0, this.at))
    this.bytes = larger
    this.#view = viewOf(larger)
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
