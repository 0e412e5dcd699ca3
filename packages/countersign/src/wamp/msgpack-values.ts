/** MessagePack values, read. The bytes were validated before: every length fits, every text is UTF-8, depth is bounded. */
import { Extension, setOwn } from './codec-extension.ts'
import type { ByteLender } from './codec.ts'
import { exact } from './codec-numbers.ts'

/** The values of elements that stand one behind the other. Integers beyond 2^53 are bigints; ext type 0 is `undefined`. */
export function readMsgpackElements(bytes: Uint8Array, lend: ByteLender): readonly unknown[] {
  const reader = new MsgpackValues(bytes, lend)
  const values: unknown[] = []
  while (reader.at < bytes.length) values.push(reader.value())
  return values
}

class MsgpackValues {
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
    const head = this.#uint(1)
    if (head < 0x80) return head
    if (head < 0x90) return this.#map(head & 15)
    if (head < 0xa0) return this.#array(head & 15)
    if (head < 0xc0) return this.#text(head & 31)
    if (head >= 0xe0) return head - 0x100
    if (head >= 0xd9) return this.#sized(head)
    if (head >= 0xd4) return this.#extension(1 << (head - 0xd4))
    return head < 0xca ? this.#simple(head) : this.#number(head)
  }

  dict(): Record<string, unknown> {
    const head = this.#uint(1)
    return this.#map(head < 0xde ? head & 15 : this.#uint(head === 0xde ? 2 : 4))
  }

  /** Nil, booleans, binary values and extensions. */
  #simple(head: number): unknown {
    if (head < 0xc4) return head === 0xc0 ? null : head === 0xc3
    const size = 1 << ((head - 0xc4) % 3)
    return head < 0xc7 ? this.#copy(this.#uint(size)) : this.#extension(this.#uint(size))
  }

  #number(head: number): number | bigint {
    const start = this.at
    this.at += head < 0xcc ? (head === 0xca ? 4 : 8) : 1 << (head & 3)
    switch (head) {
      case 0xca:
        return this.#view.getFloat32(start)
      case 0xcb:
        return this.#view.getFloat64(start)
      case 0xcc:
        return this.#view.getUint8(start)
      case 0xcd:
        return this.#view.getUint16(start)
      case 0xce:
        return this.#view.getUint32(start)
      case 0xcf:
        return exact(this.#view.getBigUint64(start))
      case 0xd0:
        return this.#view.getInt8(start)
      case 0xd1:
        return this.#view.getInt16(start)
      case 0xd2:
        return this.#view.getInt32(start)
      default:
        return exact(this.#view.getBigInt64(start))
    }
  }

  /** What has its length, or its count, before it: texts, arrays, maps. */
  #sized(head: number): unknown {
    if (head < 0xdc) return this.#text(this.#uint(1 << (head - 0xd9)))
    const count = this.#uint(head & 1 ? 4 : 2)
    return head < 0xde ? this.#array(count) : this.#map(count)
  }

  #array(count: number): unknown[] {
    const items: unknown[] = []
    for (let left = count; left > 0; left--) items.push(this.value())
    return items
  }

  #map(count: number): Record<string, unknown> {
    const object: Record<string, unknown> = {}
    for (let left = count; left > 0; left--) {
      const name = String(this.value())
      const member = this.value()
      if (member !== undefined) setOwn(object, name, member)
    }
    return object
  }

  #text(size: number): string {
    const start = this.at
    this.at += size
    return this.#lend.text(this.#bytes, start, this.at)
  }

  /** Ext type 0 is how peers in use write `undefined`. */
  #extension(size: number): Extension | undefined {
    const type = this.#view.getInt8(this.at++)
    const data = this.#copy(size)
    return type === 0 ? undefined : new Extension(type, data)
  }

  /** A copy: a view would hold on to the chunk that the message came in. */
  #copy(size: number): Uint8Array {
    const start = this.at
    this.at += size
    return new Uint8Array(this.#bytes.subarray(start, this.at))
  }

  #uint(size: number): number {
    const start = this.at
    this.at += size
    if (size === 1) return this.#view.getUint8(start)
    return size === 2 ? this.#view.getUint16(start) : this.#view.getUint32(start)
  }
}

/** One dictionary; `bytes` hold it and nothing else. */
export function readMsgpackDict(bytes: Uint8Array, lend: ByteLender): Record<string, unknown> {
  return new MsgpackValues(bytes, lend).dict()
}
