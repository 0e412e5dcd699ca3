/** Payloads that came in: a span of validated bytes. */
import type { ByteLender } from './codec.ts'
import { readElements, writeElements } from './codec-values.ts'
import { isDict, noDict, type Dict } from './messages.ts'
import type { Payload, Serialization } from './payload.ts'

/** What all payloads of one codec have in common. */
export interface SpanOrigin {
  readonly serialization: Serialization
  readonly lend: ByteLender
}

/** One or two elements in the bytes of the message that they came in, decoded when somebody looks. */
export class SpanPayload implements Payload {
  readonly count: 1 | 2
  readonly origin: SpanOrigin
  /** The whole message; the elements are `source[from … to)`. */
  readonly source: Uint8Array
  readonly from: number
  readonly to: number
  /** Once the router itself, or an application in its process, has looked. */
  #values: readonly unknown[] | undefined = undefined
  /** Bytes of other serializers, once made: one event goes to many subscribers, of few serializers. */
  #made: Map<Serialization, Uint8Array> | undefined = undefined

  constructor(origin: SpanOrigin, source: Uint8Array, span: Span) {
    this.count = span.count
    this.origin = origin
    this.source = source
    this.from = span.from
    this.to = span.to
  }

  args(): readonly unknown[] {
    const [args] = this.#decoded()
    return Array.isArray(args) ? args : []
  }

  kwargs(): Dict {
    const [, kwargs] = this.#decoded()
    return isDict(kwargs) ? kwargs : noDict
  }

  bytes(serialization: Serialization): Uint8Array {
    if (serialization === this.origin.serialization) return this.source.subarray(this.from, this.to)
    const made = this.#made?.get(serialization)
    if (made !== undefined) return made
    // Values that were read for this alone are not kept: they take many times the memory of their bytes.
    const bytes = writeElements(serialization, this.#values ?? this.#read(), this.origin.lend)
    this.#made ??= new Map()
    this.#made.set(serialization, bytes)
    return bytes
  }

  keep(): Payload {
    // A view of a few bytes would hold on to the whole chunk that they came in.
    const copy = new Uint8Array(this.source.subarray(this.from, this.to))
    return new SpanPayload(this.origin, copy, { count: this.count, from: 0, to: copy.length })
  }

  #decoded(): readonly unknown[] {
    this.#values ??= this.#read()
    return this.#values
  }

  #read(): readonly unknown[] {
    const { serialization, lend } = this.origin
    return readElements(serialization, this.bytes(serialization), lend)
  }
}

/** Where a payload stands in a message. */
export interface Span {
  readonly count: 1 | 2
  readonly from: number
  readonly to: number
}
