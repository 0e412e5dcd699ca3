/** Payloads made of values: what the router says itself. */
import { portableLender } from './codec-lender.ts'
import { writeElements } from './codec-values.ts'
import { noDict, type Dict } from './messages.ts'
import type { Payload, Serialization } from './payload.ts'

const noBytes = new Uint8Array(0)
const noArgs: readonly unknown[] = Object.freeze([])

/** The payload of a message that has no arguments. */
export const noPayload: Payload = {
  count: 0,
  args: () => noArgs,
  kwargs: () => noDict,
  bytes: () => noBytes,
  keep: () => noPayload,
}

/**
 * Arguments as values, serialised on first use and once per serializer. The caller must not change them afterwards.
 * Empty `kwargs` are left out, and so are empty `args` without any.
 */
export function payloadOf(args: readonly unknown[] = noArgs, kwargs: Dict = noDict): Payload {
  if (Object.keys(kwargs).length > 0) return new ValuesPayload(args, kwargs)
  return args.length === 0 ? noPayload : new ValuesPayload(args, undefined)
}

/** Values that the router has, and their bytes in each serializer that somebody asked for. */
class ValuesPayload implements Payload {
  readonly count: 1 | 2
  readonly #args: readonly unknown[]
  readonly #kwargs: Dict | undefined
  readonly #made: Map<Serialization, Uint8Array> = new Map()

  constructor(args: readonly unknown[], kwargs: Dict | undefined) {
    this.count = kwargs === undefined ? 1 : 2
    this.#args = args
    this.#kwargs = kwargs
  }

  args(): readonly unknown[] {
    return this.#args
  }

  kwargs(): Dict {
    return this.#kwargs ?? noDict
  }

  bytes(serialization: Serialization): Uint8Array {
    // An event of the router's own goes to subscribers of several serializers.
    const made = this.#made.get(serialization)
    if (made !== undefined) return made
    const values = this.#kwargs === undefined ? [this.#args] : [this.#args, this.#kwargs]
    const bytes = writeElements(serialization, values, portableLender)
    this.#made.set(serialization, bytes)
    return bytes
  }

  keep(): Payload {
    // It holds on to nothing that came in.
    return this
  }
}
