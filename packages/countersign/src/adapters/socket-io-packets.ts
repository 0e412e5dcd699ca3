/** The text form of Socket.IO packets (protocol 5), as far as a guard reads or writes it, and the weight of arguments. */
import { maxActionLength } from '../core/policy-rules.ts'
import type { PolicyLimits } from '../core/policy-options.ts'

/** Longest name of a namespace that is looked at, characters. */
export const maxNamespaceLength = 128

/** First character of a packet: its type. */
export const packetTypes = {
  connect: '0',
  disconnect: '1',
  event: '2',
  ack: '3',
  connectError: '4',
  binaryEvent: '5',
  binaryAck: '6',
} as const

/** A packet's type as a decoded packet has it; binary ones have become events and acknowledgements by then. */
export const decodedTypes = { event: 2, ack: 3 } as const

const binaryEventCode = 0x35
const slashCode = 0x2f

/** `5` and `6`, the last of the types, announce how many attachments follow: `51-/chat,["file",…]`. */
const attachments = /^[56]\d{1,15}-/

/** The namespace that a packet is for: `2/chat,["say"]` is for `/chat`, `2["say"]` for `/`. Total: any text. */
export function namespaceOf(packet: string): string {
  const attached = packet.charCodeAt(0) >= binaryEventCode
  const start = attached ? (attachments.exec(packet)?.[0].length ?? 1) : 1
  if (packet.charCodeAt(start) !== slashCode) return '/'
  const end = packet.indexOf(',', start)
  return packet.slice(start, end === -1 ? undefined : end)
}

/** What a packet is written from. */
interface Written {
  readonly namespace: string
  /** Of the event that is acknowledged. */
  readonly id?: number | undefined
  readonly data?: unknown
}

/** A packet as the client reads it. */
export function packetText(type: keyof typeof packetTypes, { namespace, id, data }: Written): string {
  const to = namespace === '/' ? '' : `${namespace},`
  const body = data === undefined ? '' : JSON.stringify(data)
  return `${packetTypes[type]}${to}${id ?? ''}${body}`
}

/** What the arguments of an event are, as far as bounds ask. */
export type Weight =
  | { readonly kind: 'weighed'; readonly bytes: number; readonly binary: boolean }
  | { readonly kind: 'refused'; readonly reason: 'message_too_big' | 'protocol_violation' }

const tooBig: Weight = { kind: 'refused', reason: 'message_too_big' }
const malformed: Weight = { kind: 'refused', reason: 'protocol_violation' }

/**
 * Weighs what a packet was decoded to: the size that its JSON has at least, attachments as they are. Stops at the bound.
 * `__proto__` as a member's name is malformed, as in every message that meets a policy.
 */
export function weigh(data: readonly unknown[], { maxBytes, maxDepth }: PolicyLimits): Weight {
  const scale: Scale = { bytes: 0, maxBytes, binary: false, malformed: false }
  put(scale, data, maxDepth)
  if (scale.malformed) return malformed
  return scale.bytes > maxBytes ? tooBig : { kind: 'weighed', bytes: scale.bytes, binary: scale.binary }
}

interface Scale {
  bytes: number
  readonly maxBytes: number
  binary: boolean
  malformed: boolean
}

function put(scale: Scale, value: unknown, depthLeft: number): void {
  if (scale.bytes > scale.maxBytes || scale.malformed) return
  if (typeof value === 'string') scale.bytes += bytesOf(value) + 2
  else if (typeof value !== 'object' || value === null) scale.bytes += 4
  else if (Buffer.isBuffer(value) || value instanceof ArrayBuffer) {
    scale.binary = true
    scale.bytes += value.byteLength
  } else if (depthLeft === 0) scale.malformed = true
  else {
    scale.bytes += 2
    if (Array.isArray(value)) for (const item of value) put(scale, item, depthLeft - 1)
    else putMembers(scale, value, depthLeft - 1)
  }
}

function putMembers(scale: Scale, object: object, depthLeft: number): void {
  for (const name of Object.keys(object)) {
    if (name === '__proto__') scale.malformed = true
    scale.bytes += bytesOf(name) + 3
    put(scale, Reflect.get(object, name), depthLeft)
  }
}

/** So long a text is looked through here: to have it measured costs more. */
const shortLength = 32

/** Length in UTF-8. */
function bytesOf(text: string): number {
  if (text.length > shortLength) return Buffer.byteLength(text)
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return Buffer.byteLength(text)
  return text.length
}

/** Whether an event's name may name an action. Socket.IO itself lets numbers pass. */
export function isEventName(name: unknown): name is string {
  return typeof name === 'string' && name !== '' && name.length <= maxActionLength
}
