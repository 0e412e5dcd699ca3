import type { Protocol } from '../target.ts'
import type { Dialect } from './dialect.ts'
import { graphqlTransportWs, graphqlWs } from './graphql.ts'
import { plain } from './plain.ts'
import { socketIo } from './socket-io.ts'
import { wamp } from './wamp.ts'

/** Every protocol that can be audited. */
export const dialects: Readonly<Record<Protocol, Dialect>> = {
  plain,
  'socket.io': socketIo,
  wamp,
  'graphql-transport-ws': graphqlTransportWs,
  'graphql-ws': graphqlWs,
}
