/** WAMP in CBOR (WAMP, basic profile, "Serializers"; RFC 8949). Heads are explained in `cbor-scan.ts`. */
import { readCborDict, readCborElements } from './cbor-values.ts'
import { argumentAt, breakByte, CborScanner, headEnd, skipText, textStart } from './cbor-scan.ts'
import { writeCbor, writeCborArray, writeCborInteger, writeCborText } from './cbor-write.ts'
import type { ByteLender, Codec, CodecOptions } from './codec.ts'
import { isWellFormedUtf8, portableLender } from './codec-lender.ts'
import { NameCache } from './codec-names.ts'
import { exactId, idOfFloat } from './codec-numbers.ts'
import { presentMembers, readMessage, type ElementReader } from './codec-read.ts'
import type { SpanOrigin } from './codec-span.ts'
import { MessageWriter, type ElementWriter } from './codec-write.ts'
import { noDict, type Dict } from './messages.ts'

/**
 * The CBOR serializer (RFC 8949). Reads indefinite lengths, tags, floats of all sizes and bignums; refuses tags that refer
 * to other values (stringref, shared references), because a payload is passed on alone. Writes definite lengths, and
 * integers as integers.
 */
export function cborCodec(options: CodecOptions = {}): Codec {
  const { lend = portableLender, maxDepth = 64 } = options
  const reader = new CborReader(lend, maxDepth)
  const writer = new MessageWriter(cborForm, lend)
  return {
    serialization: 'cbor',
    binary: true,
    decode: (bytes) => readMessage(reader, bytes),
    encode: (message, headroom) => writer.encode(message, headroom),
  }
}

const nothingRead = new Uint8Array(0)

/** One for all connections: nothing of a message is left in it once the next one starts. */
class CborReader implements ElementReader {
  readonly origin: SpanOrigin
  at: number = 0
  readonly #lend: ByteLender
  readonly #scanner: CborScanner
  readonly #names: NameCache
  bytes: Uint8Array = nothingRead
  /** Elements to come; `Infinity` until the break. */
  #left: number = 0

  constructor(lend: ByteLender, maxDepth: number) {
    this.origin = { serialization: 'cbor', lend }
    this.#lend = lend
    this.#scanner = new CborScanner(maxDepth)
    this.#names = new NameCache(lend)
  }

  start(bytes: Uint8Array): boolean {
    this.bytes = bytes
    const head = bytes[0] ?? 0
    // 0x9f: an array of indefinite length.
    const end = head === 0x9f ? 1 : headEnd(bytes, 0)
    this.#left = head === 0x9f ? Infinity : argumentAt(bytes, 0, end)
    this.at = end
    return head >> 5 === 4 && end > 0
  }

  next(): boolean {
    if (this.#left === Infinity) return this.bytes[this.at] !== breakByte
    if (this.#left === 0) return false
    this.#left--
    return true
  }

  ended(): boolean {
    if (this.#left !== Infinity) return this.#left === 0 && this.at === this.bytes.length
    return this.bytes[this.at] === breakByte && this.at + 1 === this.bytes.length
  }

  integer(): number {
    const from = this.at
    const head = this.bytes[from] ?? 0xff
    // The number itself, as almost every message code and many ids are.
    if (head < 24) {
      this.at++
      return head
    }
    const end = headEnd(this.bytes, from)
    if (end < 0 || end > this.bytes.length) return -1
    this.at = end
    // Floats of 2, 4 and 8 bytes.
    if (head >= 0xf9 && head <= 0xfb) return idOfFloat(this.bytes, from + 1, end - from - 1)
    return head < 0x20 ? exactId(argumentAt(this.bytes, from, end), this.bytes[end - 1]) : -1
  }

  uri(): string | undefined {
    return this.#string(true)
  }

  text(): string | undefined {
    return this.#string(false)
  }

  nothing(): boolean {
    const head = this.bytes[this.at]
    // Null and undefined: peers write either for what is absent.
    if (head !== 0xf6 && head !== 0xf7) return false
    this.at++
    return true
  }

  dict(): Dict | undefined {
    const from = this.at
    // Most options are empty: the shared dictionary stands for all of them.
    if (this.bytes[from] === 0xa0) {
      this.at++
      return noDict
    }
    if (this.map() < 0) return undefined
    return presentMembers(readCborDict(this.bytes.subarray(from, this.at), this.#lend))
  }

  list(): number {
    return this.#skip(4)
  }

  map(): number {
    return this.#skip(5)
  }

  #skip(type: number): number {
    const from = this.at
    if ((this.bytes[from] ?? 0) >> 5 !== type) return -1
    const end = this.#scanner.skip(this.bytes, from)
    if (end < 0) return -1
    this.at = end
    return from
  }

  #string(recurs: boolean): string | undefined {
    const bytes = this.bytes
    const from = this.at
    const start = textStart(bytes, from)
    if (start < 0) return this.#joinedText()
    const end = start + argumentAt(bytes, from, start)
    if (end > bytes.length || !isWellFormedUtf8(bytes, start, end)) return undefined
    this.at = end
    return recurs ? this.#names.text(bytes, start, end) : this.#lend.text(bytes, start, end)
  }

  /** A text of indefinite length (RFC 8949 §3.2.3), which no peer in use writes: the values' reader puts it together. */
  #joinedText(): string | undefined {
    const from = this.at
    const end = skipText(this.bytes, from)
    if (end < 0) return undefined
    this.at = end
    const [text] = readCborElements(this.bytes.subarray(from, end), this.#lend)
    return typeof text === 'string' ? text : undefined
  }
}

/** Definite lengths alone: nothing separates or ends elements. */
const cborForm: ElementWriter = {
  serialization: 'cbor',
  separator: -1,
  end: -1,
  start: writeCborArray,
  integer: writeCborInteger,
  text: writeCborText,
  nothing: (sink) => sink.byte(0xf6),
  dict: (sink, dict) => {
    if (dict === noDict) sink.byte(0xa0)
    else writeCbor(sink, dict)
  },
}
