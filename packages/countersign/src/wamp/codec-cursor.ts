/** Values that are read from bytes which were validated before: what the readers of MessagePack and CBOR have in common. */
import type { ByteLender } from './codec.ts'

/**
 * Reads from front to back and checks nothing: the scanner of the same serializer has found every length to fit, every text
 * to be UTF-8 and the depth to be bounded.
 */
export class ByteCursor {
  /** Where the next read begins. */
  at: number = 0
  /** Multi-byte numbers are big-endian in both formats, as `DataView` reads them. */
  readonly view: DataView
  readonly #bytes: Uint8Array
  readonly #lend: ByteLender

  constructor(bytes: Uint8Array, lend: ByteLender) {
    this.#bytes = bytes
    this.#lend = lend
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** One byte. */
  byte(): number {
    return this.view.getUint8(this.at++)
  }

  /** Steps over so many bytes. @returns where they begin */
  step(size: number): number {
    const start = this.at
    this.at += size
    return start
  }

  /** A text of so many bytes. */
  text(size: number): string {
    const start = this.step(size)
    return this.#lend.text(this.#bytes, start, this.at)
  }

  /** A copy: a view would hold on to the chunk that the message came in. */
  copy(size: number): Uint8Array {
    const start = this.step(size)
    return new Uint8Array(this.#bytes.subarray(start, this.at))
  }

  /** The values that stand one behind the other up to the end. */
  rest(value: () => unknown): readonly unknown[] {
    const values: unknown[] = []
    while (this.at < this.#bytes.length) values.push(value())
    return values
  }
}
