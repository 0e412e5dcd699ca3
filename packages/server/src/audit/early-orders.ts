/** Orders in which a message comes before its sender was let in, for each protocol. */
import type { Scene } from './check.ts'
import { ChallengeTalk } from './challenge-talk.ts'
import type { Dialect } from './dialects/dialect.ts'
import { dialects } from './dialects/dialects.ts'
import { anonymous } from './presented.ts'
import type { Protocol } from './target.ts'
import type { Visit } from './visit.ts'

/** One order. */
export interface EarlyOrder {
  readonly name: string
  /** What is spoken: GraphQL has two protocols, and a client may choose. */
  readonly dialect: Dialect
  /** What is said before the message that comes too early. */
  lead(visit: Visit, scene: Scene): Promise<void>
}

const nothing = (): Promise<void> => Promise.resolve()

/** As nobody, in whatever way the protocol has for that. */
function enterAsNobody(dialect: Dialect): EarlyOrder['lead'] {
  return async (visit, { endpoint, oracle }) => {
    await dialect.enter(visit, anonymous, { endpoint, ms: oracle.settleMs })
  }
}

const { plain, wamp } = dialects
const socketIo = dialects['socket.io']

/** Gives a name, is asked for a proof, and gives none. */
const unproved: EarlyOrder = {
  name: 'before WELCOME',
  dialect: wamp,
  async lead(visit, { endpoint, oracle, low }) {
    const { authid = 'audit', method = 'wampcra' } = low?.wamp ?? {}
    const talk = new ChallengeTalk(visit, { ...endpoint, patienceMs: oracle.settleMs })
    await talk.hello({ authid, methods: [method] })
  },
}

const graphql = (['graphql-transport-ws', 'graphql-ws'] as const).flatMap(
  (protocol): readonly EarlyOrder[] => [
    { name: `before connection_init (${protocol})`, dialect: dialects[protocol], lead: nothing },
    {
      name: `without waiting for connection_ack (${protocol})`,
      dialect: dialects[protocol],
      lead: initAndGoOn,
    },
  ],
)

function initAndGoOn(visit: Visit): Promise<void> {
  visit.send(JSON.stringify({ type: 'connection_init' }))
  return Promise.resolve()
}

/** Connected to the main namespace alone. */
const elsewhere: EarlyOrder = {
  name: 'connected to another namespace',
  dialect: socketIo,
  async lead(visit, { endpoint, oracle }) {
    await socketIo.enter(visit, anonymous, { endpoint: { ...endpoint, namespace: '/' }, ms: oracle.settleMs })
  },
}

const orders: Readonly<Record<Protocol, readonly EarlyOrder[]>> = {
  plain: [{ name: 'before any credential', dialect: plain, lead: nothing }],
  'socket.io': [
    { name: 'before CONNECT', dialect: socketIo, lead: nothing },
    elsewhere,
    { name: 'after a CONNECT without a credential', dialect: socketIo, lead: enterAsNobody(socketIo) },
  ],
  wamp: [{ name: 'before HELLO', dialect: wamp, lead: nothing }, unproved],
  'graphql-transport-ws': graphql,
  'graphql-ws': graphql,
}

/** Those of the endpoint’s protocol. */
export function earlyOrdersOf({ endpoint: { protocol, namespace } }: Scene): readonly EarlyOrder[] {
  return orders[protocol].filter((order) => order !== elsewhere || namespace !== '/')
}
