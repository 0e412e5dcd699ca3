/**
 * Values in CBOR (RFC 8949): definite lengths and shortest heads only (§4.2.1), but floats are always eight bytes long, and
 * members keep their order.
 */
import { Extension, maxWrittenDepth, members } from './codec-extension.ts'
import { isWholeNumber } from './codec-numbers.ts'
import type { Sink } from './codec-sink.ts'

/** Major types (RFC 8949 §3.1), in place for a head. */
const major: {
  readonly unsigned: number
  readonly negative: number
  readonly bytes: number
  readonly text: number
  readonly array: number
  readonly map: number
  readonly tag: number
} = { unsigned: 0, negative: 0x20, bytes: 0x40, text: 0x60, array: 0x80, map: 0xa0, tag: 0xc0 }

/** Writes one value. A bigint beyond 64 bits becomes a bignum (RFC 8949 §3.4.3), a MessagePack extension its bare bytes. */
export function writeCbor(sink: Sink, value: unknown, depth: number = 0): void {
  switch (typeof value) {
    case 'string':
      return writeCborText(sink, value)
    case 'number':
      return isWholeNumber(value) ? writeCborInteger(sink, value) : writeFloat(sink, value)
    case 'boolean':
      return sink.byte(value ? 0xf5 : 0xf4)
    case 'bigint':
      return writeBigint(sink, value)
    case 'object':
      if (value !== null && depth < maxWrittenDepth) return writeObject(sink, value, depth + 1)
      return sink.byte(0xf6)
    case 'undefined':
      return sink.byte(0xf7)
    case 'function':
    case 'symbol':
      return sink.byte(0xf6)
  }
}

/** Writes an integer of at most 2^53, never as a float: peers refuse float ids. */
export function writeCborInteger(sink: Sink, value: number): void {
  if (value < 0) writeHead(sink, major.negative, -1 - value)
  else writeHead(sink, major.unsigned, value)
}

/** Writes the head of an array of definite length. */
export function writeCborArray(sink: Sink, count: number): void {
  writeHead(sink, major.array, count)
}

/** Writes a text with its head. */
export function writeCborText(sink: Sink, text: string): void {
  // The head comes first and needs the length in bytes: a text that is surely short reserves one byte for it.
  const start = sink.at
  if (text.length * 3 < 24) {
    sink.byte(0)
    // A UTF-16 unit is at most three bytes of UTF-8.
    sink.text(text)
    sink.bytes[start] = major.text | (sink.at - start - 1)
    return
  }
  // Any other reserves five bytes, and is moved up to where its shortest head ends.
  sink.byte(0)
  sink.uint32(0)
  sink.text(text)
  const size = sink.at - start - 5
  sink.at = start
  writeHead(sink, major.text, size)
  if (sink.at < start + 5) sink.bytes.copyWithin(sink.at, start + 5, start + 5 + size)
  sink.at += size
}

/** Major type and argument in the shortest form (RFC 8949 §3): in the head itself, or in 1, 2, 4, 8 bytes behind it. */
function writeHead(sink: Sink, type: number, value: number): void {
  if (value < 24) return sink.byte(type | value)
  if (value < 0x100) {
    sink.byte(type | 24)
    sink.byte(value)
  } else if (value < 0x1_0000) {
    sink.byte(type | 25)
    sink.uint16(value)
  } else if (value < 0x1_0000_0000) {
    sink.byte(type | 26)
    sink.uint32(value)
  } else {
    sink.byte(type | 27)
    sink.uint53(value)
  }
}

/** Depth was counted: what contains itself ends in null. */
function writeObject(sink: Sink, value: object, depth: number): void {
  if (Array.isArray(value)) {
    writeHead(sink, major.array, value.length)
    for (const item of value) writeCbor(sink, item, depth)
  } else if (value instanceof Uint8Array) writeBytes(sink, value)
  else if (value instanceof Extension) writeBytes(sink, value.data)
  else writeMap(sink, members(value), depth)
}

function writeMap(sink: Sink, entries: readonly (readonly [string, unknown])[], depth: number): void {
  writeHead(sink, major.map, entries.length)
  for (const [name, member] of entries) {
    writeCborText(sink, name)
    writeCbor(sink, member, depth)
  }
}

function writeBytes(sink: Sink, bytes: Uint8Array): void {
  writeHead(sink, major.bytes, bytes.length)
  sink.raw(bytes)
}

/** −1 − n stands for a negative number (RFC 8949 §3.1). Within 64 bits it is an integer, beyond a bignum: tag 2, or 3. */
function writeBigint(sink: Sink, value: bigint): void {
  const negative = value < 0n
  const magnitude = negative ? -1n - value : value
  if (magnitude === BigInt.asUintN(64, magnitude)) {
    sink.byte((negative ? major.negative : major.unsigned) | 27)
    sink.int64(magnitude)
    return
  }
  writeHead(sink, major.tag, negative ? 3 : 2)
  const hex = magnitude.toString(16)
  const even = hex.length % 2 === 0 ? hex : `0${hex}`
  writeBytes(
    sink,
    Uint8Array.from({ length: even.length / 2 }, (_, at) => parseInt(even.slice(at * 2, at * 2 + 2), 16)),
  )
}

/** Eight bytes: a shorter form could lose digits. */
function writeFloat(sink: Sink, value: number): void {
  sink.byte(0xfb)
  sink.float64(value)
}
