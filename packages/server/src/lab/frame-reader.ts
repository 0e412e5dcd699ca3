/** Reads WebSocket frames off a byte stream for display: small, whole text, close and binary frames (RFC 6455 §5.2). */

/** A frame as a line of text. */
export interface Frame {
  readonly kind: 'text' | 'binary' | 'close' | 'other'
  readonly text: string
}

/**
 * Most bytes that are kept for a frame to become whole; a longer one ends the reading, not the connection.
 */
const maxKept = 64 * 1_024

/** Feeds on chunks; gives up silently on anything that it would have to buffer too long. */
export class FrameReader {
  readonly #use: (frame: Frame) => void
  #bytes: Buffer = Buffer.alloc(0)
  #broken = false

  constructor(use: (frame: Frame) => void) {
    this.#use = use
  }

  /** Takes what came next. Frames are told as they become whole; nothing is thrown, whatever the bytes. */
  push(chunk: Buffer): void {
    if (this.#broken) return
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    if (this.#bytes.length > maxKept) {
      this.#broken = true
      this.#bytes = Buffer.alloc(0)
      return
    }
    for (let used = this.#readOne(); used > 0; used = this.#readOne())
      this.#bytes = this.#bytes.subarray(used)
  }

  /** @returns bytes consumed, 0 when the frame is not whole yet */
  #readOne(): number {
    const bytes = this.#bytes
    const [first, second] = bytes
    if (first === undefined || second === undefined) return 0
    const masked = (second & 0x80) !== 0
    const short = second & 0x7f
    const lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0
    const start = 2 + lengthBytes + (masked ? 4 : 0)
    if (bytes.length < start) return 0
    const length =
      lengthBytes === 0 ? short : lengthBytes === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
    if (length > maxKept || bytes.length < start + length) return 0
    const payload = Buffer.from(bytes.subarray(start, start + length))
    if (masked) unmask(payload, bytes.subarray(start - 4, start))
    this.#use(describe(first & 0x0f, payload))
    return start + length
  }
}

/** RFC 6455 §5.3: what clients send is masked by four bytes, over and over. */
function unmask(payload: Buffer, key: Buffer): void {
  for (const [at, byte] of payload.entries()) payload[at] = byte ^ (key[at % 4] ?? 0)
}

/** A line for people; payloads of binary frames are counted, not shown. */
function describe(opcode: number, payload: Buffer): Frame {
  if (opcode === 1) return { kind: 'text', text: payload.toString('utf8') }
  if (opcode === 2) return { kind: 'binary', text: `binary frame of ${payload.length} bytes` }
  if (opcode !== 8) return { kind: 'other', text: `frame with opcode ${opcode}` }
  const code = payload.length >= 2 ? payload.readUInt16BE(0) : 1_005
  return { kind: 'close', text: `close ${code} ${payload.subarray(2).toString('utf8')}`.trimEnd() }
}
