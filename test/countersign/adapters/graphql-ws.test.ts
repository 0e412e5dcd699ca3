import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buildSchema, GraphQLObjectType, GraphQLSchema, GraphQLString, parse } from 'graphql'
import { createClient, type Client } from 'graphql-ws'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import {
  graphqlCloseCodes,
  guardGraphql,
  leaseOf,
  type GuardedGraphql,
  type GuardedGraphqlOptions,
} from '../../../packages/countersign/src/adapters/graphql-ws.ts'
import {
  cookie,
  createGuard,
  firstMessage,
  memory,
  messagePolicy,
  query,
  type Guard,
  type GuardOptions,
  type Lease,
} from '../../../packages/countersign/src/index.ts'
import { session, ticket } from '../../../packages/countersign/src/methods/index.ts'
import { pageOrigin } from '../support/guard.ts'
import { call, until, type Caller } from '../support/sockets.ts'
import { plainSpeech, type Speech } from './speech.ts'
import { adapterSuite } from './suite.ts'

/** Yields every few milliseconds, until it is left. */
async function* ticking(): AsyncGenerator<{ ticks: string }> {
  for (let count = 0; ; count++) {
    yield { ticks: String(count) }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

const said = (text: string): { type: typeof GraphQLString; resolve: () => string } => ({
  type: GraphQLString,
  resolve: () => text,
})

const schema = new GraphQLSchema({
  query: new GraphQLObjectType({
    name: 'Query',
    fields: {
      me: { type: GraphQLString, resolve: (_root, _args, context: { user: string }) => context.user },
      secret: said('the secret'),
    },
  }),
  mutation: new GraphQLObjectType({ name: 'Mutation', fields: { post: said('posted') } }),
  subscription: new GraphQLObjectType({
    name: 'Subscription',
    fields: { ticks: { type: GraphQLString, subscribe: ticking } },
  }),
})

let operations = 0
const subscribe = (text: string, variables?: object): string =>
  JSON.stringify({ type: 'subscribe', id: String(++operations), payload: { query: text, variables } })

const speech: Speech = {
  ...plainSpeech,
  protocols: ['graphql-transport-ws'],
  first: (token) => JSON.stringify({ type: 'connection_init', payload: { token } }),
  acknowledged: true,
  opening: ['{"type":"connection_init"}'],
  ask: [subscribe('{ greeting }')],
  say: (text) => subscribe('mutation ($text: String) { hear(text: $text) }', { text }),
  terse: false,
}

adapterSuite({
  name: 'graphql-ws',
  speech,
  open({ guard, greet }) {
    interface Member {
      readonly greeting: string
      readonly hear: (text: string) => void
    }
    const members = new WeakMap<Lease, Member>()
    const server = createServer()
    const wss = new WebSocketServer({ noServer: true })
    const graphql = guardGraphql(server, wss, guard, {
      schema: buildSchema('type Query { greeting: String } type Mutation { hear(text: String): String }'),
      roots: {
        query: { greeting: (_: unknown, member: Member) => member.greeting },
        mutation: { hear: ({ text }: { text: string }, member: Member) => member.hear(text) },
      },
      onConnect(context) {
        const { url, headers, rawHeaders } = context.extra.request
        let greeting = ''
        const seen = [url, headers, rawHeaders, context.connectionParams]
        const hear = greet(leaseOf(context), seen, (text) => void (greeting = text))
        members.set(leaseOf(context), { greeting, hear })
      },
      context: (context) => members.get(leaseOf(context)),
    })
    return {
      server,
      async close() {
        await graphql.dispose()
        server.close()
      },
    }
  },
})

interface Site {
  readonly guard: Guard
  readonly graphql: GuardedGraphql
  readonly url: string
  readonly leases: Lease[]
  readonly params: unknown[]
  readonly server: ReturnType<typeof createServer>
  readonly port: number
}

async function openSite(
  options: Partial<GuardedGraphqlOptions> = {},
  guarding: Partial<GuardOptions> = {},
): Promise<Site> {
  const guard = createGuard({
    records: memory(),
    accept: [ticket({ from: [query('ticket'), firstMessage()] })],
    closeCodes: graphqlCloseCodes,
    ...guarding,
    limits: { jitter: 0, graceMs: 0, warnMs: 0, lingerMs: 300, ...guarding.limits },
  })
  const server = createServer()
  const wss = new WebSocketServer({ noServer: true })
  const leases: Lease[] = []
  const params: unknown[] = []
  const graphql = guardGraphql(server, wss, guard, {
    schema,
    onConnect(context) {
      leases.push(leaseOf(context))
      params.push(context.connectionParams)
    },
    context: (context) => ({ user: leaseOf(context).principal.id }),
    ...options,
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    guard.close()
    await graphql.dispose()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { guard, graphql, server, port, leases, params, url: `ws://127.0.0.1:${port}/` }
}

const ticketOf = async (site: Pick<Site, 'guard'>, leaseMs = 900_000, roles = ['member']): Promise<string> =>
  (await site.guard.issue.ticket({ subject: 'alice', roles, leaseMs })).ticket

/** A client of graphql-ws as pages have it. */
function clientOf(site: Site, options: Partial<Parameters<typeof createClient>[0]> = {}): Client {
  const client = createClient({
    url: site.url,
    webSocketImpl: WebSocket,
    connectionParams: async () => ({ token: await ticketOf(site), theme: 'dark' }),
    retryWait: async () => undefined,
    ...options,
  })
  onTestFinished(() => void client.dispose())
  return client
}

/** The first answer. */
async function ask(client: Client, text: string, more: object = {}): Promise<unknown> {
  for await (const result of client.iterate({ query: text, ...more })) return result
  return undefined
}

/** Speaks the protocol by hand. */
const speak = (site: Site, options: Parameters<typeof call>[1] = {}): Caller =>
  call(site, { protocols: ['graphql-transport-ws'], ...options })

const init = (payload?: object): string => JSON.stringify({ type: 'connection_init', payload })

describe('connection_init', () => {
  test('brings the credential, of which graphql-ws sees nothing', async () => {
    const site = await openSite()
    expect(await ask(clientOf(site), '{ me }')).toEqual({ data: { me: 'alice' } })
    expect(site.params).toEqual([{ theme: 'dark' }])
  })

  test.each(['token', 'access_token', 'ticket', 'authToken', 'Authorization', 'authorization'])(
    'may bring it as %s',
    async (member) => {
      const site = await openSite()
      const text = await ticketOf(site)
      const value = member.toLowerCase() === 'authorization' ? `Bearer ${text}` : text
      expect(await ask(clientOf(site, { connectionParams: { [member]: value } }), '{ me }')).toMatchObject({
        data: { me: 'alice' },
      })
      expect(JSON.stringify(site.params)).not.toContain(text)
    },
  )

  test('with a wrong one is tried again by the client, with parameters asked for anew', async () => {
    const site = await openSite()
    let tries = 0
    const connectionParams = async (): Promise<Record<string, unknown>> => ({
      token: ++tries === 1 ? 'cst_wrong' : await ticketOf(site),
    })
    expect(await ask(clientOf(site, { connectionParams }), '{ me }')).toEqual({ data: { me: 'alice' } })
    expect(tries).toBe(2)
  })

  test.each<[string, (string | Buffer)[], number, string]>([
    ['without a token', [init()], 4401, 'missing_credential'],
    [
      'after a subscription',
      ['{"type":"subscribe","id":"1","payload":{"query":"{ me }"}}'],
      4401,
      'missing_credential',
    ],
    ['in bytes', [Buffer.from(init({ token: 'a' }))], 4400, 'protocol_violation'],
    ['that is none', ['a-bare-token'], 4400, 'protocol_violation'],
    ['with a wrong token', [init({ token: 'a' })], 4403, 'invalid_credential'],
  ])('%s is refused with the code that says what to do', async (_how, messages, code, reason) => {
    const site = await openSite()
    const caller = speak(site)
    await caller.outcome
    for (const message of messages) caller.socket.send(message)
    expect(await caller.closed).toEqual({ code, reason })
    expect(site.leases).toEqual([])
  })

  test('that never comes is not waited for, before acceptance and after', async () => {
    const site = await openSite({ connectionInitWaitTimeout: 80 }, { limits: { deadlineMs: 80 } })
    const silent = speak(site)
    expect(await silent.closed).toEqual({ code: 4408, reason: 'authentication_timeout' })
    const accepted = speak(site, { path: `/?ticket=${await ticketOf(site)}` })
    expect(await accepted.closed).toMatchObject({ code: 4408 })
    await until(() => site.guard.leases().length === 0)
  })

  test.each(['at once', 'when it is acknowledged'])('twice is refused (%s)', async (when) => {
    const site = await openSite()
    const caller = speak(site)
    await caller.outcome
    caller.socket.send(init({ token: await ticketOf(site) }))
    if (when !== 'at once') await until(() => caller.frames.length > 0)
    caller.socket.send(init({ token: await ticketOf(site) }))
    expect(await caller.closed).toMatchObject({ code: 4429 })
  })

  test.each<[string, (text: string, other: string) => object]>([
    ['in two members', (text, other) => ({ token: text, authToken: other })],
    ['in a member and a header', (text, other) => ({ token: text, Authorization: `Bearer ${other}` })],
    [
      'in a member and a header of another scheme',
      (text) => ({ token: text, Authorization: `Basic ${text}` }),
    ],
  ])('with credentials that disagree %s is refused, and others are not disturbed', async (_how, payload) => {
    const site = await openSite()
    const subscription = clientOf(site).iterate({ query: 'subscription { ticks }' })
    await subscription.next()
    const [text, other] = [await ticketOf(site), await ticketOf(site)]
    const caller = speak(site)
    await caller.outcome
    caller.socket.send(init(payload(text, other)))
    expect(await caller.closed).toEqual({ code: 4403, reason: 'invalid_credential' })
    expect(site.leases).toHaveLength(1)
    expect((await subscription.next()).done).toBe(false)
    await subscription.return?.()
    // Neither was spent.
    const again = await Promise.all(
      [text, other].map((token) => ask(clientOf(site, { connectionParams: { token } }), '{ me }')),
    )
    expect(again).toEqual([{ data: { me: 'alice' } }, { data: { me: 'alice' } }])
  })

  test('with another credential than the handshake had is refused, and others are not disturbed', async () => {
    const site = await openSite()
    const subscription = clientOf(site).iterate({ query: 'subscription { ticks }' })
    await subscription.next()
    const other = await ticketOf(site)
    const caller = speak(site, { path: `/?ticket=${await ticketOf(site)}` })
    await caller.outcome
    caller.socket.send(init({ token: other }))
    expect(await caller.closed).toEqual({ code: 4400, reason: 'protocol_violation' })
    expect(site.leases).toHaveLength(1)
    expect((await subscription.next()).done).toBe(false)
    await subscription.return?.()
    expect(await ask(clientOf(site, { connectionParams: { token: other } }), '{ me }')).toEqual({
      data: { me: 'alice' },
    })
  })

  test('with the one that the handshake had is taken, and graphql-ws sees nothing of it', async () => {
    const site = await openSite()
    const text = await ticketOf(site)
    const url = `${site.url}?ticket=${text}`
    const client = clientOf(site, { url, connectionParams: { ticket: text, theme: 'dark' } })
    expect(await ask(client, '{ me }')).toEqual({ data: { me: 'alice' } })
    expect(site.params).toEqual([{ theme: 'dark' }])
  })

  test('beside a cookie, which has decided, is taken without its token', async () => {
    const accept = [session({ from: cookie('sid') }), ticket({ from: firstMessage() })]
    const site = await openSite({}, { accept, origins: [pageOrigin] })
    const { session: sid } = await site.guard.issue.session({ subject: 'alice' })
    const { ticket: bobs } = await site.guard.issue.ticket({ subject: 'bob' })
    const caller = speak(site, { page: pageOrigin, headers: { cookie: `sid=${sid}` } })
    await caller.outcome
    caller.socket.send(init({ token: bobs, theme: 'dark' }))
    await until(() => caller.frames.length > 0)
    expect(site.leases.map(({ principal }) => principal.id)).toEqual(['alice'])
    expect(site.params).toEqual([{ theme: 'dark' }])
  })

  test('is the application’s own where the guard listens to no message', async () => {
    const site = await openSite({}, { accept: [ticket({ from: query('ticket') })] })
    const url = `${site.url}?ticket=${await ticketOf(site)}`
    const client = clientOf(site, { url, connectionParams: { token: 'of another system' } })
    expect(await ask(client, '{ me }')).toEqual({ data: { me: 'alice' } })
    expect(site.params).toEqual([{ token: 'of another system' }])
  })

  test('opens what a credential of the handshake has let in', async () => {
    const site = await openSite()
    const url = `${site.url}?ticket=${await ticketOf(site)}`
    expect(await ask(clientOf(site, { url, connectionParams: {} }), '{ me }')).toEqual({
      data: { me: 'alice' },
    })
  })
})

describe('the end of a lease', () => {
  test('by expiry makes the client come again with a fresh credential, and subscriptions go on', async () => {
    const site = await openSite()
    const connectionParams = async (): Promise<Record<string, unknown>> => ({
      token: await ticketOf(site, 200),
    })
    const client = clientOf(site, { connectionParams })
    let results = 0
    for await (const _result of client.iterate({ query: 'subscription { ticks }' })) {
      results++
      if (site.leases.length === 3) break
    }
    expect(results).toBeGreaterThan(20)
    expect(site.leases.slice(0, 2).map(({ reason }) => reason)).toEqual(['lease_expired', 'lease_expired'])
  })

  test('by revocation is final to the client, and nothing is delivered after it', async () => {
    const site = await openSite()
    const subscription = clientOf(site).iterate({ query: 'subscription { ticks }' })
    await subscription.next()
    await site.guard.revoke({ subject: 'alice' })
    const rest = async (): Promise<void> => {
      for await (const _result of subscription) continue
    }
    await expect(rest()).rejects.toMatchObject({ code: 4401, reason: 'revoked' })
    expect(site.leases).toHaveLength(1)
  })

  test('while a result goes out is no failure of graphql-ws, which has nothing to say about it', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const site: Site = await openSite({
      // So many that the last is told in a later turn, and its socket looks open meanwhile.
      onNext() {
        for (const lease of site.leases) lease.apply({ kind: 'ended', reason: 'revoked' }, site.guard.now())
      },
    })
    const callers: Caller[] = []
    for (let count = 0; count < 40; count++) {
      const caller = speak(site, { path: `/?ticket=${await ticketOf(site)}` })
      await caller.outcome
      caller.socket.send(init())
      await until(() => caller.frames.length > 0)
      callers.push(caller)
    }
    callers.at(-1)?.socket.send(subscribe('subscription { ticks }'))
    for (const caller of callers) expect(await caller.closed).toEqual({ code: 4401, reason: 'revoked' })
    expect(log).not.toHaveBeenCalled()
    log.mockRestore()
  })

  test('comes with the server, by 1001', async () => {
    const site = await openSite()
    const caller = speak(site)
    await caller.outcome
    caller.socket.send(init({ token: await ticketOf(site) }))
    await until(() => caller.frames.length > 0)
    const waiting = speak(site)
    await waiting.outcome
    await site.graphql.dispose()
    expect(await caller.closed).toEqual({ code: 1001, reason: 'shutting_down' })
    expect(await waiting.closed).toEqual({ code: 1001, reason: 'shutting_down' })
  })
})

describe('operations under a policy', () => {
  const policy = messagePolicy({
    actions: {
      'query.me': { roles: 'anyone' },
      'subscription.*': { roles: ['member'] },
      'mutation.post': { roles: ['editor'] },
      'query.secret': { roles: ['admin'] },
    },
  })
  /** An error message of the protocol is thrown by the client's iteration as a list. */
  const refusal = expect.arrayContaining([expect.objectContaining({ message: 'Forbidden' })])

  test('are executed where every root field is allowed', async () => {
    const client = clientOf(await openSite({ operations: { policy } }))
    expect(await ask(client, '{ me __typename }')).toEqual({ data: { me: 'alice', __typename: 'Query' } })
    expect(await ask(client, 'subscription { ticks }')).toEqual({ data: { ticks: '0' } })
  })

  test.each([
    ['a field of another role', '{ secret }'],
    ['one under an alias', '{ me: secret }'],
    ['one among others', '{ me secret }'],
    [
      'one in a fragment',
      'query { ...all } fragment all on Query { me ...more } fragment more on Query { secret }',
    ],
    ['one in an inline fragment', '{ ... on Query { ... { secret } } }'],
    ['one that is skipped', '{ me secret @skip(if: true) }'],
    ['one that there is not', '{ nothing }'],
    [
      'one in fragments that go round',
      '{ ...a } fragment a on Query { ...b secret } fragment b on Query { ...a }',
    ],
    ['the schema', '{ __schema { types { name } } }'],
    ['a mutation', 'mutation { post }'],
  ])('are refused for %s, in the same words', async (_what, text) => {
    const client = clientOf(await openSite({ operations: { policy } }))
    await expect(ask(client, text)).rejects.toEqual(refusal)
    expect(await ask(client, '{ me }')).toEqual({ data: { me: 'alice' } })
  })

  test('are judged by the operation that is executed, not by another of the document', async () => {
    const client = clientOf(await openSite({ operations: { policy } }))
    const text = 'query A { me } query B { secret }'
    expect(await ask(client, text, { operationName: 'A' })).toEqual({ data: { me: 'alice' } })
    await expect(ask(client, text, { operationName: 'B' })).rejects.toEqual(refusal)
  })

  test('are judged by the document that the application puts in their place', async () => {
    const site = await openSite({
      operations: { policy },
      onSubscribe: () => ({ schema, document: parse('{ secret }') }),
    })
    await expect(ask(clientOf(site), '{ me }')).rejects.toEqual(refusal)
  })

  test('are decided upon with the resource that they name', async () => {
    const rooms = messagePolicy({
      actions: { 'query.me': { roles: { member: ['room-1'] }, resource: 'room' } },
    })
    const resource = ({ payload }: { payload: { variables?: unknown } }): string | undefined =>
      (payload.variables as { room?: string } | undefined)?.room
    const client = clientOf(await openSite({ operations: { policy: rooms, resource } }))
    expect(await ask(client, '{ me }', { variables: { room: 'room-1' } })).toEqual({ data: { me: 'alice' } })
    await expect(ask(client, '{ me }', { variables: { room: 'room-2' } })).rejects.toEqual(refusal)
    await expect(ask(client, '{ me }')).rejects.toEqual(refusal)
  })

  test('that go on end when the role does, and deliver nothing more', async () => {
    const site = await openSite({ operations: { policy } })
    const subscription = clientOf(site).iterate({ query: 'subscription { ticks }' })
    await subscription.next()
    const lease = site.leases[0]
    if (lease === undefined) throw new Error('nobody came in')
    lease.renew(
      {
        kind: 'accept',
        lease: undefined,
        principal: { ...lease.principal, roles: [] },
        grant: lease.grant,
        untilMs: lease.untilMs,
        neverAfterMs: lease.neverAfterMs,
      },
      site.guard.now(),
    )
    const rest = async (): Promise<void> => {
      for await (const _result of subscription) continue
    }
    await expect(rest()).rejects.toEqual(refusal)
    expect(lease.ended).toBe(false)
  })

  test('are refused where roles change while it is decided', async () => {
    const slow = messagePolicy({
      actions: { 'query.me': { roles: ['member'] } },
      authorize: async () => {
        const lease = site.leases[0]
        if (lease !== undefined) lease.principal = { ...lease.principal, roles: [] }
        return true
      },
    })
    const site: Site = await openSite({ operations: { policy: slow } })
    await expect(ask(clientOf(site), '{ me }')).rejects.toEqual(refusal)
  })
})
