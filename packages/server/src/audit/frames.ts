/** RFC 6455 §5 as an auditor needs it: writes any frame, wrong ones too, and reads what a target sends within bounds. */
import { randomBytes } from 'node:crypto'
import { inflateRawSync } from 'node:zlib'

/** A frame to be written; what is left out is as a correct client does it. */
export interface FrameOptions {
  readonly opcode: number
  readonly payload?: Uint8Array
  /** @default true */
  readonly fin?: boolean
  /** The three reserved bits, 0 to 7. @default 0 */
  readonly reserved?: number
  /** @default true, as §5.3 demands of clients */
  readonly masked?: boolean
  /** Announces another length than the payload has; the payload then stays behind. */
  readonly announces?: number
}

/** Opcodes of §5.2. */
export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

/** Bytes of a frame. */
export function writeFrame(options: FrameOptions): Buffer {
  const { opcode, fin = true, reserved = 0, masked = true } = options
  const payload = Buffer.from(options.payload ?? [])
  const length = options.announces ?? payload.length
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10)
  head[0] = (fin ? 0x80 : 0) | (reserved << 4) | opcode
  head[1] = (masked ? 0x80 : 0) | (length < 126 ? length : length < 65_536 ? 126 : 127)
  if (head.length === 4) head.writeUInt16BE(length, 2)
  else if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2)
  if (!masked) return Buffer.concat([head, payload])
  const mask = randomBytes(4)
  for (let at = 0; at < payload.length; at++) payload[at] = (payload[at] ?? 0) ^ (mask[at % 4] ?? 0)
  return Buffer.concat([head, mask, payload])
}

/** The payload of a close frame (§5.5.1). */
export function closePayload(code: number, reason = ''): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(code)
  return Buffer.concat([bytes, Buffer.from(reason)])
}

/** What a target said. */
export type Inbound =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'binary'; readonly bytes: Buffer }
  | { readonly kind: 'ping'; readonly bytes: Buffer }
  | { readonly kind: 'pong'; readonly bytes: Buffer }
  | { readonly kind: 'close'; readonly code: number; readonly reason: string }
  | { readonly kind: 'broken'; readonly why: string }

/** Longest message that is kept whole, bytes; a frame that announces more ends the visit before it is read. */
export const maxMessageBytes = 1_048_576

/** Reads frames from the bytes of one connection. After `broken` nothing more is read. */
export class FrameReader {
  readonly #inflates: boolean
  #rest: Buffer = Buffer.alloc(0)
  /** What has arrived and is not enough for a whole frame: it is joined once it is. */
  #waiting: Buffer[] = []
  #waitingBytes = 0
  #wantedBytes = 0
  #parts: Buffer[] = []
  #partBytes = 0
  #opcode = 0
  #compressed = false
  #broken = false

  /** @param inflates permessage-deflate (RFC 7692) was agreed upon, without context takeover */
  constructor(inflates: boolean) {
    this.#inflates = inflates
  }

  /** Takes what has arrived and answers what is whole, one at a time: a kilobyte may become a mebibyte. */
  *read(chunk: Buffer): Generator<Inbound, void> {
    if (this.#broken) return
    this.#waiting.push(chunk)
    this.#waitingBytes += chunk.length
    if (this.#waitingBytes < this.#wantedBytes && this.#waiting.length <= maxWaiting) return
    this.#rest = this.#waiting.length === 1 ? chunk : Buffer.concat(this.#waiting)
    try {
      for (let one = this.#next(); one !== 'more'; one = this.#next()) {
        if (one === 'part') continue
        this.#broken = one.kind === 'broken'
        if (this.#broken) this.#rest = Buffer.alloc(0)
        yield one
        if (this.#broken) break
      }
    } finally {
      this.#waiting = this.#rest.length === 0 ? [] : [this.#rest]
      this.#waitingBytes = this.#rest.length
    }
  }

  /** Needs so many bytes in order to go on. */
  #more(bytes: number): 'more' {
    this.#wantedBytes = bytes
    return 'more'
  }

  #next(): Inbound | 'more' | 'part' {
    const bytes = this.#rest
    if (bytes.length < 2) return this.#more(2)
    const [first = 0, second = 0] = bytes
    const short = second & 0x7f
    const start = short === 126 ? 4 : short === 127 ? 10 : 2
    if (bytes.length < start) return this.#more(start)
    const length =
      short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short
    if (length + this.#partBytes > maxMessageBytes) return broken(`a message of ${length} bytes or more`)
    if ((second & 0x80) !== 0) return broken('a masked frame from a server')
    if (bytes.length < start + length) return this.#more(start + length)
    const payload = bytes.subarray(start, start + length)
    this.#rest = bytes.subarray(start + length)
    return this.#frame(first, payload)
  }

  #frame(first: number, payload: Buffer): Inbound | 'part' {
    const opcode = first & 0x0f
    const fin = (first & 0x80) !== 0
    if (opcode >= 8) return control(opcode, payload)
    if ((first & 0x30) !== 0 || ((first & 0x40) !== 0 && !this.#inflates))
      return broken('a reserved bit is set')
    if (opcode > 2) return broken(`opcode ${opcode}`)
    if (opcode !== opcodes.continuation) {
      this.#opcode = opcode
      this.#compressed = (first & 0x40) !== 0
    } else if (this.#opcode === 0) return broken('a continuation of nothing')
    this.#parts.push(payload)
    this.#partBytes += payload.length
    if (this.#parts.length > maxParts) return broken(`more than ${maxParts} fragments`)
    return fin ? this.#whole() : 'part'
  }

  #whole(): Inbound {
    const joined = Buffer.concat(this.#parts)
    const opcode = this.#opcode
    const compressed = this.#compressed
    this.#parts = []
    this.#partBytes = 0
    this.#opcode = 0
    const bytes = compressed ? inflate(joined) : joined
    if (bytes === undefined) return broken('a compressed message that does not inflate within bounds')
    return opcode === opcodes.text
      ? { kind: 'text', text: bytes.toString('utf8') }
      : { kind: 'binary', bytes }
  }
}

const maxParts = 4_096
/** Chunks that wait to be joined: many small ones cost more than their bytes. */
const maxWaiting = 64

function inflate(bytes: Buffer): Buffer | undefined {
  try {
    const tail = Buffer.from([0, 0, 0xff, 0xff])
    return inflateRawSync(Buffer.concat([bytes, tail]), { maxOutputLength: maxMessageBytes })
  } catch {
    return undefined
  }
}

function control(opcode: number, bytes: Buffer): Inbound {
  if (opcode === opcodes.ping) return { kind: 'ping', bytes }
  if (opcode === opcodes.pong) return { kind: 'pong', bytes }
  if (opcode !== opcodes.close) return broken(`opcode ${opcode}`)
  if (bytes.length < 2) return { kind: 'close', code: 1005, reason: '' }
  return { kind: 'close', code: bytes.readUInt16BE(0), reason: bytes.subarray(2).toString('utf8') }
}

function broken(why: string): Inbound {
  return { kind: 'broken', why }
}
