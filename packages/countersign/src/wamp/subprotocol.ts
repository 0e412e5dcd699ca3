/** Which serializer a WebSocket connection speaks (WAMP, basic profile, "WebSocket Transport"; advanced profile for `.batched`). */
import type { Serialization } from './payload.ts'

/** One subprotocol of WAMP. */
export interface Subprotocol {
  /** As it is offered and answered: `wamp.2.json`, `wamp.2.cbor.batched`. */
  readonly name: string
  readonly serialization: Serialization
  readonly batched: boolean
}

/** What an endpoint speaks. */
export interface EnabledSubprotocols {
  readonly serializations: readonly Serialization[]
  /** Whether the batched forms are spoken, too. */
  readonly batched: boolean
}

const serializations: readonly Serialization[] = ['json', 'msgpack', 'cbor']

/** Every subprotocol that there are codecs for. */
export const subprotocols: readonly Subprotocol[] = serializations.flatMap((serialization) => [
  { name: `wamp.2.${serialization}`, serialization, batched: false },
  { name: `wamp.2.${serialization}.batched`, serialization, batched: true },
])

/**
 * The client's first choice among what is enabled (RFC 6455 §4.2.2). The answer must name it: clients find their
 * serializer by it. `undefined`: nothing in common.
 *
 * @param offered names in the client's order, as `parseSubprotocols` gives them; case matters
 */
export function negotiate(offered: readonly string[], enabled: EnabledSubprotocols): Subprotocol | undefined {
  for (const name of offered) {
    const known = subprotocols.find((one) => one.name === name)
    if (known === undefined || (known.batched && !enabled.batched)) continue
    if (enabled.serializations.includes(known.serialization)) return known
  }
  return undefined
}
