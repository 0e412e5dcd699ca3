/** Frames of a WAMP client, made once and patched: the generator must cost less than what it measures. */
import { encode as encodeCbor } from 'cborg'
import { encode as encodeMsgpack } from '@msgpack/msgpack'

/** How messages are written. */
export type Format = 'json' | 'msgpack' | 'cbor'

/**
 * Every frame is masked by one byte four times: the bytes of a message then do not depend on where they stand, and a server
 * unmasks them all the same (an all-zero key would be skipped).
 */
const mask = 0x5c

/** Ids begin here: seven digits, or four bytes, for as long as a run lasts. */
export const firstId = 1_000_000

/** One masked frame (RFC 6455 §5.2) of these bytes. @param opcode with the FIN bit */
export function frameOf(
  bytes: Uint8Array,
  format: Format,
  opcode: number = format === 'json' ? 0x81 : 0x82,
): Buffer {
  const { length } = bytes
  const head =
    length < 126
      ? [opcode, 0x80 | length]
      : length < 65_536
        ? [opcode, 0xfe, length >>> 8, length & 255]
        : [opcode, 0xff, 0, 0, 0, 0, length >>> 24, (length >>> 16) & 255, (length >>> 8) & 255, length & 255]
  const frame = Buffer.concat([Buffer.from([...head, mask, mask, mask, mask]), bytes])
  for (let at = head.length + 4; at < frame.length; at++) frame[at] = (frame[at] ?? 0) ^ mask
  return frame
}

/** A message as a frame. */
export function messageFrame(message: readonly unknown[], format: Format): Buffer {
  return frameOf(bytesOf(message, format), format)
}

/** A message in a format. */
export function bytesOf(message: readonly unknown[], format: Format): Uint8Array {
  if (format === 'json') return Buffer.from(JSON.stringify(message))
  return format === 'msgpack' ? encodeMsgpack(message) : encodeCbor(message)
}

/** A message whose id (element 1) changes from frame to frame: made once for each width of the id, then patched. */
export class PatchedFrame {
  readonly #message: readonly unknown[]
  readonly #format: Format
  readonly #made: (Made | undefined)[] = []

  constructor(message: readonly unknown[], format: Format) {
    this.#message = message
    this.#format = format
  }

  /** The frame with this id, below 2^32. The same memory each time: copy it before the next call. */
  with(id: number): Buffer {
    const json = this.#format === 'json'
    const width = json ? String(id).length : 4
    const made = (this.#made[width] ??= this.#make(width))
    let rest = id
    for (let at = made.at + width - 1; at >= made.at; at--) {
      made.frame[at] = (json ? 48 + (rest % 10) : rest & 255) ^ mask
      rest = json ? Math.floor(rest / 10) : rest >>> 8
    }
    return made.frame
  }

  #make(width: number): Made {
    const json = this.#format === 'json'
    // An id that needs the width, and that stands nowhere else in the message.
    const model = json ? Number('987654321'.slice(0, width)) : 0x87_65_43_21
    const [code, , ...rest] = this.#message
    const frame = messageFrame([code, model, ...rest], this.#format)
    const wanted = Buffer.from(json ? String(model) : [0x87, 0x65, 0x43, 0x21])
    return { frame, at: frame.indexOf(wanted.map((byte) => byte ^ mask)) }
  }
}

interface Made {
  readonly frame: Buffer
  /** Where the id begins. */
  readonly at: number
}

/** Id of an INVOCATION, which is its element 1. */
export function idOf(message: Buffer, format: Format): number {
  return format === 'json' ? jsonId(message) : binaryId(message)
}

/** `[68,ID,…`: the digits behind the code. */
function jsonId(message: Buffer): number {
  let id = 0
  for (let at = 4; message[at] !== 0x2c; at++) id = id * 10 + ((message[at] ?? 48) - 48)
  return id
}

/** Array head, code 68 in two bytes at most, then an unsigned integer of any width: MessagePack and CBOR differ in heads alone. */
function binaryId(message: Buffer): number {
  const at = message[1] === 0x18 ? 3 : 2
  const head = message[at] ?? 0
  if (head < 0x18 || (head < 0x80 && head >= 0x20)) return head
  if (head === 0xcc || head === 0x18) return message.readUInt8(at + 1)
  if (head === 0xcd || head === 0x19) return message.readUInt16BE(at + 1)
  if (head === 0xce || head === 0x1a) return message.readUInt32BE(at + 1)
  return Number(message.readBigUInt64BE(at + 1))
}
