import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { defineWebSocketHandler, H3, toNodeHandler } from 'h3'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  crosswsDoor,
  leaseOf,
  type CrosswsOptions,
} from '../../../packages/countersign/src/adapters/crossws.ts'
import {
  createGuard,
  firstMessage,
  memory,
  query,
  subprotocol,
  type Guard,
} from '../../../packages/countersign/src/index.ts'
import { ticket } from '../../../packages/countersign/src/methods/index.ts'
import { call, until } from '../support/sockets.ts'
import { adapterSuite } from './suite.ts'

adapterSuite({
  name: 'crossws, h3',
  open({ guard, messages, greet }) {
    const hear = new Map<string, (text: string) => void>()
    const door = crosswsDoor(guard, {
      ...messages,
      hooks: {
        upgrade(request) {
          if (new URL(request.url).pathname !== '/chat') throw new Response('Not found', { status: 404 })
        },
        open(peer) {
          const { url, headers } = peer.request
          const seen = [url, [...headers], new URL(url).searchParams]
          hear.set(
            peer.id,
            greet(leaseOf(peer), seen, (text) => void peer.send(text)),
          )
        },
        message: (peer, message) => hear.get(peer.id)?.(message.text()),
      },
    })
    const server = createServer()
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
  readonly server: ReturnType<typeof createServer>
  readonly port: number
}

async function openSite(options: CrosswsOptions, server: Site['server'] = createServer()): Promise<Site> {
  const guard = createGuard({
    records: memory(),
    accept: [ticket({ from: [query('ticket'), subprotocol(), firstMessage()] })],
  })
  const door = crosswsDoor(guard, options)
  door.attach(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    door.close()
    server.close()
  })
  return { guard, server, port: (server.address() as AddressInfo).port }
}

const ticketOf = async ({ guard }: Pick<Site, 'guard'>): Promise<string> =>
  (await guard.issue.ticket({ subject: 'alice' })).ticket

describe('crossws behind a guard', () => {
  test('asks its upgrade hook about those alone who were accepted, with their lease', async () => {
    const asked: string[] = []
    const site = await openSite({
      hooks: { upgrade: (request) => void asked.push(leaseOf(request).principal.id) },
    })
    expect(await call(site, { path: '/?ticket=wrong' }).outcome).toMatchObject({ status: 401 })
    expect(await call(site, { path: `/?ticket=${await ticketOf(site)}` }).outcome).toMatchObject({
      kind: 'open',
    })
    expect(asked).toEqual(['alice'])
  })

  test('refuses what that hook refuses, by its response before the 101', async () => {
    const site = await openSite({ hooks: { upgrade: () => new Response('No', { status: 409 }) } })
    expect(await call(site, { path: `/?ticket=${await ticketOf(site)}` }).outcome).toMatchObject({
      status: 409,
    })
    const speaking = call(site)
    await speaking.outcome
    speaking.socket.send(await ticketOf(site))
    expect(await speaking.closed).toEqual({ code: 3003, reason: 'forbidden' })
    await until(() => site.guard.leases().length === 0)
  })

  test('selects one protocol, that of the hook before the marker', async () => {
    const site = await openSite({ hooks: { upgrade: () => ({ protocol: 'chat.v2' }) } })
    const protocols = ['countersign.v1', `countersign.bearer.${await ticketOf(site)}`, 'chat.v2']
    expect(await call(site, { protocols }).outcome).toEqual({ kind: 'open', protocol: 'chat.v2' })
  })

  test('keeps the context that the hook adds beside the lease', async () => {
    const seen: unknown[] = []
    const site = await openSite({
      hooks: {
        upgrade: () => ({ context: { room: 1 } }),
        open: (peer) => void seen.push(peer.context['room'], leaseOf(peer).principal.id),
      },
    })
    await call(site, { path: `/?ticket=${await ticketOf(site)}` }).outcome
    await until(() => seen.length === 2)
    expect(seen).toEqual([1, 'alice'])
  })

  test('opens nothing for an upgrade that is given to it directly', async () => {
    const guard = createGuard({ records: memory(), accept: [ticket({ from: query('ticket') })] })
    let opened = 0
    const door = crosswsDoor(guard, { hooks: { open: () => void opened++ } })
    const server = createServer()
      .on('upgrade', (request, socket, head) => void door.adapter.handleUpgrade(request, socket, head))
      .listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    expect(await call({ server, port }).outcome).toMatchObject({ kind: 'http', status: 403 })
    expect(opened).toBe(0)
  })

  test('serves the routes of an h3 application', async () => {
    const app = new H3()
    const chat = defineWebSocketHandler({
      open: (peer) => void peer.send(`hello ${leaseOf(peer).principal.id}`),
      message: (peer, message) => void peer.send(`heard ${message.text()}`),
    })
    app.get('/chat', chat)
    const resolve: CrosswsOptions['resolve'] = async (request) => {
      const response = await app.fetch(request)
      return (response as { crossws?: object }).crossws ?? {}
    }
    const site = await openSite({ resolve }, createServer(toNodeHandler(app)))
    const caller = call(site, { path: `/chat?ticket=${await ticketOf(site)}` })
    await until(() => caller.frames.length === 1)
    caller.socket.send('one')
    await until(() => caller.frames.length === 2)
    expect(caller.frames).toEqual(['hello alice', 'heard one'])
    await site.guard.revoke({ subject: 'alice' })
    expect(await caller.closed).toEqual({ code: 3003, reason: 'revoked' })
  })
})
