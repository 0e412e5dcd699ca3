/** WAMP in MessagePack (WAMP, basic profile, "Serializers"). First bytes are explained in `msgpack-scan.ts`. */
import type { ByteLender, Codec, CodecOptions } from './codec.ts'
import { portableLender } from './codec-lender.ts'
import { NameCache } from './codec-names.ts'
import { exactId, idOfFloat, uintAt } from './codec-numbers.ts'
import { presentMembers, readMessage, type ElementReader } from './codec-read.ts'
import type { SpanOrigin } from './codec-span.ts'
import { MessageWriter, type ElementWriter } from './codec-write.ts'
import { noDict, type Dict } from './messages.ts'
import { MsgpackScanner, textEnd, textStart } from './msgpack-scan.ts'
import { readMsgpackDict } from './msgpack-values.ts'
import { writeMsgpack, writeMsgpackArray, writeMsgpackInteger, writeMsgpackText } from './msgpack-write.ts'

/**
 * The MessagePack serializer. Integers are written as integers, up to 2^53 and as bigints up to 64 bits; in options and
 * details nil and ext type 0 mean that a member is absent.
 */
export function msgpackCodec(options: CodecOptions = {}): Codec {
  const { lend = portableLender, maxDepth = 64 } = options
  const reader = new MsgpackReader(lend, maxDepth)
  const writer = new MessageWriter(msgpackForm, lend)
  return {
    serialization: 'msgpack',
    binary: true,
    decode: (bytes) => readMessage(reader, bytes),
    encode: (message, headroom) => writer.encode(message, headroom),
  }
}

const nothingRead = new Uint8Array(0)

/** One for all connections: nothing of a message is left in it once the next one starts. */
class MsgpackReader implements ElementReader {
  readonly origin: SpanOrigin
  at: number = 0
  readonly #lend: ByteLender
  readonly #scanner: MsgpackScanner
  readonly #names: NameCache
  bytes: Uint8Array = nothingRead
  /** Elements to come. */
  #left: number = 0

  constructor(lend: ByteLender, maxDepth: number) {
    this.origin = { serialization: 'msgpack', lend }
    this.#lend = lend
    this.#scanner = new MsgpackScanner(maxDepth)
    this.#names = new NameCache(lend)
  }

  start(bytes: Uint8Array): boolean {
    this.bytes = bytes
    const head = bytes[0] ?? 0
    // Array 16, array 32, or a fixarray that counts itself: any form of any count is good.
    const size = head === 0xdc ? 2 : head === 0xdd ? 4 : 0
    this.#left = size === 0 ? head & 15 : uintAt(bytes, 1, size)
    this.at = 1 + size
    return size > 0 || (head & 0xf0) === 0x90
  }

  next(): boolean {
    if (this.#left === 0) return false
    this.#left--
    return true
  }

  ended(): boolean {
    return this.#left === 0 && this.at === this.bytes.length
  }

  integer(): number {
    const head = this.bytes[this.at] ?? 0xc1
    // The number itself, as almost every message code and many ids are.
    if (head < 0x80) {
      this.at++
      return head
    }
    if (head === 0xca || head === 0xcb) return this.#float(head)
    if (head < 0xcc || head > 0xd3) return -1
    // 0xcc … 0xcf unsigned, 0xd0 … 0xd3 signed: 1, 2, 4 and 8 bytes each.
    const size = 1 << (head & 3)
    const from = this.at + 1
    this.at = from + size
    // Signed forms are good for what is not negative: some peers have no other integers.
    if (this.at > this.bytes.length || (head >= 0xd0 && (this.bytes[from] ?? 0) >= 0x80)) return -1
    return exactId(uintAt(this.bytes, from, size), this.bytes[this.at - 1])
  }

  #float(head: number): number {
    const from = this.at + 1
    this.at = from + (head === 0xca ? 4 : 8)
    return this.at <= this.bytes.length ? idOfFloat(this.bytes, from, this.at - from) : -1
  }

  uri(): string | undefined {
    return this.#string(true)
  }

  text(): string | undefined {
    return this.#string(false)
  }

  nothing(): boolean {
    const end = skipAbsent(this.bytes, this.at)
    if (end < 0) return false
    this.at = end
    return true
  }

  dict(): Dict | undefined {
    const from = this.at
    // Most options are empty: the shared dictionary stands for all of them.
    if (this.bytes[from] === 0x80) {
      this.at++
      return noDict
    }
    if (this.map() < 0) return undefined
    return presentMembers(readMsgpackDict(this.bytes.subarray(from, this.at), this.#lend))
  }

  list(): number {
    const head = this.bytes[this.at] ?? 0
    return (head & 0xf0) === 0x90 || head === 0xdc || head === 0xdd ? this.#skip() : -1
  }

  map(): number {
    const head = this.bytes[this.at] ?? 0
    return (head & 0xf0) === 0x80 || head === 0xde || head === 0xdf ? this.#skip() : -1
  }

  #skip(): number {
    const from = this.at
    const end = this.#scanner.skip(this.bytes, from)
    if (end < 0) return -1
    this.at = end
    return from
  }

  #string(recurs: boolean): string | undefined {
    const start = textStart(this.bytes, this.at)
    if (start < 0) return undefined
    const end = textEnd(this.bytes, this.at, start)
    if (end < 0) return undefined
    this.at = end
    return recurs ? this.#names.text(this.bytes, start, end) : this.#lend.text(this.bytes, start, end)
  }
}

/** Where nil, or ext type 0, which peers write for `undefined`, ends; -1 where something else stands. */
function skipAbsent(bytes: Uint8Array, at: number): number {
  if (bytes[at] === 0xc0) return at + 1
  return bytes[at] === 0xd4 && bytes[at + 1] === 0 && at + 3 <= bytes.length ? at + 3 : -1
}

/** Counts come first: nothing separates or ends elements. */
const msgpackForm: ElementWriter = {
  serialization: 'msgpack',
  separator: -1,
  end: -1,
  start: writeMsgpackArray,
  integer: writeMsgpackInteger,
  text: writeMsgpackText,
  nothing: (sink) => sink.byte(0xc0),
  dict: (sink, dict) => {
    if (dict === noDict) sink.byte(0x80)
    else writeMsgpack(sink, dict)
  },
}
