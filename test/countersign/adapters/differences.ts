/** What the adapters cannot do, and why. The suite passes over what is declared here, and the guide prints it. */

/** Parts of the suite that an adapter may lack. */
export type Capability = (typeof capabilities)[number]

/** In the order of the table in the guide. */
export const capabilities = ['credential in a first message', 'messages of the application’s own'] as const

/** By framework; an empty row lacks nothing. */
export const differences: Readonly<Record<string, Partial<Readonly<Record<Capability, string>>>>> = {
  ws: {},
  Fastify: {},
  Express: {},
  'crossws, h3': {},
  'Hono on Node': {},
  'graphql-ws': {
    'credential in a first message': 'in `connection_init`: nothing else begins that protocol',
    'messages of the application’s own': 'operations, each under a policy',
  },
  tRPC: {
    'credential in a first message': 'in `connectionParams`: nothing else begins that protocol',
    'messages of the application’s own': 'procedures; a policy is asked in their middleware',
  },
  Hocuspocus: {
    'credential in a first message': 'as the first token of a provider: nothing else begins that protocol',
    'messages of the application’s own': 'changes of documents, each document under a policy',
  },
}
