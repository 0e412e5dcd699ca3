/** Clients of libraries upon the client's socket, at the guarded servers of the same libraries. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider'
import { Hocuspocus } from '@hocuspocus/server'
import { createTRPCClient, createWSClient, wsLink, type TRPCWebSocketClient } from '@trpc/client'
import { initTRPC } from '@trpc/server'
import { applyWSSHandler } from '@trpc/server/adapters/ws'
import { buildSchema } from 'graphql/index.js'
import { createClient } from 'graphql-ws'
import { WebSocket as PartySocket } from 'partysocket'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { guardGraphql } from '../../../packages/countersign/src/adapters/graphql-ws.ts'
import { guardHocuspocus } from '../../../packages/countersign/src/adapters/hocuspocus.ts'
import { guardTrpc } from '../../../packages/countersign/src/adapters/trpc.ts'
import { guardUpgrades, type ConnectionListener } from '../../../packages/countersign/src/adapters/ws.ts'
import {
  createGuard,
  firstMessage as messageCarrier,
  memory,
  query as queryCarrier,
  subprotocol as subprotocolCarrier,
  type Guard,
  type JournalEntry,
} from '../../../packages/countersign/src/index.ts'
import { ticket } from '../../../packages/countersign/src/methods/index.ts'
import {
  firstMessage,
  query,
  socketClass,
  subprotocol,
  type Carrier,
  type GetCredential,
  type SocketClass,
} from '../../../packages/countersign/src/client/index.ts'
import { YjsRooms } from '../adapters/yjs-site.ts'
import { handshakeOf } from '../support/guard.ts'
import { until } from '../support/sockets.ts'

/** How long a lease lasts here, ms: ends are told in whole seconds, and one that moves by less is not moved again. */
const leaseMs = 2_500

/** A guarded server of a library. */
interface Site {
  readonly guard: Guard
  readonly url: string
  readonly journal: JournalEntry[]
}

/** A client of a library at work: something of the server's goes on arriving. */
interface Working {
  /** How much has arrived. */
  heard(): number
  /** Makes something arrive, where the server does not by itself. */
  stir?(): void
}

/** A library: its server behind a guard, its client upon our class. */
interface Library {
  serve(server: Server, wss: WebSocketServer, guard: Guard): () => unknown
  work(site: Site, socket: SocketClass): Working
}

async function openSite({ serve }: Library): Promise<Site> {
  const journal: JournalEntry[] = []
  const guard = createGuard({
    records: memory(),
    accept: [ticket({ from: [queryCarrier('ticket'), subprotocolCarrier(), messageCarrier()] })],
    journal: { record: (entry) => void journal.push(entry) },
    limits: { jitter: 0, graceMs: 0, warnMs: 0, lingerMs: 200 },
  })
  const server = createServer()
  const wss = new WebSocketServer({ noServer: true })
  const stop = serve(server, wss, guard)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    await stop()
    guard.close()
    for (const socket of wss.clients) socket.terminate()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { guard, journal, url: `ws://127.0.0.1:${port}` }
}

/** The class for a library, which renews leases over HTTP where its carrier cannot in band. */
function classOf({ guard }: Site, carrierOf: (get: GetCredential) => Carrier): SocketClass {
  const issue = () => guard.issue.ticket({ subject: 'alice', roles: ['member'], leaseMs })
  const get: GetCredential = async () => {
    const { ticket: credential, lease } = await issue()
    return { credential, lease, leaseMs }
  }
  return socketClass({
    carrier: carrierOf(get),
    pauses: { minMs: 1, advisedMs: 1 },
    async renewLease({ lease = '' }) {
      const { ticket: fresh } = await issue()
      const refused = await guard.refresh(lease, handshakeOf({ target: `/?ticket=${fresh}` }))
      if (refused !== undefined) throw new Error(refused)
      return leaseMs
    },
  })
}

/** Yields every few milliseconds, until it is left. */
async function* ticking(): AsyncGenerator<{ ticks: string }> {
  for (let count = 0; ; count++) {
    yield { ticks: String(count) }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

const graphql: Library = {
  serve(server, wss, guard) {
    const schema = buildSchema('type Query { me: String } type Subscription { ticks: String }')
    const { dispose } = guardGraphql(server, wss, guard, {
      schema,
      roots: { subscription: { ticks: ticking } },
    })
    return dispose
  },
  work({ url }, webSocketImpl) {
    const client = createClient({
      url,
      webSocketImpl,
      retryAttempts: 200,
      retryWait: pause,
      shouldRetry: () => true,
    })
    // Of a socket that has ended for good it says so once more.
    onTestFinished(() => Promise.resolve(client.dispose()).catch(() => undefined))
    let heard = 0
    const sink = { next: () => void heard++, error: () => undefined, complete: () => undefined }
    client.subscribe({ query: 'subscription { ticks }' }, sink)
    return { heard: () => heard }
  },
}

const trpc = initTRPC.create()
const router = trpc.router({ ticks: trpc.procedure.subscription(() => ticking()) })

const trpcLibrary: Library = {
  serve(server, wss, guard) {
    const door = guardTrpc(server, wss, guard)
    applyWSSHandler({ wss, router })
    return () => door.close()
  },
  work({ url }, socket) {
    const client: TRPCWebSocketClient = createWSClient({
      url,
      // Its types ask for the class of the DOM, with members that it does not use.
      WebSocket: socket as unknown as typeof WebSocket,
      retryDelayMs: () => 5,
    })
    onTestFinished(() => void client.close())
    let heard = 0
    const { ticks } = createTRPCClient<typeof router>({ links: [wsLink({ client })] })
    ticks.subscribe(undefined, { onData: () => void heard++ })
    return { heard: () => heard }
  },
}

const hocuspocusLibrary: Library = {
  serve(server, wss, guard) {
    const hocuspocus = new Hocuspocus({ quiet: true })
    const door = guardHocuspocus(server, wss, guard, { hocuspocus })
    const timer = setInterval(() => {
      hocuspocus.documents.get('notes')?.getText('t').insert(0, 'x')
    }, 5)
    return () => {
      clearInterval(timer)
      door.close()
    }
  },
  work({ url }, socket) {
    const websocketProvider = new HocuspocusProviderWebsocket({
      url,
      WebSocketPolyfill: socket,
      delay: 5,
      minDelay: 5,
      jitter: false,
    })
    const document = new Y.Doc()
    const provider = new HocuspocusProvider({ websocketProvider, name: 'notes', document, token: 'none' })
    provider.attach()
    onTestFinished(() => {
      provider.destroy()
      websocketProvider.destroy()
    })
    return { heard: () => document.getText('t').length }
  },
}

const yWebsocket: Library = {
  serve(server, wss, guard) {
    const rooms = new YjsRooms()
    const connected: ConnectionListener = (socket, { url = '' }) =>
      rooms.connect(socket, url.split('?')[0] ?? '')
    wss.on('connection', connected)
    const stop = guardUpgrades(server, wss, guard)
    const timer = setInterval(() => rooms.document('/room').getText('t').insert(0, 'x'), 5)
    return () => {
      clearInterval(timer)
      stop()
      rooms.stop()
    }
  },
  work({ url }, socket) {
    const document = new Y.Doc()
    const provider = new WebsocketProvider(url, 'room', document, {
      WebSocketPolyfill: socket as unknown as typeof WebSocket,
      disableBc: true,
      maxBackoffTime: 5,
    })
    onTestFinished(() => provider.destroy())
    return { heard: () => document.getText('t').length }
  },
}

const partySocket: Library = {
  serve(server, wss, guard) {
    const connected: ConnectionListener = (socket) => {
      socket.on('message', (data) => socket.send(data))
    }
    wss.on('connection', connected)
    return guardUpgrades(server, wss, guard)
  },
  work({ url }, socket) {
    const party = new PartySocket(url, [], {
      WebSocket: socket,
      minReconnectionDelay: 1,
      maxReconnectionDelay: 5,
    })
    onTestFinished(() => party.close())
    let heard = 0
    party.addEventListener('message', () => heard++)
    return { heard: () => heard, stir: () => party.send('x') }
  },
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5))
}

const inQuery = (get: GetCredential): Carrier => query(get)
const inSubprotocol = (get: GetCredential): Carrier => subprotocol(get)
const inMessage = (get: GetCredential): Carrier => firstMessage(get)

describe.each<[string, Library, (get: GetCredential) => Carrier]>([
  ['graphql-ws, by a ticket in the query', graphql, inQuery],
  ['graphql-ws, by a ticket beside its own subprotocol', graphql, inSubprotocol],
  ['tRPC, by a ticket in the query', trpcLibrary, inQuery],
  ['Hocuspocus, by a ticket in the query', hocuspocusLibrary, inQuery],
  ['y-websocket, by a ticket in the query', yWebsocket, inQuery],
  ['y-websocket, by the first message, renewed in band', yWebsocket, inMessage],
  ['partysocket, by the first message, renewed in band', partySocket, inMessage],
])('%s', (_name, library, carrierOf) => {
  const accepted = ({ journal }: Site): number => journal.filter(({ kind }) => kind === 'accepted').length
  const refused = ({ journal }: Site): number => journal.filter(({ kind }) => kind === 'refused').length

  async function hears(working: Working, more = 1): Promise<void> {
    const before = working.heard()
    working.stir?.()
    await until(() => working.heard() >= before + more)
  }

  test('goes on beyond its lease on one socket', async () => {
    const site = await openSite(library)
    const working = library.work(site, classOf(site, carrierOf))
    await hears(working)
    const [lease] = site.guard.leases()
    const end = (lease?.untilMs ?? Infinity) + 300
    await until(() => site.guard.now() > end)
    await hears(working)
    expect([accepted(site), refused(site)]).toEqual([1, 0])
    expect(site.guard.leases()[0]?.id).toBe(lease?.id)
  })

  test('comes back with a fresh ticket after a loss', async () => {
    const site = await openSite(library)
    const working = library.work(site, classOf(site, carrierOf))
    await hears(working)
    site.guard.leases()[0]?.apply({ kind: 'ended', reason: 'shutting_down' }, site.guard.now())
    await until(() => accepted(site) === 2)
    await hears(working)
    expect(refused(site)).toBe(0)
  })

  test('stops for good at a revocation, however often the library tries', async () => {
    const site = await openSite(library)
    const socket = classOf(site, carrierOf)
    const working = library.work(site, socket)
    await hears(working)
    await site.guard.revoke({ subject: 'alice' })
    await until(() => socket.memory.stopped !== undefined)
    expect(socket.memory.stopped).toMatchObject({ code: 3003, reason: 'revoked' })
    const heard = working.heard()
    await new Promise((resolve) => setTimeout(resolve, 150))
    expect(working.heard()).toBe(heard)
    expect([accepted(site), refused(site)]).toEqual([1, 0])
  })
})
