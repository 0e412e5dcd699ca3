/** One message as it arrived, read: an action with its JSON, a binary frame, or nothing that could be judged. */
import { maxActionLength } from '../core/policy-rules.ts'
import type { Message, MessageReason, PolicyLimits } from '../core/policy-options.ts'
import { isJsonObject, parseJson, type JsonObject } from '../wire/json.ts'

/** What was read; `action` and `id` are the sender's words, as far as there are any to repeat. */
export type InboundMessage = {
  readonly action: string | undefined
  readonly id: string | number | undefined
} & (
  | { readonly kind: 'action'; readonly action: string; readonly message: Message }
  | { readonly kind: 'binary' }
  | { readonly kind: 'refused'; readonly reason: MessageReason }
)

/** Longest `id` that is repeated, characters. */
const maxIdLength = 64

const tooBig: InboundMessage = refused('message_too_big')
const malformed: InboundMessage = refused('protocol_violation')
const binary: InboundMessage = { kind: 'binary', action: undefined, id: undefined }

/** Reads a message within its bounds. Total: whatever arrives, the answer is one of the three kinds. */
export function readMessage(
  { data, isBinary }: { readonly data: unknown; readonly isBinary: boolean },
  { maxBytes, maxDepth }: PolicyLimits,
): InboundMessage {
  if (bytesOf(data) > maxBytes) return tooBig
  if (isBinary) return binary
  if (!Buffer.isBuffer(data)) return malformed
  const json = parseJson(data.toString('utf8'), { maxBytes, maxDepth, refuseProto: true })
  if (json.kind !== 'found' || !isJsonObject(json.value)) return malformed
  return actionOf(json.value)
}

function actionOf(message: JsonObject): InboundMessage {
  const { type: action } = message
  const id = idOf(message)
  if (typeof action === 'string' && action !== '' && action.length <= maxActionLength) {
    return { kind: 'action', action, id, message }
  }
  return id === undefined
    ? malformed
    : { kind: 'refused', reason: 'protocol_violation', action: undefined, id }
}

/** What clients number their messages by; anything else is not repeated. */
function idOf({ id }: JsonObject): string | number | undefined {
  if (typeof id === 'number') return id
  return typeof id === 'string' && id.length <= maxIdLength ? id : undefined
}

/** Size of what `ws` emits: a Buffer, or, as its `binaryType` says, an ArrayBuffer, fragments or a Blob. */
export function bytesOf(data: unknown): number {
  if (Buffer.isBuffer(data)) return data.length
  if (Array.isArray(data)) return data.reduce<number>((bytes, part) => bytes + bytesOf(part), 0)
  if (data instanceof ArrayBuffer) return data.byteLength
  return data instanceof Blob ? data.size : Infinity
}

function refused(reason: MessageReason): InboundMessage {
  return { kind: 'refused', reason, action: undefined, id: undefined }
}
