/** Testaments: what is published for a session once it has gone (WAMP, advanced profile, testaments). */
import { portableLender } from './codec-lender.ts'
import { SpanPayload } from './codec-span.ts'
import type { Dict } from './messages.ts'
import type { Payload } from './payload.ts'
import { noPayload, payloadOf } from './values.ts'

/** When a testament is due. Sessions are never frozen, so one moment serves both: `detached` first. */
export type TestamentScope = 'detached' | 'destroyed'

/** One publication to come. */
export interface Testament {
  readonly topic: string
  /** Kept as bytes: values take many times their memory. */
  readonly payload: Payload
  /** Options of the PUBLISH; `acknowledge` has nobody to acknowledge to. */
  readonly options: Dict
  /** What it costs to keep, bytes. */
  readonly bytes: number
}

/** A testament out of the arguments of its procedure, which are not kept. */
export function testamentOf(
  topic: string,
  { args, kwargs }: { readonly args: readonly unknown[]; readonly kwargs: Dict },
  options: Dict,
): Testament {
  const values = payloadOf(args, kwargs)
  // The form that has words for whatever the others can say.
  const bytes = values.bytes('cbor')
  const { count } = values
  const payload =
    count === 0 ? noPayload : new SpanPayload(origin, bytes, { count, from: 0, to: bytes.length })
  return { topic, payload, options, bytes: topic.length + bytes.length + sizeOf(options) }
}

const origin = { serialization: 'cbor', lend: portableLender } as const

/** Options stay values; only their lists may be long. */
function sizeOf(options: Dict): number {
  return payloadOf([options]).bytes('cbor').length * 4
}

/** The testaments of one session, each scope in the order in which they were made. */
export class Testaments {
  readonly #scopes: Record<TestamentScope, Testament[]> = { detached: [], destroyed: [] }

  /** How many there are. */
  get size(): number {
    return this.#scopes.detached.length + this.#scopes.destroyed.length
  }

  /** What keeping them costs, bytes. */
  get bytes(): number {
    return this.inOrder().reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** Adds one behind those of its scope. */
  add(scope: TestamentScope, testament: Testament): void {
    this.#scopes[scope].push(testament)
  }

  /** Drops all of one scope. */
  flush(scope: TestamentScope): void {
    this.#scopes[scope] = []
  }

  /** All, in the order in which they are published. */
  inOrder(): readonly Testament[] {
    return [...this.#scopes.detached, ...this.#scopes.destroyed]
  }
}

/** `scope` of the two procedures: absent means `destroyed`, anything unknown is no scope. */
export function scopeOf(given: unknown): TestamentScope | undefined {
  if (given === undefined || given === null) return 'destroyed'
  return given === 'detached' || given === 'destroyed' ? given : undefined
}
