/** What a serializer of WAMP is: bytes ⇄ messages, total in both directions. */
import type { Message } from './messages.ts'
import type { Serialization } from './payload.ts'

/** Bytes that are no message. `why` is made of constant words and may be journalled. */
export interface Malformed {
  readonly kind: 'malformed'
  readonly why: string
}

/** One serializer. Keeps nothing about a connection: one codec serves all of them. */
export interface Codec {
  readonly serialization: Serialization
  /** Whether its WebSocket frames are binary ones. */
  readonly binary: boolean
  /**
   * Reads one message, of either direction: whether its sender may send it is the caller's question. Never throws. The
   * message refers to `bytes`, which must not be overwritten; whoever keeps its payload beyond this turn calls `keep()`.
   */
  decode(bytes: Uint8Array): Message | Malformed
  /**
   * Writes one message. Never throws.
   *
   * @param headroom that many bytes come first and are the transport's to fill; what they hold is undefined
   */
  encode(message: Message, headroom: number): Uint8Array
}

/** How a codec is made. */
export interface CodecOptions {
  /** Conversions of the runtime. @default portable ones */
  readonly lend?: ByteLender
  /** Deepest nesting of arrays and maps in one element of a message. @default 64 */
  readonly maxDepth?: number
  /**
   * Whether JSON is checked to be UTF-8: the duty of whoever feeds a codec from a transport that has not looked (WebSocket
   * has, RFC 6455 §8.1; RawSocket has not). Texts of binary serializers are always checked. @default false
   */
  readonly checkUtf8?: boolean
}

/** Conversions that a codec is lent, because every runtime has quicker ones than the portable. */
export interface ByteLender {
  /** The text of these bytes, which are UTF-8; a byte order mark stays in it. */
  text(bytes: Uint8Array, from: number, to: number): string
  /** Room for `size` bytes; whoever asks overwrites all of them. */
  allocate(size: number): Uint8Array
  /**
   * Writes a text as UTF-8; a lone surrogate becomes U+FFFD.
   *
   * @param into has at least three bytes of room for each UTF-16 unit
   * @returns how many bytes were written
   */
  write(text: string, into: Uint8Array, at: number): number
}
