import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createTRPCClient, createWSClient, wsLink, type TRPCWebSocketClient } from '@trpc/client'
import { initTRPC, TRPCError } from '@trpc/server'
import { applyWSSHandler } from '@trpc/server/adapters/ws'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { guardTrpc, leaseOf, type ProtocolDoor } from '../../../packages/countersign/src/adapters/trpc.ts'
import {
  createGuard,
  firstMessage,
  memory,
  messagePolicy,
  query,
  type Guard,
  type Lease,
} from '../../../packages/countersign/src/index.ts'
import { ticket } from '../../../packages/countersign/src/methods/index.ts'
import { call, until } from '../support/sockets.ts'
import { plainSpeech, type Speech } from './speech.ts'
import { adapterSuite } from './suite.ts'

let calls = 0
const invoke = (method: string, path: string, input?: string): string =>
  JSON.stringify({ id: ++calls, method, params: { path, input } })

const speech: Speech = {
  ...plainSpeech,
  path: '/chat?room=1&connectionParams=1',
  first: (token) => JSON.stringify({ method: 'connectionParams', data: { token } }),
  ask: [invoke('query', 'greeting')],
  say: (text) => invoke('mutation', 'hear', text),
  terse: false,
}

adapterSuite({
  name: 'tRPC',
  speech,
  open({ guard, greet }) {
    interface Member {
      readonly greeting: string
      readonly hear: (text: string) => void
    }
    const trpc = initTRPC.context<Member>().create()
    const server = createServer()
    const wss = new WebSocketServer({ noServer: true })
    const door = guardTrpc(server, wss, guard)
    applyWSSHandler({
      wss,
      router: trpc.router({
        greeting: trpc.procedure.query(({ ctx }) => ctx.greeting),
        hear: trpc.procedure.input((text) => String(text)).mutation(({ ctx, input }) => ctx.hear(input)),
      }),
      createContext(options) {
        const { url, headers, rawHeaders } = options.req
        let greeting = ''
        const seen = [url, headers, rawHeaders, options.info]
        const hear = greet(leaseOf(options), seen, (text) => void (greeting = text))
        return { greeting, hear }
      },
    })
    return {
      server,
      close() {
        door.close()
        server.close()
      },
    }
  },
})

interface Context {
  readonly lease: Lease
  readonly params: unknown
}

const policy = messagePolicy({
  actions: { me: { roles: 'anyone' }, ticks: { roles: 'anyone' }, post: { roles: ['editor'] } },
})

const t = initTRPC.context<Context>().create()
const allowed = t.procedure.use(async ({ ctx, path, next }) => {
  const ruling = await policy.decide(ctx.lease.principal, path)
  if (ruling !== 'allow') throw new TRPCError({ code: 'FORBIDDEN' })
  return next()
})
const router = t.router({
  me: allowed.query(({ ctx }) => ctx.lease.principal.id),
  post: allowed.mutation(() => 'posted'),
  ticks: allowed.subscription(async function* () {
    for (let count = 0; ; count++) {
      yield count
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }),
})

interface Site {
  readonly guard: Guard
  readonly door: ProtocolDoor
  readonly server: ReturnType<typeof createServer>
  readonly port: number
  readonly contexts: Context[]
}

async function openSite(): Promise<Site> {
  const guard = createGuard({
    records: memory(),
    accept: [ticket({ from: [query('ticket'), firstMessage()] })],
    limits: { jitter: 0, graceMs: 0, warnMs: 0, lingerMs: 300, deadlineMs: 300 },
  })
  const server = createServer()
  const wss = new WebSocketServer({ noServer: true })
  const door = guardTrpc(server, wss, guard)
  const contexts: Context[] = []
  applyWSSHandler({
    wss,
    router,
    createContext(options) {
      const context = { lease: leaseOf(options), params: options.info.connectionParams }
      contexts.push(context)
      return context
    },
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    door.close()
    guard.close()
    server.close()
  })
  return { guard, door, server, port: (server.address() as AddressInfo).port, contexts }
}

const ticketOf = async ({ guard }: Site, leaseMs = 900_000): Promise<string> =>
  (await guard.issue.ticket({ subject: 'alice', leaseMs })).ticket

/** A client as pages have it. */
function clientOf(site: Site, leaseMs?: number) {
  const socket: TRPCWebSocketClient = createWSClient({
    url: `ws://127.0.0.1:${site.port}/`,
    // What Node has by this name sends an Origin of its own.
    WebSocket: WebSocket as unknown as typeof globalThis.WebSocket,
    connectionParams: async () => ({ token: await ticketOf(site, leaseMs), theme: 'dark' }),
    retryDelayMs: () => 0,
  })
  onTestFinished(() => void socket.close())
  return createTRPCClient<typeof router>({ links: [wsLink({ client: socket })] })
}

const params = (data: object | null): string => JSON.stringify({ method: 'connectionParams', data })

describe('tRPC behind a guard', () => {
  test('takes the credential of connectionParams, of which createContext sees nothing', async () => {
    const site = await openSite()
    expect(await clientOf(site).me.query()).toBe('alice')
    expect(site.contexts.map((context) => context.params)).toEqual([{ theme: 'dark' }])
  })

  test('takes one of the handshake', async () => {
    const site = await openSite()
    const caller = call(site, { path: `/?ticket=${await ticketOf(site)}` })
    await caller.outcome
    caller.socket.send('{"id":1,"method":"query","params":{"path":"me"}}')
    await until(() => caller.frames.length > 0)
    expect(caller.frames[0]).toContain('alice')
  })

  test('refuses another one in connectionParams than the handshake had, before a context is made', async () => {
    const site = await openSite()
    const other = await ticketOf(site)
    const caller = call(site, { path: `/?connectionParams=1&ticket=${await ticketOf(site)}` })
    await caller.outcome
    caller.socket.send(params({ token: other }))
    expect(await caller.closed).toEqual({ code: 1002, reason: 'protocol_violation' })
    expect(site.contexts).toEqual([])
    // Which was not spent.
    const again = call(site, { path: `/?ticket=${other}` })
    expect(await again.outcome).toMatchObject({ kind: 'open' })
  })

  test.each<[string, string | Buffer, number, string]>([
    ['a wrong token', params({ token: 'wrong' }), 3000, 'invalid_credential'],
    ['no token', params({}), 3000, 'missing_credential'],
    ['no parameters', params(null), 3000, 'missing_credential'],
    ['a call', '{"id":1,"method":"query","params":{"path":"me"}}', 3000, 'missing_credential'],
    ['what is no JSON', 'a-bare-token', 1002, 'protocol_violation'],
    ['bytes', Buffer.from(params({ token: 'wrong' })), 1002, 'protocol_violation'],
  ])('refuses %s, before a context is made', async (_what, message, code, reason) => {
    const site = await openSite()
    const caller = call(site, { path: '/?connectionParams=1' })
    await caller.outcome
    caller.socket.send(message)
    expect(await caller.closed).toEqual({ code, reason })
    expect(site.contexts).toEqual([])
  })

  test('does not wait for a client that says nothing', async () => {
    const site = await openSite()
    const caller = call(site, { path: '/?connectionParams=1' })
    expect(await caller.closed).toEqual({ code: 3008, reason: 'authentication_timeout' })
    expect(site.contexts).toEqual([])
  })

  test('has a lease whose principal a policy decides about', async () => {
    const client = clientOf(await openSite())
    await expect(client.post.mutate()).rejects.toThrow('FORBIDDEN')
    expect(await client.me.query()).toBe('alice')
  })

  test('closes at the end of the lease, and the client comes again with a fresh credential', async () => {
    const site = await openSite()
    let heard = 0
    const subscription = clientOf(site, 150).ticks.subscribe(undefined, { onData: () => void heard++ })
    await until(() => site.contexts.length === 3)
    subscription.unsubscribe()
    expect(heard).toBeGreaterThan(10)
    expect(site.contexts.slice(0, 2).map(({ lease }) => lease.reason)).toEqual([
      'lease_expired',
      'lease_expired',
    ])
  })

  test('delivers nothing of a subscription after a revocation', async () => {
    const site = await openSite()
    const caller = call(site, { path: `/?ticket=${await ticketOf(site)}` })
    await caller.outcome
    caller.socket.send('{"id":1,"method":"subscription","params":{"path":"ticks"}}')
    await until(() => caller.frames.length > 3)
    await site.guard.revoke({ subject: 'alice' })
    expect(await caller.closed).toEqual({ code: 3003, reason: 'revoked' })
  })

  test('tells everyone by 1001 when the door closes', async () => {
    const site = await openSite()
    const caller = call(site, { path: `/?ticket=${await ticketOf(site)}` })
    const waiting = call(site)
    await Promise.all([caller.outcome, waiting.outcome])
    await until(() => site.contexts.length === 1 && site.guard.pool.size === 1)
    site.door.close()
    expect(await caller.closed).toEqual({ code: 1001, reason: 'shutting_down' })
    expect(await waiting.closed).toEqual({ code: 1001, reason: 'shutting_down' })
  })
})
