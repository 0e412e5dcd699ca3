import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { buildSchema } from 'graphql/index.js'
import { createClient } from 'graphql-ws'
import { useServer } from 'graphql-ws/use/ws'
import { WebSocket as PartySocket } from 'partysocket'
import { Server } from 'socket.io'
import { io } from 'socket.io-client'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import {
  cookie as cookieCarrier,
  createGuard,
  firstMessage as messageCarrier,
  memory,
  query as queryCarrier,
  type Handshake,
  type Reason,
} from '../../../packages/countersign/src/index.ts'
import { session, ticket } from '../../../packages/countersign/src/methods/index.ts'
import { cookie, firstMessage, query, socketClass } from '../../../packages/countersign/src/client/index.ts'
import { socketIoAuth } from '../../../packages/countersign/src/client/socket-io.ts'
import { openGuarded, until, type Door, type DoorOptions } from '../support/sockets.ts'
import { browserWith, pageSocket, ticketsOf } from './client.ts'

const openDoor = (options: Partial<DoorOptions> = {}): Promise<Door> =>
  openGuarded({ accept: [ticket({ from: [queryCarrier('ticket'), messageCarrier()] })], ...options })

const refusedOnce = { minMs: 1, advisedMs: 1 }

describe('graphql-ws', () => {
  const serveGraphql = async (): Promise<Door> => {
    const door = await openDoor({ wss: { noServer: true, handleProtocols: () => 'graphql-transport-ws' } })
    const schema = buildSchema('type Query { hello: String }')
    const stop = useServer({ schema, roots: { query: { hello: () => 'world' } } }, door.wss)
    onTestFinished(async () => stop.dispose())
    return door
  }

  test('asks its questions on a socket that authenticates itself', async () => {
    const door = await serveGraphql()
    const tickets = ticketsOf(door)
    const client = createClient({
      url: `ws://127.0.0.1:${door.port}/`,
      webSocketImpl: socketClass({ carrier: query(tickets) }),
    })
    onTestFinished(() => client.dispose())
    const answers = client.iterate({ query: '{ hello }' })
    expect(await answers.next()).toEqual({ done: false, value: { data: { hello: 'world' } } })
    expect(tickets.count).toBe(1)
  })

  test('comes again with a fresh ticket after a loss', async () => {
    const door = await serveGraphql()
    const tickets = ticketsOf(door)
    let connected = 0
    const client = createClient({
      url: `ws://127.0.0.1:${door.port}/`,
      webSocketImpl: socketClass({ carrier: query(tickets), pauses: refusedOnce }),
      lazy: false,
      retryWait: async () => undefined,
      onNonLazyError: () => undefined,
      on: { connected: () => void connected++ },
    })
    onTestFinished(() => client.dispose())
    await until(() => connected === 1)
    door.guests[0]?.socket.terminate()
    await until(() => connected === 2)
    expect(tickets.count).toBe(2)
  })

  test('may try as often as it likes: a refused credential reaches the server once', async () => {
    const door = await serveGraphql()
    let attempts = 0
    const client = createClient({
      url: `ws://127.0.0.1:${door.port}/`,
      webSocketImpl: socketClass({
        carrier: query(() => 'cst_wrong'),
        WebSocket: pageSocket,
        pauses: refusedOnce,
      }),
      retryAttempts: 30,
      retryWait: async () => void attempts++,
      shouldRetry: () => true,
    })
    onTestFinished(() => client.dispose())
    await expect(client.iterate({ query: '{ hello }' }).next()).rejects.toMatchObject({ code: 3000 })
    expect(attempts).toBe(30)
    expect(door.refusals()).toHaveLength(1)
  })
})

describe('y-websocket', () => {
  /** The messages of Yjs are the application's: whoever comes gets what the others send. */
  const serveYjs = (): Promise<Door> => {
    const everybody = new Set<{ send(data: Buffer): void }>()
    return openDoor({
      application: ({ socket }) => {
        everybody.add(socket)
        socket.on('message', (data: Buffer) => {
          for (const other of everybody) if (other !== socket) other.send(data)
        })
      },
    })
  }

  test('carries a document between two that authenticate by the first message', async () => {
    const door = await serveYjs()
    const documents = [new Y.Doc(), new Y.Doc()] as const
    for (const [at, document] of documents.entries()) {
      const provider = new WebsocketProvider(`ws://127.0.0.1:${door.port}`, 'room', document, {
        // Its types ask for the class of the DOM, with members that it does not use.
        WebSocketPolyfill: socketClass({
          carrier: firstMessage(ticketsOf(door)),
        }) as unknown as typeof WebSocket,
        disableBc: true,
      })
      onTestFinished(() => provider.destroy())
      await until(() => door.guests.length === at + 1)
    }
    documents[0].getText('t').insert(0, 'hello')
    await until(() => documents[1].getText('t').toJSON() === 'hello')
  })
})

describe('partysocket', () => {
  test('opens, reopens with a fresh ticket, and keeps its messages', async () => {
    const door = await openDoor()
    const tickets = ticketsOf(door)
    const socket = new PartySocket(`ws://127.0.0.1:${door.port}/`, [], {
      WebSocket: socketClass({ carrier: query(tickets), pauses: refusedOnce }),
      minReconnectionDelay: 1,
      maxReconnectionDelay: 5,
    })
    onTestFinished(() => socket.close())
    socket.send('one')
    await until(() => door.guests[0]?.messages.length === 1)
    door.guests[0]?.socket.terminate()
    await until(() => door.guests.length === 2)
    socket.send('two')
    await until(() => door.guests[1]?.messages.length === 1)
    expect(tickets.count).toBe(2)
  })

  test('may try as often as it likes after a revocation: nothing reaches the server', async () => {
    const door = await openGuarded({ accept: [session({ from: cookieCarrier('sid') })] })
    const { session: sid } = await door.guard.issue.session({ subject: 'alice' })
    const WebSocket = socketClass({ carrier: cookie(), WebSocket: browserWith(() => `sid=${sid}`) })
    const socket = new PartySocket(`ws://127.0.0.1:${door.port}/`, [], {
      WebSocket,
      minReconnectionDelay: 1,
      maxReconnectionDelay: 5,
    })
    onTestFinished(() => socket.close())
    let closes = 0
    socket.addEventListener('close', () => closes++)
    await until(() => door.guests.length === 1)
    await door.guard.revoke({ subject: 'alice' }, 'logged_out')
    await until(() => closes > 20)
    expect(WebSocket.memory.stopped).toMatchObject({ code: 3003, reason: 'logged_out' })
    expect([door.guests.length, door.refusals().length]).toEqual([1, 0])
  })
})

describe('socket.io-client', () => {
  interface Site {
    readonly port: number
    readonly refusals: Reason[]
    readonly names: string[]
    ticket(subject?: string): Promise<string>
  }

  /** A server whose middleware asks a guard, and says the reason in `data`. */
  async function serveSocketIo(): Promise<Site> {
    const guard = createGuard({ records: memory(), accept: [ticket({ from: queryCarrier('ticket') })] })
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const site = new Server(server)
    onTestFinished(async () => {
      await site.close()
      guard.close()
    })
    const refusals: Reason[] = []
    const names: string[] = []
    site.use((socket, next) => {
      const handshake: Handshake = {
        target: `/?ticket=${encodeURIComponent(String(socket.handshake.auth['token']))}`,
        host: `127.0.0.1:${port}`,
        origin: undefined,
        cookie: undefined,
        authorization: undefined,
        subprotocol: undefined,
        remoteAddress: '127.0.0.1',
        secure: false,
        certificate: undefined,
      }
      void judge(handshake, next)
    })
    const judge = async (handshake: Handshake, next: (error?: Error) => void): Promise<void> => {
      const turn = await guard.knock(handshake)
      if (turn.kind === 'done' && turn.value.kind === 'accepted') {
        names.push(turn.value.lease.principal.id)
        next()
        return
      }
      const reason = turn.kind === 'done' && turn.value.kind === 'refused' ? turn.value.reason : 'internal'
      refusals.push(reason)
      next(Object.assign(new Error('refused'), { data: { reason } }))
    }
    return {
      port,
      refusals,
      names,
      ticket: async (subject = 'alice') => (await guard.issue.ticket({ subject })).ticket,
    }
  }

  const call = (site: Site, auth: ReturnType<typeof socketIoAuth>): ReturnType<typeof io> => {
    const options = { auth: auth.auth, transports: ['websocket'], reconnectionDelay: 1, autoConnect: false }
    const socket = auth.follow(io(`http://127.0.0.1:${site.port}`, options))
    onTestFinished(() => void socket.disconnect())
    socket.connect()
    return socket
  }

  test('shows a fresh ticket at each connection', async () => {
    const site = await serveSocketIo()
    const socket = call(
      site,
      socketIoAuth(() => site.ticket()),
    )
    await until(() => socket.connected)
    socket.io.engine.close()
    await until(() => site.names.length === 2)
    expect(site.refusals).toEqual([])
  })

  test('tries another ticket once after a refusal', async () => {
    const site = await serveSocketIo()
    let asked = 0
    const auth = socketIoAuth(async () => (asked++ === 0 ? 'cst_wrong' : site.ticket()), { random: () => 0 })
    const socket = call(site, auth)
    await until(() => socket.connected)
    expect(site.refusals).toEqual(['invalid_credential'])
  })

  test('rests after the second refusal, and never shows a refused ticket again', async () => {
    const site = await serveSocketIo()
    let asked = 0
    const socket = call(
      site,
      socketIoAuth(() => `cst_${asked++}`, { random: () => 0 }),
    )
    const same = call(
      site,
      socketIoAuth(() => 'cst_same', { random: () => 0 }),
    )
    await until(() => site.refusals.length === 3)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(site.refusals).toHaveLength(3)
    expect([socket.active, same.active]).toEqual([false, false])
  })
})
