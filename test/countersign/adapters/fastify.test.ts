import { Writable } from 'node:stream'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import fastifyCookie from '@fastify/cookie'
import fastifySession from '@fastify/session'
import fastifyWebsocket from '@fastify/websocket'
import fastify, { type FastifyInstance } from 'fastify'
import { describe, expect, onTestFinished, test } from 'vitest'
import { countersign, type RouteRule } from '../../../packages/countersign/src/adapters/fastify.ts'
import {
  cookie,
  createGuard,
  firstMessage,
  memory,
  query,
  type Guard,
  type Lease,
} from '../../../packages/countersign/src/index.ts'
import { applicationSession, ticket } from '../../../packages/countersign/src/methods/index.ts'
import { fastifySessions } from '../../../packages/countersign/src/sessions/fastify-session.ts'
import { pageOrigin } from '../support/guard.ts'
import { call, expectRefused, until, type Caller } from '../support/sockets.ts'
import { adapterSuite } from './suite.ts'

adapterSuite({
  name: 'Fastify',
  async open({ guard, messages, greet }) {
    const app = fastify()
    await app.register(countersign, { guard, ...messages })
    app.get('/chat', { websocket: true }, (socket, request) => {
      const { raw, query: parameters, url, originalUrl, headers } = request
      const seen = [raw.url, raw.headers, raw.rawHeaders, parameters, url, originalUrl, headers]
      const hear = greet(request.lease, seen, (text) => socket.send(text))
      socket.on('message', (data: Buffer) => hear(data.toString()))
    })
    await app.ready()
    return { server: app.server, close: () => app.close() }
  },
})

async function listen(app: FastifyInstance): Promise<number> {
  await app.listen({ port: 0, host: '127.0.0.1' })
  onTestFinished(() => app.close())
  return (app.server.address() as AddressInfo).port
}

const ticketGuard = (): Guard =>
  createGuard({
    records: memory(),
    origins: [pageOrigin],
    accept: [ticket({ from: [query('ticket'), firstMessage()] })],
    limits: { deadlineMs: 500 },
  })

const pathFor = async (guard: Guard, path: string, roles: readonly string[] = []): Promise<string> =>
  `${path}?ticket=${(await guard.issue.ticket({ subject: 'alice', roles })).ticket}`

describe('a route with a rule of its own', () => {
  const openRuled = async (rule: RouteRule): Promise<{ guard: Guard; dial: Dial; opened: Lease[] }> => {
    const guard = ticketGuard()
    const opened: Lease[] = []
    const app = fastify()
    await app.register(countersign, { guard })
    app.get('/rooms/:room', { websocket: true, config: { countersign: rule } }, (socket, request) => {
      opened.push(request.lease)
      socket.send('hello')
    })
    const port = await listen(app)
    return { guard, opened, dial: (options) => call({ server: app.server, port }, options) }
  }
  type Dial = (options: Parameters<typeof call>[1]) => Caller

  test('lets in who has the role, and refuses anyone else before the 101', async () => {
    const { guard, dial, opened } = await openRuled({ roles: ['admin'] })
    const admin = dial({ path: await pathFor(guard, '/rooms/1', ['admin']) })
    expect(await admin.outcome).toMatchObject({ kind: 'open' })
    const member = dial({ path: await pathFor(guard, '/rooms/1', ['member']) })
    expect(await expectRefused(member, 'forbidden')).toMatchObject({ kind: 'http', status: 403 })
    expect(opened).toHaveLength(1)
  })

  test('tells pages by a close code', async () => {
    const { guard, dial, opened } = await openRuled({ roles: ['admin'] })
    const page = dial({ path: await pathFor(guard, '/rooms/1'), page: pageOrigin })
    expect(await expectRefused(page, 'forbidden')).toMatchObject({ kind: 'open' })
    expect(opened).toEqual([])
    expect(guard.leases()).toEqual([])
  })

  test('closes a socket whose credential came in a message', async () => {
    const { guard, dial, opened } = await openRuled({ roles: ['admin'] })
    const caller = dial({ path: '/rooms/1' })
    await caller.outcome
    caller.socket.send((await guard.issue.ticket({ subject: 'alice' })).ticket)
    expect(await caller.closed).toEqual({ code: 3003, reason: 'forbidden' })
    expect(opened).toEqual([])
  })

  test('decides by itself, with the parameters of the route', async () => {
    const authorize: RouteRule['authorize'] = async (lease, { params }) =>
      (params as { room: string }).room === lease.principal.id
    const { guard, dial } = await openRuled({ authorize })
    expect(await dial({ path: await pathFor(guard, '/rooms/alice') }).outcome).toMatchObject({ kind: 'open' })
    await expectRefused(dial({ path: await pathFor(guard, '/rooms/bob') }), 'forbidden')
  })

  test.each<[string, RouteRule['authorize']]>([
    ['throws', () => Promise.reject(new Error('broken'))],
    // Another type than was promised: anything but a yes is a no.
    ['answers anything else', () => 'yes' as unknown as boolean],
  ])('refuses where its decision %s', async (_how, authorize) => {
    const { guard, dial, opened } = await openRuled(authorize === undefined ? {} : { authorize })
    await expectRefused(dial({ path: await pathFor(guard, '/rooms/1') }), 'forbidden')
    expect(opened).toEqual([])
  })

  test('that never decides holds neither socket nor lease for longer than the guard’s deadline', async () => {
    const { guard, dial, opened } = await openRuled({ authorize: () => new Promise(() => undefined) })
    const shown = dial({ path: await pathFor(guard, '/rooms/1') })
    expect(await shown.outcome).toMatchObject({ kind: 'http', status: 500 })
    const said = dial({ path: '/rooms/1' })
    await said.outcome
    said.socket.send((await guard.issue.ticket({ subject: 'alice' })).ticket)
    expect(await said.closed).toEqual({ code: 1011, reason: 'internal' })
    expect(opened).toEqual([])
    expect(guard.leases()).toEqual([])
  })

  test('opens nothing where a revocation overtakes its decision', async () => {
    const { guard, dial, opened } = await openRuled({
      authorize: async () => {
        await guard.revoke({ subject: 'alice' })
        return true
      },
    })
    const caller = dial({ path: await pathFor(guard, '/rooms/1') })
    await caller.outcome
    expect(await caller.closed).toEqual({ code: 3003, reason: 'revoked' })
    expect(opened).toEqual([])
  })
})

describe('the Fastify plugin', () => {
  test('counts nobody among the clients who may be broadcast to before a route has let them in', async () => {
    const guard = ticketGuard()
    const app = fastify()
    await app.register(countersign, { guard })
    let decide: ((allowed: boolean) => void) | undefined
    const authorize = (): Promise<boolean> => new Promise((resolve) => (decide = resolve))
    app.get('/chat', { websocket: true, config: { countersign: { authorize } } }, (socket) =>
      socket.send('hello'),
    )
    const port = await listen(app)
    const caller = call({ server: app.server, port }, { path: '/chat' })
    await caller.outcome
    caller.socket.send((await guard.issue.ticket({ subject: 'alice' })).ticket)
    await until(() => decide !== undefined)
    expect(app.websocketServer.clients.size).toBe(0)
    decide?.(true)
    await until(() => caller.frames.length > 0)
    expect(app.websocketServer.clients.size).toBe(1)
  })

  test('leaves hooks of the application their say: what they refuse is not opened', async () => {
    const guard = ticketGuard()
    const app = fastify()
    await app.register(countersign, { guard })
    app.addHook('preValidation', async (_request, reply) => reply.code(418).send('teapot'))
    app.get('/chat', { websocket: true }, (socket) => socket.send('hello'))
    const port = await listen(app)
    const caller = call({ server: app.server, port }, { path: await pathFor(guard, '/chat') })
    expect(await caller.outcome).toMatchObject({ kind: 'http', status: 418 })
    const speaking = call({ server: app.server, port }, { path: '/chat' })
    await speaking.outcome
    speaking.socket.send((await guard.issue.ticket({ subject: 'alice' })).ticket)
    expect(await speaking.closed).toEqual({ code: 3003, reason: 'forbidden' })
    expect(speaking.frames).toEqual([])
  })

  test('gives the log nothing secret', async () => {
    const guard = ticketGuard()
    let log = ''
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        log += chunk.toString()
        done()
      },
    })
    const app = fastify({ logger: { stream, level: 'trace' } })
    await app.register(countersign, { guard })
    app.get('/chat', { websocket: true }, (socket) => socket.send('hello'))
    const port = await listen(app)
    const path = await pathFor(guard, '/chat')
    await call({ server: app.server, port }, { path }).outcome
    expect(log).toContain('/chat')
    expect(log).not.toContain(path.slice(path.indexOf('=') + 1))
  })

  test('refuses sockets that came past the guard', async () => {
    const guard = ticketGuard()
    const app = fastify()
    await app.register(countersign, { guard })
    let opened = 0
    app.get('/chat', { websocket: true }, () => void opened++)
    await listen(app)
    await expect(app.injectWS(await pathFor(guard, '/chat'))).rejects.toThrow('403')
    expect(opened).toBe(0)
  })

  test('has no lease for ordinary requests, and does not hinder them', async () => {
    const app = fastify()
    await app.register(countersign, { guard: ticketGuard() })
    app.get('/plain', () => 'plain')
    app.get('/lease', (request) => request.lease.id)
    expect((await app.inject('/plain')).body).toBe('plain')
    expect((await app.inject('/lease')).statusCode).toBe(500)
    await app.close()
  })

  test('refuses a rule that would guard nothing, and to be second', async () => {
    const app = fastify()
    await app.register(countersign, { guard: ticketGuard() })
    expect(() => app.get('/plain', { config: { countersign: {} } }, () => 'plain')).toThrow('only on routes')
    const other = fastify()
    await other.register(fastifyWebsocket)
    await expect(other.register(countersign, { guard: ticketGuard() })).rejects.toThrow('registers')
    await Promise.all([app.close(), other.close()])
  })

  test('takes sessions of @fastify/session, which its handlers see as ever', async () => {
    const store = new fastifySession.MemoryStore()
    const secret = 'what @fastify/session signs with in this test'
    const sessions = fastifySessions<{ user?: string | undefined }>({
      store,
      secret,
      subject: ({ user }) => user,
    })
    const guard = createGuard({
      records: memory(),
      origins: [pageOrigin],
      accept: [applicationSession({ from: cookie('sessionId'), check: sessions.check })],
    })
    sessions.couple(guard)
    const app = fastify()
    await app.register(countersign, { guard })
    await app.register(fastifyCookie)
    await app.register(fastifySession, { store, secret, cookie: { secure: false }, saveUninitialized: false })
    app.post('/login', (request, reply) => {
      request.session.user = 'alice'
      return reply.send('')
    })
    app.post('/logout', async (request, reply) => {
      await request.session.destroy()
      return reply.send('')
    })
    app.get('/chat', { websocket: true }, (socket, request) =>
      socket.send(
        `${request.lease.principal.id} ${request.cookies['theme']} ${request.cookies['sessionId']}`,
      ),
    )
    const port = await listen(app)
    const site = `http://127.0.0.1:${port}`
    const login = await fetch(`${site}/login`, { method: 'POST' })
    const value = login.headers.getSetCookie()[0]?.split(';')[0] ?? ''
    const headers = { cookie: `theme=dark; ${value}` }
    const caller = call({ server: app.server, port }, { path: '/chat', page: pageOrigin, headers })
    await once(caller.socket, 'message')
    expect(caller.frames).toEqual(['alice dark undefined'])
    await fetch(`${site}/logout`, { method: 'POST', headers })
    expect(await caller.closed).toEqual({ code: 3003, reason: 'logged_out' })
  })
})
