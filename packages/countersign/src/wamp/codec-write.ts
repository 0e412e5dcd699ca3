/** Messages → bytes: the table of shapes, walked with the writer of one serializer. */
import type { ByteLender } from './codec.ts'
import { Sink } from './codec-sink.ts'
import { SpanPayload } from './codec-span.ts'
import type { Dict, Message } from './messages.ts'
import type { Payload, Serialization } from './payload.ts'
import { shapes, Slots, type ElementKind, type Shape } from './shapes.ts'

/** How one serializer writes the elements of a message. */
export interface ElementWriter {
  readonly serialization: Serialization
  /** Begins a message of so many elements, the code and those of the payload among them. */
  start(sink: Sink, count: number): void
  integer(sink: Sink, value: number): void
  text(sink: Sink, text: string): void
  nothing(sink: Sink): void
  dict(sink: Sink, dict: Dict): void
  /** Bytes that stand between two elements, and behind the last; -1: nothing. */
  readonly separator: number
  readonly end: number
}

/** Head buffers larger than this are let go after use. */
const keptBytes = 16_384
/** Heads and payloads up to this size are copied byte by byte, which beats a call into the runtime. */
const loopBytes = 96

/**
 * Writes messages of one serializer. Everything but the payload is written into a buffer that is used again and again; only
 * then is the size known, and the message is one piece of memory without slack.
 */
export class MessageWriter {
  readonly #form: ElementWriter
  readonly #lend: ByteLender
  readonly #head: Sink

  constructor(form: ElementWriter, lend: ByteLender) {
    this.#form = form
    this.#lend = lend
    this.#head = new Sink(lend, keptBytes)
  }

  /** See `Codec.encode`. */
  encode(message: Message, headroom: number): Uint8Array {
    const shape: Shape = shapes[message.kind]
    const slots = new Slots()
    shape.take(message, slots)
    this.#head.reset(keptBytes)
    this.#writeHead(shape, slots)
    return this.#assemble(slots.payload, headroom)
  }

  /** Everything but the payload: its elements are counted, not written. */
  #writeHead(shape: Shape, slots: Slots): void {
    const head = this.#head
    const form = this.#form
    const count = countOf(shape, slots)
    form.start(head, count + slots.payload.count)
    form.integer(head, shape.code)
    for (let index = 0; index < count - 1; index++) {
      const kind = shape.elements[index]
      if (kind === undefined) break
      if (form.separator >= 0) head.byte(form.separator)
      this.#writeElement(kind, slots)
    }
  }

  #writeElement(kind: ElementKind, slots: Slots): void {
    const head = this.#head
    const form = this.#form
    switch (kind) {
      case 'id':
      case 'idOrZero':
        return form.integer(head, slots.id)
      case 'other':
        return form.integer(head, slots.other)
      case 'of':
        return form.integer(head, shapes[slots.of].code)
      case 'dict':
        return form.dict(head, slots.dict)
      case 'uri':
      case 'text':
        return form.text(head, slots.text)
      case 'realm':
        return slots.realm === undefined ? form.nothing(head) : form.text(head, slots.realm)
      case 'revocation':
        return slots.revocation === undefined ? undefined : form.dict(head, slots.revocation)
      case 'payload':
      case 'ignored':
    }
  }

  /**
   * Head and payload as one piece. A payload that came in by this serializer is copied out of the message that it came in:
   * neither decoded nor encoded, and not even cut out of it first.
   */
  #assemble(payload: Payload, headroom: number): Uint8Array {
    const head = this.#head
    const { separator, end } = this.#form
    const spliced =
      payload instanceof SpanPayload && payload.origin.serialization === this.#form.serialization
    const source = spliced ? payload.source : payload.bytes(this.#form.serialization)
    const from = spliced ? payload.from : 0
    const to = spliced ? payload.to : source.length
    if (payload.count > 0 && separator >= 0) head.byte(separator)
    const body = headroom + head.at
    const message = this.#lend.allocate(body + to - from + (end < 0 ? 0 : 1))
    copy(head.bytes, { from: 0, to: head.at }, message, headroom)
    copy(source, { from, to }, message, body)
    if (end >= 0) message[message.length - 1] = end
    return message
  }
}

/** Elements without the payload, the code among them. What may be absent stands last in a shape. */
function countOf(shape: Shape, slots: Slots): number {
  const last = shape.elements[shape.elements.length - 1]
  const absent =
    last === 'payload' || last === 'ignored' || (last === 'revocation' && slots.revocation === undefined)
  return shape.elements.length + (absent ? 0 : 1)
}

/** `from` … `to`, without the last. */
interface Stretch {
  readonly from: number
  readonly to: number
}

function copy(source: Uint8Array, stretch: Stretch, into: Uint8Array, at: number): void {
  const { from, to } = stretch
  if (to - from > loopBytes) into.set(source.subarray(from, to), at)
  else for (let index = from; index < to; index++) into[at + index - from] = source[index] ?? 0
}
