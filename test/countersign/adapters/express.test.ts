import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type Application } from 'express'
import { describe, expect, onTestFinished, test } from 'vitest'
import { expressDoor, type ExpressDoor } from '../../../packages/countersign/src/adapters/express.ts'
import {
  authorization,
  cookie,
  createGuard,
  firstMessage,
  memory,
  query,
  type Guard,
} from '../../../packages/countersign/src/index.ts'
import { apiKey, session, ticket } from '../../../packages/countersign/src/methods/index.ts'
import { pageOrigin } from '../support/guard.ts'
import { call, expectRefused, until } from '../support/sockets.ts'
import { adapterSuite } from './suite.ts'

adapterSuite({
  name: 'Express',
  open({ guard, messages, greet }) {
    const app = express()
    const door = expressDoor(app, guard, messages)
    app.get(
      '/chat',
      door.sockets((socket, request, lease) => {
        const seen = [request.url, request.originalUrl, request.headers, request.rawHeaders, request.query]
        const hear = greet(lease, seen, (text) => socket.send(text))
        socket.on('message', (data: Buffer) => hear(data.toString()))
      }),
    )
    const server = createServer(app)
    door.attach(server)
    return {
      server,
      close() {
        door.close()
        server.close()
      },
    }
  },
})

interface Site {
  readonly guard: Guard
  readonly url: string
  readonly port: number
  readonly server: ReturnType<typeof createServer>
}

async function openSite(routes: (app: Application, door: ExpressDoor) => void): Promise<Site> {
  const guard = createGuard({
    records: memory(),
    origins: [pageOrigin],
    accept: [
      ticket({ from: [query('ticket'), firstMessage()] }),
      session({ from: cookie('sid') }),
      apiKey({ from: authorization('Bearer') }),
    ],
    limits: { jitter: 0, graceMs: 0, warnMs: 0 },
  })
  const app = express()
  const door = expressDoor(app, guard)
  routes(app, door)
  const server = createServer(app).listen(0, '127.0.0.1')
  door.attach(server)
  await once(server, 'listening')
  onTestFinished(() => {
    guard.close()
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { guard, server, port, url: `http://127.0.0.1:${port}` }
}

const who = (app: Application, door: ExpressDoor): void =>
  void app.get('/me', door.requests, (request, response) => {
    response.json({
      id: request.lease?.principal.id,
      url: request.url,
      whole: request.originalUrl,
      query: request.query,
    })
  })

describe('an ordinary request', () => {
  test('goes on with its lease, which ends with the response', async () => {
    const { guard, url } = await openSite(who)
    const { key } = await guard.issue.apiKey({ subject: 'alice', name: 'n' })
    const response = await fetch(`${url}/me`, { headers: { authorization: `Bearer ${key}` } })
    expect(await response.json()).toMatchObject({ id: 'alice' })
    await until(() => guard.leases().length === 0)
  })

  test('without a credential is answered by a challenge, also where a first message could bring one', async () => {
    const { url } = await openSite(who)
    const response = await fetch(`${url}/me`)
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toContain('Bearer')
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(await response.text()).toBe('Missing token')
  })

  test('spends its ticket, and the handler sees nothing of it, also below a router', async () => {
    const { guard, url } = await openSite((app, door) => {
      const router = express.Router()
      who(router as unknown as Application, door)
      app.use('/api', router)
    })
    const { ticket: secret } = await guard.issue.ticket({ subject: 'alice' })
    const target = `${url}/api/me?a=1&ticket=${secret}&b=2`
    expect(await (await fetch(target)).json()).toEqual({
      id: 'alice',
      url: '/me?a=1&b=2',
      whole: '/api/me?a=1&b=2',
      query: { a: '1', b: '2' },
    })
    expect((await fetch(target)).status).toBe(401)
  })

  test.each<[string, Record<string, string>, number]>([
    ['its own page', { origin: pageOrigin }, 200],
    ['another page', { origin: 'https://evil.example' }, 403],
    ['another site, as the browser says', { 'sec-fetch-site': 'cross-site' }, 403],
    ['another origin of the site, as the browser says', { 'sec-fetch-site': 'same-site' }, 403],
    ['nobody who says so', {}, 403],
  ])('with a cookie from %s: %#', async (_from, headers, status) => {
    const { guard, port } = await openSite(who)
    const { session: sid } = await guard.issue.session({ subject: 'alice' })
    expect(await statusOf(port, { ...headers, cookie: `sid=${sid}` })).toBe(status)
  })

  test('with a cookie that reads at its own origin is let in where that origin is allowed', async () => {
    const guard = createGuard({
      records: memory(),
      origins: ['http://app.example.com'],
      accept: [session({ from: cookie('sid') })],
    })
    const app = express()
    who(app, expressDoor(app, guard))
    const server = createServer(app).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const { session: sid } = await guard.issue.session({ subject: 'alice' })
    const headers = { cookie: `sid=${sid}`, 'sec-fetch-site': 'same-origin' }
    expect(await statusOf(port, { ...headers, host: 'app.example.com' })).toBe(200)
    expect(await statusOf(port, { ...headers, host: 'other.example.com' })).toBe(403)
  })

  test('that is still answered when its lease ends is cut off', async () => {
    const { guard, url } = await openSite((app, door) => {
      app.get('/stream', door.requests, (_request, response) => void response.write('begun'))
    })
    const { key } = await guard.issue.apiKey({ subject: 'alice', name: 'n' })
    const response = await fetch(`${url}/stream`, { headers: { authorization: `Bearer ${key}` } })
    const reading = response.text()
    await guard.revoke({ subject: 'alice' })
    await expect(reading).rejects.toThrow('terminated')
  })
})

describe('a route for sockets', () => {
  test('stands behind the middleware of the application, which sees the lease', async () => {
    const { guard, server, port } = await openSite((app, door) => {
      app.get(
        '/rooms/:room',
        door.requests,
        (request, response, next) => {
          if (request.params['room'] === request.lease?.principal.id) next()
          else response.sendStatus(403)
        },
        door.sockets((socket, request) => socket.send(`room ${String(request.params['room'])}`)),
      )
    })
    const dial = async (room: string) =>
      call(
        { server, port },
        { path: `/rooms/${room}?ticket=${(await guard.issue.ticket({ subject: 'alice' })).ticket}` },
      )
    const own = await dial('alice')
    await until(() => own.frames.length > 0)
    expect(own.frames).toEqual(['room alice'])
    expect(await (await dial('bob')).outcome).toMatchObject({ kind: 'http', status: 403 })
    await until(() => guard.leases().length === 1)
  })

  test('closes a socket that came by a message where a middleware refuses', async () => {
    const { guard, server, port } = await openSite((app, door) => {
      app.get(
        '/chat',
        (_request, response) => void response.sendStatus(403),
        door.sockets((socket) => socket.send('hello')),
      )
    })
    const caller = call({ server, port }, { path: '/chat' })
    await caller.outcome
    caller.socket.send((await guard.issue.ticket({ subject: 'alice' })).ticket)
    await expectRefused(caller, 'forbidden')
    expect(caller.frames).toEqual([])
  })

  test('asks an ordinary request to upgrade', async () => {
    const { url } = await openSite(
      (app, door) =>
        void app.get(
          '/chat',
          door.sockets(() => undefined),
        ),
    )
    const response = await fetch(`${url}/chat`)
    expect(response.status).toBe(426)
    expect(response.headers.get('upgrade')).toBe('websocket')
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('broken')
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken'))],
  ])('closes by 1011 when its handler %s', async (_how, handler) => {
    const { guard, server, port } = await openSite(
      (app, door) => void app.get('/chat', door.sockets(handler)),
    )
    const { ticket: secret } = await guard.issue.ticket({ subject: 'alice' })
    const caller = call({ server, port }, { path: `/chat?ticket=${secret}` })
    expect(await caller.closed).toEqual({ code: 1011, reason: 'internal' })
  })
})

/** `fetch` sets what browsers do not let pages set: this sends headers as they are. */
async function statusOf(port: number, headers: Record<string, string>): Promise<number | undefined> {
  const { request } = await import('node:http')
  const sent = request({ port, host: '127.0.0.1', path: '/me', headers }).end()
  const [response] = await once(sent, 'response')
  response.resume()
  return response.statusCode
}
