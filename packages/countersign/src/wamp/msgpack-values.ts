/**
 * MessagePack values, read (MessagePack specification, "Formats"; its table of first bytes stands in `msgpack-scan.ts`). The
 * bytes were validated before: every length fits, every text is UTF-8, depth is bounded, hence the recursion.
 */
import type { ByteLender } from './codec.ts'
import { ByteCursor } from './codec-cursor.ts'
import { Extension, setOwn } from './codec-extension.ts'
import { exact } from './codec-numbers.ts'

/** The values of elements that stand one behind the other. Integers beyond 2^53 are bigints; ext type 0 is `undefined`. */
export function readMsgpackElements(bytes: Uint8Array, lend: ByteLender): readonly unknown[] {
  return new MsgpackValues(bytes, lend).all()
}

class MsgpackValues {
  readonly #from: ByteCursor

  constructor(bytes: Uint8Array, lend: ByteLender) {
    this.#from = new ByteCursor(bytes, lend)
  }

  all(): readonly unknown[] {
    return this.#from.rest(() => this.value())
  }

  /** By ranges of the first byte. Those below 0xc0, and from 0xe0, hold the number, the length or the count themselves. */
  value(): unknown {
    const head = this.#from.byte()
    if (head < 0x80) return head
    if (head < 0x90) return this.#map(head & 15)
    if (head < 0xa0) return this.#array(head & 15)
    if (head < 0xc0) return this.#from.text(head & 31)
    if (head >= 0xe0) return head - 0x100
    if (head >= 0xd9) return this.#sized(head)
    if (head >= 0xd4) return this.#extension(1 << (head - 0xd4))
    return head < 0xca ? this.#simple(head) : this.#number(head)
  }

  /** A map that stands at hand: fixmap, map 16, map 32. */
  dict(): Record<string, unknown> {
    const head = this.#from.byte()
    return this.#map(head < 0xde ? head & 15 : this.#uint(head === 0xde ? 2 : 4))
  }

  /** Nil, booleans, binary values and extensions. */
  #simple(head: number): unknown {
    if (head < 0xc4) return head === 0xc0 ? null : head === 0xc3
    const size = 1 << ((head - 0xc4) % 3)
    return head < 0xc7 ? this.#from.copy(this.#uint(size)) : this.#extension(this.#uint(size))
  }

  /** Floats, and integers of a fixed size: 0xcc … 0xcf unsigned, 0xd0 … 0xd3 signed, of 1, 2, 4 and 8 bytes. */
  #number(head: number): number | bigint {
    const { view } = this.#from
    const start = this.#from.step(head < 0xcc ? (head === 0xca ? 4 : 8) : 1 << (head & 3))
    switch (head) {
      case 0xca:
        return view.getFloat32(start)
      case 0xcb:
        return view.getFloat64(start)
      case 0xcc:
        return view.getUint8(start)
      case 0xcd:
        return view.getUint16(start)
      case 0xce:
        return view.getUint32(start)
      case 0xcf:
        return exact(view.getBigUint64(start))
      case 0xd0:
        return view.getInt8(start)
      case 0xd1:
        return view.getInt16(start)
      case 0xd2:
        return view.getInt32(start)
      default:
        return exact(view.getBigInt64(start))
    }
  }

  /** From 0xd9, what has its length, or its count, before it: texts (1, 2, 4 bytes), arrays and maps (2, 4 bytes). */
  #sized(head: number): unknown {
    if (head < 0xdc) return this.#from.text(this.#uint(1 << (head - 0xd9)))
    const count = this.#uint(head & 1 ? 4 : 2)
    return head < 0xde ? this.#array(count) : this.#map(count)
  }

  #array(count: number): unknown[] {
    const items: unknown[] = []
    for (let left = count; left > 0; left--) items.push(this.value())
    return items
  }

  /**
   * Names are texts; an integer, as some peers use them, becomes its decimal text. Of one name the last member counts, as it
   * does in JSON.
   */
  #map(count: number): Record<string, unknown> {
    const object: Record<string, unknown> = {}
    for (let left = count; left > 0; left--) {
      const name = String(this.value())
      const member = this.value()
      if (member !== undefined) setOwn(object, name, member)
    }
    return object
  }

  /** Ext type 0 is how peers in use write `undefined`: in a map the member is absent then. */
  #extension(size: number): Extension | undefined {
    const type = this.#from.view.getInt8(this.#from.at++)
    const data = this.#from.copy(size)
    return type === 0 ? undefined : new Extension(type, data)
  }

  /** A length or a count: 1, 2 or 4 bytes. */
  #uint(size: number): number {
    const { view } = this.#from
    const start = this.#from.step(size)
    if (size === 1) return view.getUint8(start)
    return size === 2 ? view.getUint16(start) : view.getUint32(start)
  }
}

/** One dictionary; `bytes` hold it and nothing else. */
export function readMsgpackDict(bytes: Uint8Array, lend: ByteLender): Record<string, unknown> {
  return new MsgpackValues(bytes, lend).dict()
}
