/** One schema behind either library: subscriptions-transport-ws answers operations that come before any credential. */
import { createServer } from 'node:http'
import { age, listen, load, ready } from './here.ts'

interface Graphql {
  buildSchema(text: string): object
  readonly execute: unknown
  readonly subscribe: unknown
}
interface Ws {
  readonly WebSocketServer: new (options: object) => object
}
interface OfToday {
  useServer(options: object, wss: object): void
}
interface Before {
  readonly SubscriptionServer: { create(options: object, socket: object): void }
}

const token = 'token-of-mira-52d0'
const { buildSchema, execute, subscribe } = load('graphql') as Graphql // what the package exports
const schema = buildSchema('type Query { me: String, diary: String }')
const rootValue = { me: 'mira', diary: 'Dear diary, the harbour was quiet.' }
const server = createServer()
const handleProtocols = (offered: ReadonlySet<string>): string | false =>
  [...offered].find((name) => /^graphql-(?:transport-)?ws$/.test(name)) ?? false

if (age === 'old') {
  const { SubscriptionServer } = load('subscriptions-transport-ws') as Before // what the package exports
  SubscriptionServer.create(
    {
      schema,
      execute,
      subscribe,
      rootValue,
      onConnect(shown: { readonly token?: unknown }) {
        if (shown.token !== token) throw new Error('unauthorized')
      },
    },
    { server, path: '/', handleProtocols },
  )
} else {
  const { useServer } = load('graphql-ws/use/ws') as OfToday // what the package exports
  const { WebSocketServer } = load('ws-new') as Ws // what the package exports
  useServer(
    {
      schema,
      execute,
      subscribe,
      roots: { query: rootValue },
      onConnect: ({ connectionParams }: { readonly connectionParams?: { readonly token?: unknown } }) =>
        connectionParams?.token === token,
    },
    new WebSocketServer({ server, path: '/', handleProtocols }),
  )
}
ready(await listen(server), '/', {
  protocol: age === 'old' ? 'graphql-ws' : 'graphql-transport-ws',
  identities: {
    low: { token: { command: [process.execPath, '-p', JSON.stringify(token)], as: { payload: 'token' } } },
  },
  whoami: { send: { query: '{ me diary }' }, expect: '"me":"(?<identity>\\w+)"' },
  private: ['Dear diary'],
})
