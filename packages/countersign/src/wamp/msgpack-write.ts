/**
 * Values in MessagePack, each in the shortest form that it has (MessagePack specification, "Serialization: type to format
 * conversion").
 */
import { Extension, maxWrittenDepth, members } from './codec-extension.ts'
import { isWholeNumber } from './codec-numbers.ts'
import type { Sink } from './codec-sink.ts'

/** Writes one value. `undefined` becomes nil; a bigint beyond 64 bits, for which there is no form, a float64. */
export function writeMsgpack(sink: Sink, value: unknown, depth: number = 0): void {
  switch (typeof value) {
    case 'string':
      return writeMsgpackText(sink, value)
    case 'number':
      return isWholeNumber(value) ? writeMsgpackInteger(sink, value) : writeFloat(sink, value)
    case 'boolean':
      return sink.byte(value ? 0xc3 : 0xc2)
    case 'bigint':
      return writeBigint(sink, value)
    case 'object':
      if (value !== null && depth < maxWrittenDepth) return writeObject(sink, value, depth + 1)
      return sink.byte(0xc0)
    // There is no undefined; in a list something has to stand in its place.
    case 'undefined':
    case 'function':
    case 'symbol':
      return sink.byte(0xc0)
  }
}

/** Writes an integer of at most 2^53, never as a float: peers refuse float ids. Positive fixint, then uint 8, 16, 32, 64. */
export function writeMsgpackInteger(sink: Sink, value: number): void {
  if (value < 0) return writeNegative(sink, value)
  if (value < 0x80) return sink.byte(value)
  if (value < 0x100) {
    sink.byte(0xcc)
    sink.byte(value)
  } else if (value < 0x1_0000) {
    sink.byte(0xcd)
    sink.uint16(value)
  } else if (value < 0x1_0000_0000) {
    sink.byte(0xce)
    sink.uint32(value)
  } else {
    sink.byte(0xcf)
    sink.uint53(value)
  }
}

/** Negative fixint, then int 8, 16, 32, 64. */
function writeNegative(sink: Sink, value: number): void {
  if (value >= -0x20) return sink.byte(value & 0xff)
  if (value >= -0x80) {
    sink.byte(0xd0)
    sink.byte(value & 0xff)
  } else if (value >= -0x8000) {
    sink.byte(0xd1)
    sink.uint16(value & 0xffff)
  } else if (value >= -0x8000_0000) {
    sink.byte(0xd2)
    sink.uint32(value >>> 0)
  } else {
    sink.byte(0xd3)
    sink.int64(BigInt(value))
  }
}

/** Writes an array's head: fixarray, array 16, array 32. */
export function writeMsgpackArray(sink: Sink, count: number): void {
  if (count < 16) sink.byte(0x90 | count)
  else writeHead(sink, count, { short: 0xdc, long: 0xdd })
}

/** Writes a text with its head: fixstr, str 8, 16, 32. */
export function writeMsgpackText(sink: Sink, text: string): void {
  // The head comes first and needs the length in bytes: a text that is surely short reserves one byte for it.
  const start = sink.at
  if (text.length * 3 < 0x20) {
    sink.byte(0)
    // A UTF-16 unit is at most three bytes of UTF-8.
    sink.text(text)
    sink.bytes[start] = 0xa0 | (sink.at - start - 1)
    return
  }
  // Any other reserves the longest head, and is moved up to a shorter one.
  sink.byte(0xdb)
  sink.uint32(0)
  sink.text(text)
  shortenHead(sink, start)
}

/** Moves a text up to where its shortest head ends. */
function shortenHead(sink: Sink, start: number): void {
  const size = sink.at - start - 5
  const body = start + 5
  const { at } = sink
  sink.at = start
  if (size < 0x20) sink.byte(0xa0 | size)
  else if (size < 0x100) sink.uint16(0xd900 | size)
  else writeHead(sink, size, { short: 0xda, long: 0xdb })
  if (sink.at < body) sink.bytes.copyWithin(sink.at, body, at)
  sink.at += size
}

/** A head with a length or count of 16 or 32 bits. */
function writeHead(sink: Sink, size: number, heads: { readonly short: number; readonly long: number }): void {
  if (size < 0x1_0000) {
    sink.byte(heads.short)
    sink.uint16(size)
  } else {
    sink.byte(heads.long)
    sink.uint32(size)
  }
}

/** Depth was counted: what contains itself ends in nil. */
function writeObject(sink: Sink, value: object, depth: number): void {
  if (Array.isArray(value)) {
    writeMsgpackArray(sink, value.length)
    for (const item of value) writeMsgpack(sink, item, depth)
  } else if (value instanceof Uint8Array) writeBinary(sink, value)
  else if (value instanceof Extension) writeExtension(sink, value)
  else writeMap(sink, members(value), depth)
}

function writeMap(sink: Sink, entries: readonly (readonly [string, unknown])[], depth: number): void {
  if (entries.length < 16) sink.byte(0x80 | entries.length)
  else writeHead(sink, entries.length, { short: 0xde, long: 0xdf })
  for (const [name, member] of entries) {
    writeMsgpackText(sink, name)
    writeMsgpack(sink, member, depth)
  }
}

/** Bin 8, 16, 32. */
function writeBinary(sink: Sink, bytes: Uint8Array): void {
  if (bytes.length < 0x100) sink.uint16(0xc400 | bytes.length)
  else writeHead(sink, bytes.length, { short: 0xc5, long: 0xc6 })
  sink.raw(bytes)
}

/** Lengths that have a head of their own, fixext 1 … 16. */
const fixedExtensions: readonly number[] = [1, 2, 4, 8, 16]

function writeExtension(sink: Sink, extension: Extension): void {
  const size = extension.data.length
  const fixed = fixedExtensions.indexOf(size)
  if (fixed >= 0) sink.byte(0xd4 + fixed)
  else if (size < 0x100) sink.uint16(0xc700 | size)
  else writeHead(sink, size, { short: 0xc8, long: 0xc9 })
  sink.byte(extension.type & 0xff)
  sink.raw(extension.data)
}

/** Uint 64, or int 64. */
function writeBigint(sink: Sink, value: bigint): void {
  if (value === BigInt.asUintN(64, value)) {
    sink.byte(0xcf)
    sink.int64(value)
  } else if (value === BigInt.asIntN(64, value)) {
    sink.byte(0xd3)
    sink.int64(value)
  } else writeFloat(sink, Number(value))
}

/** Float 64: a shorter form could lose digits. */
function writeFloat(sink: Sink, value: number): void {
  sink.byte(0xcb)
  sink.float64(value)
}
