/**
 * RawSocket: WAMP over plain byte streams (WAMP, advanced profile, "RawSocket Transport").
 *
 *     handshake, either side:  0x7f | LLLL SSSS | 0 | 0      L: at most 2^(9+L) bytes a message, S: serializer
 *     refusal of a router:     0x7f | EEEE 0000 | 0 | 0      E: see `rawSocketErrors`
 *     frame:                   0000 X TTT | three bytes of length, big-endian | payload
 *                              T: 0 message, 1 ping, 2 pong; X with length 0: exactly 2^24 bytes
 */
import type { Malformed } from './codec.ts'
import type { Serialization } from './payload.ts'

/** No byte that a request of HTTP begins with: one port can serve both. */
const magic = 0x7f

/** Bytes of either side's handshake. */
export const handshakeBytes = 4

/** Bytes before each message: the headroom to encode with. */
export const rawSocketHeader = 4

/** Largest message that the protocol knows, 2^24 bytes; its length does not fit the header and has a bit of its own. */
export const largestRawSocketMessage = 0x100_0000

/** S of a handshake. */
const numberOf: Readonly<Record<Serialization, number>> = { json: 1, msgpack: 2, cbor: 3 }

/** Why a router refuses a handshake, and the nibble that says so. */
export const rawSocketErrors: {
  readonly serializerUnsupported: 1
  readonly lengthUnacceptable: 2
  readonly reservedBits: 3
  readonly tooManyConnections: 4
} = { serializerUnsupported: 1, lengthUnacceptable: 2, reservedBits: 3, tooManyConnections: 4 }

/** One of `rawSocketErrors`, or another one that a peer made up. */
export type RawSocketError = number

/** What one side said in its handshake. */
export interface RawSocketHandshake {
  readonly kind: 'handshake'
  readonly serialization: Serialization
  /** Largest message that this side will receive: a power of two from 2^9 to 2^24. */
  readonly maxBytes: number
}

/** A handshake that is refused: a router answers with `refuseHandshake(error)`, then closes; a client was answered so. */
export interface RefusedHandshake {
  readonly kind: 'refused'
  readonly error: RawSocketError
}

/**
 * A client's handshake, as a router reads it.
 *
 * @param bytes the first four; of a stream that speaks something else they are malformed, and close it without an answer
 */
export function readClientHandshake(bytes: Uint8Array): RawSocketHandshake | RefusedHandshake | Malformed {
  if (bytes.length !== handshakeBytes || bytes[0] !== magic) return notRawSocket
  if (bytes[2] !== 0 || bytes[3] !== 0) return { kind: 'refused', error: rawSocketErrors.reservedBits }
  return handshakeOf(bytes[1] ?? 0) ?? { kind: 'refused', error: rawSocketErrors.serializerUnsupported }
}

/** A router's handshake, as a client reads it. */
export function readRouterHandshake(bytes: Uint8Array): RawSocketHandshake | RefusedHandshake | Malformed {
  if (bytes.length !== handshakeBytes || bytes[0] !== magic || bytes[2] !== 0 || bytes[3] !== 0) {
    return notRawSocket
  }
  const said = bytes[1] ?? 0
  if ((said & 15) === 0) return { kind: 'refused', error: said >> 4 }
  return handshakeOf(said) ?? notRawSocket
}

const notRawSocket: Malformed = Object.freeze({ kind: 'malformed', why: 'no RawSocket handshake' })

/** The second byte; `undefined` for a serializer that there is no codec for. */
function handshakeOf(said: number): RawSocketHandshake | undefined {
  const maxBytes = 2 ** (9 + (said >> 4))
  switch (said & 15) {
    case numberOf.json:
      return { kind: 'handshake', serialization: 'json', maxBytes }
    case numberOf.msgpack:
      return { kind: 'handshake', serialization: 'msgpack', maxBytes }
    case numberOf.cbor:
      return { kind: 'handshake', serialization: 'cbor', maxBytes }
    default:
      return undefined
  }
}

/** What a side says: its serializer (a router repeats the client's), and the largest message that it will receive. */
export function writeHandshake(serialization: Serialization, maxBytes: number): Uint8Array {
  return Uint8Array.of(magic, (lengthNibble(maxBytes) << 4) | numberOf[serialization], 0, 0)
}

/** What a router says to a client that it refuses. */
export function refuseHandshake(error: RawSocketError): Uint8Array {
  return Uint8Array.of(magic, error << 4, 0, 0)
}

/** What may really be received under a limit: powers of two from 2^9 to 2^24 can be announced, and no others. */
export function announcedBytes(maxBytes: number): number {
  return 2 ** (9 + lengthNibble(maxBytes))
}

/** L of a handshake: rounded down, because more than was announced may come otherwise. */
function lengthNibble(maxBytes: number): number {
  return Math.min(15, Math.max(0, Math.floor(Math.log2(maxBytes)) - 9))
}

/** Types of frames, in the order of their numbers. */
const frameKinds = ['message', 'ping', 'pong'] as const

/** What a frame carries. A ping is answered by a pong with the same bytes. */
export type RawSocketFrameKind = (typeof frameKinds)[number]

/** One frame. `bytes` may be a view of what came in. */
export interface RawSocketFrame {
  readonly kind: RawSocketFrameKind
  readonly bytes: Uint8Array
}

/**
 * Writes the header of a frame.
 *
 * @param frame `rawSocketHeader` bytes that are overwritten, and the payload
 * @returns `false`: larger than the peer will receive, or than the protocol knows; do not send it
 */
export function closeFrame(frame: Uint8Array, kind: RawSocketFrameKind, maxBytes: number): boolean {
  const size = frame.length - rawSocketHeader
  if (size > Math.min(maxBytes, largestRawSocketMessage)) return false
  frame[0] = frameKinds.indexOf(kind) | (size === largestRawSocketMessage ? 8 : 0)
  frame[1] = size >>> 16
  frame[2] = size >>> 8
  frame[3] = size
  return true
}

const noBytes = new Uint8Array(0)
const reserved: Malformed = Object.freeze({ kind: 'malformed', why: 'reserved bits or type of a frame' })
const tooLong: Malformed = Object.freeze({ kind: 'malformed', why: 'frame longer than announced' })

/** Cuts a stream into frames. Holds at most one frame that is not whole yet, and no room for bytes that were only declared. */
export class RawSocketReader {
  readonly #maxBytes: number
  /** What came in of a frame that is not whole: `#held[0 … #size)`. */
  #held: Uint8Array = noBytes
  #size: number = 0
  #broken: Malformed | undefined = undefined

  /** @param maxBytes what was announced to the peer; see `announcedBytes` */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /**
   * Takes the next bytes of the stream, behind the handshake; they must not be overwritten afterwards.
   *
   * @returns the frames that are whole now; or what is wrong: nothing can be read from this stream any more, close it
   */
  push(chunk: Uint8Array): readonly RawSocketFrame[] | Malformed {
    const frames: RawSocketFrame[] = []
    let at = 0
    while (this.#broken === undefined && at < chunk.length) {
      at = this.#size === 0 ? this.#cut(chunk, at, frames) : this.#complete(chunk, at, frames)
    }
    return this.#broken ?? frames
  }

  /** Cuts one frame out of the chunk, or holds what is there of it. */
  #cut(chunk: Uint8Array, at: number, frames: RawSocketFrame[]): number {
    const whole = chunk.length - at < rawSocketHeader ? rawSocketHeader : this.#wholeSize(chunk, at)
    const end = at + whole
    if (end > chunk.length) return this.#hold(chunk, at, whole)
    if (whole > 0) frames.push(frameOf(chunk.subarray(at, end)))
    return end
  }

  /** Adds to the frame that is held: first to its header, then to the rest. */
  #complete(chunk: Uint8Array, at: number, frames: RawSocketFrame[]): number {
    if (this.#size < rawSocketHeader) return this.#completed(this.#hold(chunk, at, rawSocketHeader), frames)
    return this.#completed(this.#hold(chunk, at, this.#wholeSize(this.#held, 0)), frames)
  }

  #completed(at: number, frames: RawSocketFrame[]): number {
    if (this.#size < rawSocketHeader || this.#wholeSize(this.#held, 0) !== this.#size) return at
    frames.push(frameOf(this.#held.subarray(0, this.#size)))
    this.#held = noBytes
    this.#size = 0
    return at
  }

  /** Copies what is still missing of `whole` bytes, as far as it is there; where the chunk goes on. */
  #hold(chunk: Uint8Array, at: number, whole: number): number {
    const end = Math.min(chunk.length, at + whole - this.#size)
    const size = this.#size + end - at
    if (size > this.#held.length) {
      // Room grows with what has come, not with what a header promises.
      const larger = new Uint8Array(Math.max(size, Math.min(whole, this.#held.length * 2)))
      larger.set(this.#held.subarray(0, this.#size))
      this.#held = larger
    }
    this.#held.set(chunk.subarray(at, end), this.#size)
    this.#size = size
    return end
  }

  /** Size of the frame whose header stands here, header and all; 0 when it is none that may come. */
  #wholeSize(bytes: Uint8Array, at: number): number {
    const first = bytes[at] ?? 0xff
    const size = ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)
    // X, without which 2^24 would not fit into 24 bits.
    const isLargest = (first & 8) !== 0
    if (first >> 4 !== 0 || (first & 7) >= frameKinds.length || (isLargest && size !== 0)) {
      this.#broken = reserved
      return 0
    }
    const length = isLargest ? largestRawSocketMessage : size
    if (length > this.#maxBytes) {
      this.#broken = tooLong
      return 0
    }
    return rawSocketHeader + length
  }
}

/** A frame that is whole, and whose header was looked at. */
function frameOf(whole: Uint8Array): RawSocketFrame {
  return { kind: frameKinds[(whole[0] ?? 0) & 7] ?? 'message', bytes: whole.subarray(rawSocketHeader) }
}
