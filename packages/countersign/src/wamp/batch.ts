/** Several messages in one WebSocket message (WAMP, advanced profile, "Batched WebSocket Transport"). */
import type { Codec, Malformed } from './codec.ts'

/** Most messages of one batch that are looked at, unless the caller says otherwise. */
const defaultMaxMessages = 10_000

/** What ends a JSON message. The specification's later drafts say 0x1e, clients in use 0x18; neither stands raw in JSON. */
const endsJson = 0x18
const endsJsonToo = 0x1e

/** Room to leave before a message, behind the transport's own, for what a batch puts there. */
export const openBatch: number = 4

/**
 * Makes a message one of a batch. Batches are joined by concatenation.
 *
 * @param bytes what `Codec.encode` made with a headroom of `headroom + openBatch`; it is changed
 * @returns the same memory: the message begins at `headroom`
 */
export function closeBatch(bytes: Uint8Array, codec: Codec, headroom: number): Uint8Array {
  const size = bytes.length - headroom - openBatch
  if (codec.binary) {
    bytes[headroom] = size >>> 24
    bytes[headroom + 1] = size >>> 16
    bytes[headroom + 2] = size >>> 8
    bytes[headroom + 3] = size
    return bytes
  }
  bytes.copyWithin(headroom, headroom + openBatch)
  bytes[headroom + size] = endsJson
  return bytes.subarray(0, headroom + size + 1)
}

/**
 * The messages of a batch, as views of it, undecoded. An empty batch is refused, and so is an empty message in it.
 *
 * @param binary whether the messages are those of a binary serializer
 * @param maxMessages @default 10,000
 */
export function splitBatch(
  bytes: Uint8Array,
  binary: boolean,
  maxMessages: number = defaultMaxMessages,
): readonly Uint8Array[] | Malformed {
  const messages = binary ? splitBinary(bytes, maxMessages) : splitJson(bytes, maxMessages)
  if (messages === undefined) return refused
  return messages.length === 0 ? empty : messages
}

const refused: Malformed = Object.freeze({ kind: 'malformed', why: 'no batch of messages' })
const empty: Malformed = Object.freeze({ kind: 'malformed', why: 'empty batch' })

/** Each message has its length before it: 32 bits, big-endian. */
function splitBinary(bytes: Uint8Array, maxMessages: number): Uint8Array[] | undefined {
  const messages: Uint8Array[] = []
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  while (at < bytes.length) {
    if (bytes.length - at < openBatch || messages.length === maxMessages) return undefined
    const start = at + openBatch
    const end = start + view.getUint32(at)
    if (end === start || end > bytes.length) return undefined
    messages.push(bytes.subarray(start, end))
    at = end
  }
  return messages
}

/** The last message may lack its end mark: to some it is a separator. */
function splitJson(bytes: Uint8Array, maxMessages: number): Uint8Array[] | undefined {
  const messages: Uint8Array[] = []
  let at = 0
  while (at < bytes.length) {
    const end = jsonEnd(bytes, at)
    if (end === at || messages.length === maxMessages) return undefined
    messages.push(bytes.subarray(at, end))
    at = end + 1
  }
  return messages
}

function jsonEnd(bytes: Uint8Array, from: number): number {
  for (let at = from; at < bytes.length; at++) {
    if (bytes[at] === endsJson || bytes[at] === endsJsonToo) return at
  }
  return bytes.length
}
