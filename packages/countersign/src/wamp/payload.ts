/** Arguments of a message, opaque while they are only passed on: bytes of one serializer, or values. */
import type { Dict } from './messages.ts'

/** Name of a serializer. */
export type Serialization = 'json' | 'msgpack' | 'cbor'

/**
 * What follows the fixed elements of a message: nothing, `Arguments`, or `Arguments` and `ArgumentsKw`. Validated when it
 * was received, decoded only when somebody looks.
 */
export interface Payload {
  /** How many elements: 0, 1 (`Arguments`) or 2 (and `ArgumentsKw`). */
  readonly count: 0 | 1 | 2
  /** `Arguments`, decoded on first use; `[]` when there are none. */
  args(): readonly unknown[]
  /** `ArgumentsKw`, decoded on first use; empty when there are none. */
  kwargs(): Dict
  /**
   * The elements in a serializer's bytes, without the enclosing array; separators between the two where the format has
   * any. Its own format: a view of what came in. Another: made once and remembered.
   */
  bytes(serialization: Serialization): Uint8Array
  /** A payload that outlives this turn: a received one is a view of a large chunk, which keeping would pin. */
  keep(): Payload
}
