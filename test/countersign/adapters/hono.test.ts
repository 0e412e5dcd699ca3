import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer, upgradeWebSocket } from '@hono/node-server'
import { Hono } from 'hono'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { guardHono, leaseOf, socketsOf } from '../../../packages/countersign/src/adapters/hono.ts'
import {
  createGuard,
  firstMessage,
  memory,
  query,
  type Guard,
} from '../../../packages/countersign/src/index.ts'
import { ticket } from '../../../packages/countersign/src/methods/index.ts'
import { call, until } from '../support/sockets.ts'
import { adapterSuite } from './suite.ts'

/** A server of Hono is one of Node's unless it is told otherwise. */
const serverOf = (app: Hono, wss: WebSocketServer): Server =>
  createAdaptorServer({ fetch: app.fetch, websocket: socketsOf(wss) }) as Server

adapterSuite({
  name: 'Hono on Node',
  open({ guard, messages, greet }) {
    const app = new Hono()
    const wss = new WebSocketServer({ noServer: true })
    const chat = upgradeWebSocket((context) => {
      const seen = [context.req.url, context.req.header(), context.req.query()]
      let hear: (text: string) => void
      return {
        onOpen: (_event, socket) => void (hear = greet(leaseOf(context), seen, (text) => socket.send(text))),
        onMessage: (event) => hear(String(event.data)),
      }
    })
    app.get('/chat', chat)
    const server = serverOf(app, wss)
    const door = guardHono(server, wss, guard, messages)
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
  readonly server: Server
  readonly port: number
}

async function openSite(app: Hono): Promise<Site> {
  // Hono's own writes to the console.
  app.onError((_error, context) => context.text('broken', 500))
  const guard = createGuard({
    records: memory(),
    accept: [ticket({ from: [query('ticket'), firstMessage()] })],
    limits: { lingerMs: 200 },
  })
  const wss = new WebSocketServer({ noServer: true })
  const server = serverOf(app, wss)
  const door = guardHono(server, wss, guard)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    door.close()
    server.close()
  })
  return { guard, server, port: (server.address() as AddressInfo).port }
}

const ticketOf = async ({ guard }: Site): Promise<string> =>
  (await guard.issue.ticket({ subject: 'alice', roles: ['member'] })).ticket

describe('Hono behind a guard', () => {
  test('asks middleware about those alone who were accepted, and obeys it before the 101', async () => {
    const asked: string[] = []
    const app = new Hono()
    app.use(async (context, next) => {
      asked.push(leaseOf(context).principal.id)
      if (!leaseOf(context).principal.roles.includes('admin')) return context.text('No', 403)
      return next()
    })
    const greet = upgradeWebSocket(() => ({ onOpen: (_event, socket) => socket.send('hello') }))
    app.get('/chat', greet)
    const site = await openSite(app)
    expect(await call(site, { path: '/chat?ticket=wrong' }).outcome).toMatchObject({ status: 401 })
    expect(asked).toEqual([])
    const path = `/chat?ticket=${await ticketOf(site)}`
    expect(await call(site, { path }).outcome).toMatchObject({ kind: 'http', status: 403 })
    expect(asked).toEqual(['alice'])
    const speaking = call(site, { path: '/chat' })
    await speaking.outcome
    speaking.socket.send(await ticketOf(site))
    expect(await speaking.closed).toEqual({ code: 3003, reason: 'forbidden' })
    expect(speaking.frames).toEqual([])
    await until(() => site.guard.leases().length === 0)
  })

  test('answers 500 where a handler throws, and keeps no lease', async () => {
    const app = new Hono()
    app.get('/chat', () => {
      throw new Error('broken')
    })
    const site = await openSite(app)
    expect(await call(site, { path: `/chat?ticket=${await ticketOf(site)}` }).outcome).toMatchObject({
      status: 500,
    })
    await until(() => site.guard.leases().length === 0)
  })

  test('has no lease for ordinary requests', async () => {
    const app = new Hono()
    app.get('/lease', (context) => context.text(leaseOf(context).id))
    app.get('/plain', (context) => context.text('plain'))
    const { port } = await openSite(app)
    expect(await (await fetch(`http://127.0.0.1:${port}/plain`)).text()).toBe('plain')
    expect((await fetch(`http://127.0.0.1:${port}/lease`)).status).toBe(500)
  })

  test('wants a server that serves sockets', () => {
    const guard = createGuard({ records: memory(), accept: [ticket({ from: query('ticket') })] })
    const wss = new WebSocketServer({ noServer: true })
    expect(() => guardHono(createServer(), wss, guard)).toThrow('websocket')
  })
})
