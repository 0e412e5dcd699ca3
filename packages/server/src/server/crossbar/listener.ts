/**
 * Listening transports of a router: where they listen, and what they speak there.
 *
 * Transports of other protocols are left out with a warning; the others of the same file still run.
 */
import { endpoint } from './endpoint.ts'
import type { ListenerNode, SessionSettings } from './node.ts'
import { below, entriesOf, ignored, members, oneOf, optional, text, warn, type Spot } from './reader.ts'
import { rawsocketOf, websocketOf, type Around } from './wamp-transports.ts'
import { urlPath, webOf } from './web.ts'

/** Transports of other protocols, and such as test clients. */
const idle = ['mqtt', 'flashpolicy', 'websocket.testee', 'stream.testee'] as const

/** Reads a transport; `undefined`, and a warning, for those that do not run here. */
export function listenerOf(spot: Spot, session: SessionSettings): ListenerNode | undefined {
  const kind = oneOf(['web', 'websocket', 'rawsocket', 'universal', ...idle], 'mqtt')(below(spot, 'type'))
  if (kind !== 'web' && kind !== 'websocket' && kind !== 'rawsocket' && kind !== 'universal') {
    if (below(spot, 'type').value === kind)
      warn(spot, `cannot apply: transports of type ${kind} do not run here`)
    return undefined
  }
  const opened = { id: optional(text(64), undefined)(below(spot, 'id')), endpoint: endpointOf(spot) }
  const around: Around = { endpoint: opened.endpoint, session }
  switch (kind) {
    case 'web':
      members(spot, { ...common, endpoint: ignored, paths: ignored, options: ignored })
      return { kind, ...opened, web: webOf(spot, around) }
    case 'websocket':
      return { kind, ...opened, websocket: websocketOf(spot, around, true) }
    case 'rawsocket':
      return { kind, ...opened, rawsocket: rawsocketOf(spot, around, true) }
    case 'universal':
      return { kind, ...opened, ...universalOf(spot, around) }
  }
}

/** Keys that every transport has, read before its own. */
const common = { id: ignored, type: ignored }

/** The place is judged before what is spoken there: whether others can reach it decides what is warned of. */
function endpointOf(spot: Spot): ListenerNode['endpoint'] {
  return endpoint(below(spot, 'endpoint'))
}

/** Several protocols on one endpoint, told apart by their first octets. */
function universalOf(
  spot: Spot,
  around: Around,
): Pick<Extract<ListenerNode, { kind: 'universal' }>, 'rawsocket' | 'websocket' | 'web'> {
  const mqtt = below(spot, 'mqtt')
  if (mqtt.value !== undefined) warn(mqtt, 'cannot apply: transports of type mqtt do not run here')
  const read = members(spot, {
    ...common,
    endpoint: ignored,
    mqtt: ignored,
    rawsocket: optional((inner: Spot) => rawsocketOf(inner, around, false), undefined),
    websocket: optional(
      (inner: Spot) =>
        entriesOf(inner, (name, at) => ({
          path: urlPath(at, name, ''),
          service: websocketOf(at, around, false),
        })),
      [],
    ),
    web: optional((inner: Spot) => {
      members(inner, { ...common, paths: ignored, options: ignored })
      return webOf(inner, around)
    }, undefined),
  })
  return { rawsocket: read.rawsocket, websocket: read.websocket, web: read.web }
}
