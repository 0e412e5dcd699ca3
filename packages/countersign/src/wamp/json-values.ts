/** JSON values, read and written, with WAMP's convention for binary ones (WAMP, basic profile, "Binary conversion of JSON strings"). */
import { decodeBase64, encodeBase64 } from '../wire/base64.ts'
import type { ByteLender } from './codec.ts'
import { isConstant } from './codec-constant.ts'
import { Extension, isWritten, maxWrittenDepth, setOwn } from './codec-extension.ts'
import type { Sink } from './codec-sink.ts'
import type { Dict } from './messages.ts'

/**
 * A value's JSON text. Byte arrays become `"\u0000"` and base64, bigints become integers, what JSON has no words for (NaN,
 * infinities, `undefined` in an array) becomes null; absent members are left out.
 */
export function jsonText(value: unknown, depth: number = 0): string {
  switch (typeof value) {
    case 'string':
      return quoted(value)
    case 'number':
      return Number.isFinite(value) ? String(value) : 'null'
    case 'boolean':
      return value ? 'true' : 'false'
    case 'bigint':
      return value.toString()
    case 'object':
      return value === null || depth >= maxWrittenDepth ? 'null' : objectText(value, depth + 1)
    case 'undefined':
    case 'function':
    case 'symbol':
      return 'null'
  }
}

function objectText(value: object, depth: number): string {
  if (Array.isArray(value)) return `[${value.map((item) => jsonText(item, depth)).join(',')}]`
  if (value instanceof Uint8Array) return binaryText(value)
  if (value instanceof Extension) return binaryText(value.data)
  let text = ''
  // Descriptors and pairs would cost more than the members themselves.
  for (const name of Object.keys(value)) {
    const member: unknown = Reflect.get(value, name)
    if (isWritten(member)) text += `${text === '' ? '{' : ','}${quoted(name)}:${jsonText(member, depth)}`
  }
  return text === '' ? '{}' : `${text}}`
}

/** Up to this length a look at each unit costs less than asking `JSON.stringify`. */
const shortText = 48

/** Writes a dictionary member by member: no text of the whole is made, and constants are copied. */
export function writeJsonDict(sink: Sink, dict: Dict): void {
  let first = true
  for (const name of Object.keys(dict)) {
    const member = dict[name]
    if (!isWritten(member)) continue
    sink.byte(first ? 0x7b : 0x2c)
    first = false
    writeJsonString(sink, name)
    sink.byte(0x3a)
    if (typeof member === 'string') {
      writeJsonString(sink, member)
      continue
    }
    const known = constantJson(member)
    if (known === undefined) sink.text(jsonText(member, 1))
    else sink.raw(known)
  }
  if (first) sink.uint16(0x7b7d)
  else sink.byte(0x7d)
}

/** Writes a text with its quotes: one in which nothing is escaped unit by unit, without a text in between. */
export function writeJsonString(sink: Sink, text: string): void {
  const { length } = text
  if (length > shortText) return sink.text(JSON.stringify(text))
  sink.reserve(length + 2)
  const { bytes, at } = sink
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index)
    if (!isPlain(code)) return sink.text(JSON.stringify(text))
    bytes[at + 1 + index] = code
  }
  bytes[at] = 0x22
  bytes[at + 1 + length] = 0x22
  sink.at = at + length + 2
}

/** JSON of constants, made at the first use: WELCOME says the same roles to everyone. */
const constants = new WeakMap<object, Uint8Array>()

function constantJson(value: unknown): Uint8Array | undefined {
  if (!isConstant(value)) return undefined
  const known = constants.get(value)
  if (known !== undefined) return known
  const made = new TextEncoder().encode(jsonText(value, 1))
  constants.set(value, made)
  return made
}

/** A text as JSON has it. `JSON.stringify` writes a lone surrogate as an escape: what it returns is always well-formed. */
function quoted(text: string): string {
  return text.length <= shortText && isAllPlain(text) ? `"${text}"` : JSON.stringify(text)
}

/** Whether nothing in the text needs an escape. */
function isAllPlain(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (!isPlain(text.charCodeAt(at))) return false
  return true
}

/** Printable ASCII but for the quotation mark and the backslash. */
function isPlain(code: number): boolean {
  return code >= 0x20 && code <= 0x7e && code !== 0x22 && code !== 0x5c
}

/** WAMP, basic profile, "Binary conversion of JSON strings": U+0000, then base64. */
function binaryText(bytes: Uint8Array): string {
  return `"\\u0000${encodeBase64(bytes)}"`
}

/**
 * The values of elements that were validated and whose depth is bounded.
 *
 * @param bytes elements with commas between them
 */
export function readJsonElements(bytes: Uint8Array, lend: ByteLender): readonly unknown[] {
  // The elements stood between commas in the message, and do so in an array of their own.
  const text = `[${lend.text(bytes, 0, bytes.length)}]`
  const values: unknown[] = JSON.parse(text)
  return text.includes('\\u0000') ? values.map(withBinary) : values
}

/** Replaces texts that carry binary values. Other texts may begin with U+0000, too: they stay as they are. */
function withBinary(value: unknown): unknown {
  if (typeof value === 'string') {
    return value.startsWith('\0') ? (decodeBase64(value.slice(1), value.length) ?? value) : value
  }
  if (Array.isArray(value)) return value.map(withBinary)
  if (typeof value !== 'object' || value === null) return value
  const object: Record<string, unknown> = {}
  for (const [name, member] of Object.entries(value)) setOwn(object, name, withBinary(member))
  return object
}
