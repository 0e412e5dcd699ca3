/** Arguments as values ⇄ arguments as bytes, for every serializer. */
import { readCborElements } from './cbor-values.ts'
import { writeCbor } from './cbor-write.ts'
import type { ByteLender } from './codec.ts'
import { Sink } from './codec-sink.ts'
import { jsonText, readJsonElements } from './json-values.ts'
import { readMsgpackElements } from './msgpack-values.ts'
import { writeMsgpack } from './msgpack-write.ts'
import type { Serialization } from './payload.ts'

/** What a serializer does with arguments alone, apart from any message. */
interface ElementForm {
  /** Validated elements, as `Payload.bytes` gives them. */
  read(bytes: Uint8Array, lend: ByteLender): readonly unknown[]
  write(sink: Sink, values: readonly unknown[]): void
}

/** One row a serializer. */
const forms: Readonly<Record<Serialization, ElementForm>> = {
  // Elements stand as in a message, without the brackets around it: JSON needs commas between them, the others nothing.
  json: {
    read: readJsonElements,
    write: (sink, values) => sink.text(values.map((value) => jsonText(value)).join(',')),
  },
  msgpack: {
    read: readMsgpackElements,
    write: (sink, values) => {
      for (const value of values) writeMsgpack(sink, value)
    },
  },
  cbor: {
    read: readCborElements,
    write: (sink, values) => {
      for (const value of values) writeCbor(sink, value)
    },
  },
}

/** The values of elements that a codec has validated. */
export function readElements(
  serialization: Serialization,
  bytes: Uint8Array,
  lend: ByteLender,
): readonly unknown[] {
  return forms[serialization].read(bytes, lend)
}

/** The bytes of elements, as `Payload.bytes` gives them. Never throws; see the writers for what has no form. */
export function writeElements(
  serialization: Serialization,
  values: readonly unknown[],
  lend: ByteLender,
): Uint8Array {
  const sink = new Sink(lend, 64)
  forms[serialization].write(sink, values)
  return sink.written()
}
