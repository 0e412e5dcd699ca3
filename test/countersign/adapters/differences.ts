/** What the adapters cannot do, and why. The suite passes over what is declared here, and the guide prints it. */

/** Parts of the suite that an adapter may lack. */
export type Capability = (typeof capabilities)[number]

/** In the order of the table in the guide. */
export const capabilities = [
  'credential in a first message',
  'messages right behind the credential',
  'paths of the application’s own',
  'messages of the application’s own',
] as const

const everyPath = 'every upgrade of its server is its own'

/** By framework; an empty row lacks nothing. */
export const differences: Readonly<Record<string, Partial<Readonly<Record<Capability, string>>>>> = {
  ws: {},
  Fastify: {},
  Express: {},
  'crossws, h3': {},
  'Hono on Node': {},
  'graphql-ws': {
    'messages right behind the credential': 'clients wait for `connection_ack`',
    'paths of the application’s own': everyPath,
    'messages of the application’s own': 'operations, each under a policy',
  },
  tRPC: {
    'paths of the application’s own': everyPath,
    'messages of the application’s own': 'procedures; a policy is asked in their middleware',
  },
  Hocuspocus: {
    'paths of the application’s own': everyPath,
    'messages of the application’s own': 'changes of documents, each document under a policy',
  },
  'y-websocket': {
    'messages of the application’s own': 'changes of the document that the path names',
  },
}

/** What the first message is in which a credential may come. */
export const firstMessages: Readonly<Record<keyof typeof differences, string>> = {
  ws: 'a token, `auth`',
  Fastify: 'a token, `auth`',
  Express: 'a token, `auth`',
  'crossws, h3': 'a token, `auth`',
  'Hono on Node': 'a token, `auth`',
  'graphql-ws': '`connection_init`',
  tRPC: '`connectionParams`',
  Hocuspocus: 'the first token of a provider',
  'y-websocket': 'a token, `auth`, by [the client](client.md#in-libraries)',
}
