/** WAMP in JSON (WAMP, basic profile, "Serializers"; RFC 8259). Bytes of its grammar are named in `json-scan.ts`. */
import type { ByteLender, Codec, CodecOptions, Malformed } from './codec.ts'
import { isWellFormedUtf8, portableLender } from './codec-lender.ts'
import { NameCache } from './codec-names.ts'
import { largestId } from './codec-numbers.ts'
import { presentMembers, readMessage, type ElementReader } from './codec-read.ts'
import type { Sink } from './codec-sink.ts'
import type { SpanOrigin } from './codec-span.ts'
import { MessageWriter, type ElementWriter } from './codec-write.ts'
import { JsonScanner, skipBlanks, skipNumber, skipString } from './json-scan.ts'
import { writeJsonDict, writeJsonString } from './json-values.ts'
import { noDict, type Dict } from './messages.ts'

const notUtf8: Malformed = Object.freeze({ kind: 'malformed', why: 'not UTF-8' })

/**
 * The JSON serializer. Arguments that are only passed on keep their spelling: integers of any size, duplicate members,
 * escapes. Where they are decoded, for a peer with another serializer or for the application, they become what
 * `JSON.parse` makes of them, and texts of `"\u0000"` and base64 become byte arrays. Numbers that JSON has no words for
 * (NaN, infinities) are written as null.
 */
export function jsonCodec(options: CodecOptions = {}): Codec {
  const { lend = portableLender, maxDepth = 64, checkUtf8 = false } = options
  const reader = new JsonReader(lend, maxDepth)
  const writer = new MessageWriter(jsonForm, lend)
  return {
    serialization: 'json',
    binary: false,
    decode: (bytes) =>
      checkUtf8 && !isWellFormedUtf8(bytes, 0, bytes.length) ? notUtf8 : readMessage(reader, bytes),
    encode: (message, headroom) => writer.encode(message, headroom),
  }
}

const nothingRead = new Uint8Array(0)

/** One for all connections: nothing of a message is left in it once the next one starts. */
class JsonReader implements ElementReader {
  readonly origin: SpanOrigin
  at: number = 0
  readonly #lend: ByteLender
  readonly #scanner: JsonScanner
  readonly #names: NameCache
  bytes: Uint8Array = nothingRead
  /** No comma stands before the first element. */
  #first: boolean = true

  constructor(lend: ByteLender, maxDepth: number) {
    this.origin = { serialization: 'json', lend }
    this.#lend = lend
    this.#scanner = new JsonScanner(maxDepth)
    this.#names = new NameCache(lend)
  }

  start(bytes: Uint8Array): boolean {
    this.bytes = bytes
    this.#first = true
    const from = skipBlanks(bytes, 0)
    this.at = skipBlanks(bytes, from + 1)
    return bytes[from] === 0x5b
  }

  next(): boolean {
    const bytes = this.bytes
    if (this.#first) {
      this.#first = false
      return bytes[this.at] !== 0x5d
    }
    const at = skipBlanks(bytes, this.at)
    if (bytes[at] !== 0x2c) return false
    this.at = skipBlanks(bytes, at + 1)
    return true
  }

  ended(): boolean {
    const bytes = this.bytes
    const end = skipBlanks(bytes, this.at)
    return bytes[end] === 0x5d && skipBlanks(bytes, end + 1) === bytes.length
  }

  /** A loop over digits costs less than a text and a call into the runtime, and every message has several integers. */
  integer(): number {
    const bytes = this.bytes
    const from = this.at
    let at = from
    let value = 0
    for (;;) {
      const digit = (bytes[at] ?? 0) - 0x30
      if (digit < 0 || digit > 9) break
      value = value * 10 + digit
      at++
    }
    // Fifteen digits without a leading zero are exact, and most integers end at a comma.
    if (at === from || at - from > 15 || (bytes[from] === 0x30 && at > from + 1) || bytes[at] !== 0x2c) {
      return this.#oddInteger()
    }
    this.at = at
    return value
  }

  /** Any number that means an integer, `1.0` and `1e3` among them. */
  #oddInteger(): number {
    const from = this.at
    const end = skipNumber(this.bytes, from)
    if (end < 0) return -1
    const text = this.#lend.text(this.bytes, from, end)
    const value = Number(text)
    this.at = end
    // 2^53 is an id and no safe integer; 2^53 + 1 becomes the same number, so the text itself must say it.
    const isId = Number.isSafeInteger(value) || (value === largestId && text === String(largestId))
    return isId && value >= 0 ? value : -1
  }

  uri(): string | undefined {
    return this.#string(true)
  }

  text(): string | undefined {
    return this.#string(false)
  }

  nothing(): boolean {
    const bytes = this.bytes
    const { at } = this
    // n u l l
    const stands =
      bytes[at] === 0x6e && bytes[at + 1] === 0x75 && bytes[at + 2] === 0x6c && bytes[at + 3] === 0x6c
    if (stands) this.at = at + 4
    return stands
  }

  dict(): Dict | undefined {
    const from = this.at
    // Most options are `{}`: the shared dictionary stands for all of them.
    if (this.bytes[from] === 0x7b && this.bytes[from + 1] === 0x7d) {
      this.at = from + 2
      return noDict
    }
    if (this.map() < 0) return undefined
    return presentMembers(JSON.parse(this.#lend.text(this.bytes, from, this.at)))
  }

  list(): number {
    return this.#skip(0x5b)
  }

  map(): number {
    return this.#skip(0x7b)
  }

  #skip(opening: number): number {
    const from = this.at
    if (this.bytes[from] !== opening) return -1
    const end = this.#scanner.skip(this.bytes, from)
    if (end < 0) return -1
    this.at = end
    return from
  }

  #string(recurs: boolean): string | undefined {
    const bytes = this.bytes
    const from = this.at
    if (bytes[from] !== 0x22) return undefined
    const end = skipString(bytes, from)
    if (end < 0) return undefined
    this.at = end
    // An escaped name is the same name: what is compared, authorized and routed is the decoded one.
    if (hasEscape(bytes, from, end)) return this.#escaped(from, end)
    return recurs ? this.#names.text(bytes, from + 1, end - 1) : this.#lend.text(bytes, from + 1, end - 1)
  }

  /** A lone surrogate, which an escape can spell, has no UTF-8: other serializers could not carry the name. */
  #escaped(from: number, end: number): string | undefined {
    const text: unknown = JSON.parse(this.#lend.text(this.bytes, from, end))
    return typeof text === 'string' && text.isWellFormed() ? text : undefined
  }
}

function hasEscape(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (bytes[at] === 0x5c) return true
  return false
}

/** `[`, elements with `,` between them, `]`. */
const jsonForm: ElementWriter = {
  serialization: 'json',
  separator: 0x2c,
  end: 0x5d,
  start: (sink) => sink.byte(0x5b),
  integer: writeInteger,
  text: writeJsonString,
  nothing: (sink) => sink.text('null'),
  dict: (sink, dict) => {
    if (dict === noDict) sink.uint16(0x7b7d)
    else writeJsonDict(sink, dict)
  },
}

const billion = 1_000_000_000
/** Smallest numbers of so many digits and one. */
const powers: readonly number[] = Array.from({ length: 10 }, (_none, digits) => 10 ** digits)

/** Decimal digits, without making a text of them. Up to 2^53 it is two numbers below 2^31. */
function writeInteger(sink: Sink, value: number): void {
  if (value < 0x8000_0000) return writeDigits(sink, value, 1)
  const high = Math.floor(value / billion)
  writeDigits(sink, high, 1)
  writeDigits(sink, value - high * billion, 9)
}

/** @param least digits, with leading zeros */
function writeDigits(sink: Sink, value: number, least: number): void {
  sink.reserve(10)
  // Said to be an integer of 32 bits: its tenths are then found without floating point.
  let rest = value | 0
  let digits = least
  while (rest >= (powers[digits] ?? Infinity)) digits++
  for (let at = sink.at + digits - 1; at >= sink.at; at--) {
    const tenth = (rest / 10) | 0
    sink.bytes[at] = 0x30 + rest - tenth * 10
    rest = tenth
  }
  sink.at += digits
}
