/** A real graphql-ws server: friends who have friends, and a token in `connection_init`. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { GraphQLObjectType, GraphQLSchema, GraphQLString, specifiedRules, type ValidationRule } from 'graphql'
import { useServer } from 'graphql-ws/use/ws'
import { parse, validate } from 'graphql'
import { WebSocketServer } from 'ws'
import type { AuditOptions } from '../../../../packages/server/src/audit/options.ts'
import { listening, type Target } from './site.ts'

const token = 'token-of-mira-1f6b'

const person: GraphQLObjectType = new GraphQLObjectType({
  name: 'Person',
  fields: () => ({
    name: { type: GraphQLString, resolve: () => 'mira' },
    friend: { type: person, resolve: () => ({}) },
  }),
})

const schema = new GraphQLSchema({
  query: new GraphQLObjectType({ name: 'Query', fields: { viewer: { type: person, resolve: () => ({}) } } }),
})

const audit: AuditOptions = {
  protocol: 'graphql-transport-ws',
  identities: { low: { token: { url: '/token', as: { payload: 'token' } } } },
  whoami: { send: { query: '{ viewer { name } }' }, expect: '"name":"(?<identity>mira)"' },
  settleMs: 300,
}

/** Starts one that holds operations to further rules. */
export async function openGraphqlSite(
  rules: readonly ValidationRule[],
  more: AuditOptions = {},
): Promise<Target> {
  const server = createServer((_request: IncomingMessage, response: ServerResponse) => {
    response.end(JSON.stringify({ token }))
  })
  const wss = new WebSocketServer({ server, maxPayload: 65_536 })
  const used = useServer(
    {
      schema,
      onConnect: ({ connectionParams }) => connectionParams?.['token'] === token,
      onSubscribe: (_context, _id, payload) => {
        const document = parse(payload.query)
        const errors = validate(schema, document, [...specifiedRules, ...rules])
        return errors.length > 0 ? errors : { schema, document }
      },
    },
    wss,
  )
  return listening(server, { ...audit, ...more }, () => void used.dispose())
}
