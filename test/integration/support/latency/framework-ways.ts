/** The same ticket into each framework: applications that talk and listen in its words, and clients that do. */
import { Hocuspocus } from '@hocuspocus/server'
import { upgradeWebSocket, createAdaptorServer } from '@hono/node-server'
import { initTRPC } from '@trpc/server'
import { applyWSSHandler } from '@trpc/server/adapters/ws'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { query, type Guard, type Lease } from 'countersign'
import { crosswsDoor, leaseOf as leaseOfPeer } from 'countersign/crossws'
import { expressDoor } from 'countersign/express'
import { countersign } from 'countersign/fastify'
import { guardGraphql, leaseOf as leaseOfGraphql } from 'countersign/graphql-ws'
import { guardHocuspocus, leaseOf as leaseOfDocument } from 'countersign/hocuspocus'
import { guardHono, leaseOf as leaseOfHono, socketsOf } from 'countersign/hono'
import { ticket } from 'countersign/methods'
import { guardTrpc, leaseOf as leaseOfTrpc } from 'countersign/trpc'
import express from 'express'
import fastify from 'fastify'
import { buildSchema } from 'graphql'
import { Hono } from 'hono'
import { WebSocketServer } from 'ws'
import { admitted, Line, plainWords, type Words } from './guest.ts'
import { Numbered, talkEveryMs, type Application, type Heard, type Place } from './place.ts'
import type { Town } from './town.ts'
import { ticketOf, type Visit, type Way } from './ways.ts'

/** An application that says numbers to its members, whose sockets may have ended or not, and writes down theirs. */
class Members implements Application {
  readonly said = new Numbered()
  readonly #heard = new Map<string, Heard>()
  readonly #members = new Map<object, (number: string) => unknown>()
  readonly #timer = setInterval(() => this.speak(), talkEveryMs)

  heard(subject: string): Heard {
    const known = this.#heard.get(subject) ?? { highest: 0, count: 0 }
    this.#heard.set(subject, known)
    return known
  }

  speak(): void {
    const number = this.said.next()
    for (const tell of this.#members.values()) tell(number)
  }

  /** @param key by which it leaves */
  join(key: object, tell: (number: string) => unknown): void {
    this.#members.set(key, tell)
  }

  leave(key: object): void {
    this.#members.delete(key)
  }

  hear({ principal }: Lease, number: string): void {
    const heard = this.heard(principal.id)
    heard.count++
    heard.highest = Math.max(heard.highest, Number(number))
  }

  /** Numbers for one member, as long as it takes them. */
  async *numbers(key: object): AsyncGenerator<string> {
    const waiting: string[] = []
    let wake = (): void => undefined
    this.join(key, (number) => {
      waiting.push(number)
      wake()
    })
    try {
      for (;;) {
        while (waiting.length > 0) yield String(waiting.shift())
        await new Promise<void>((resolve) => (wake = resolve))
      }
    } finally {
      this.leave(key)
    }
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#members.clear()
  }
}

/** A server that is not listening yet, and how its door is closed. */
interface Framework {
  readonly server: Server
  close(): unknown
}

/** How a framework serves, and how its clients talk. */
interface Framed {
  serve(guard: Guard, members: Members): Framework | Promise<Framework>
  readonly words: Words
  readonly protocols?: readonly string[]
  /** What is said before numbers are, each when the one before is answered. */
  readonly begin?: readonly (string | Buffer)[]
}

const fastifyServer: Framed = {
  words: plainWords,
  async serve(guard, members) {
    const app = fastify()
    await app.register(countersign, { guard })
    app.get('/', { websocket: true }, (socket, { lease }) => {
      members.join(socket, (number) => socket.send(number))
      socket.on('message', (data: Buffer) => members.hear(lease, data.toString()))
      socket.on('close', () => members.leave(socket))
    })
    await app.ready()
    return { server: app.server, close: () => app.close() }
  },
}

const expressServer: Framed = {
  words: plainWords,
  serve(guard, members) {
    const app = express()
    const door = expressDoor(app, guard)
    const chat = door.sockets((socket, _request, lease) => {
      members.join(socket, (number) => socket.send(number))
      socket.on('message', (data: Buffer) => members.hear(lease, data.toString()))
      socket.on('close', () => members.leave(socket))
    })
    app.get('/', chat)
    const server = createServer(app)
    door.attach(server)
    return { server, close: () => door.close() }
  },
}

const crosswsServer: Framed = {
  words: plainWords,
  serve(guard, members) {
    const door = crosswsDoor(guard, {
      hooks: {
        open: (peer) => members.join(peer, (number) => peer.send(number)),
        message: (peer, message) => members.hear(leaseOfPeer(peer), message.text()),
        close: (peer) => members.leave(peer),
      },
    })
    const server = createServer()
    door.attach(server)
    return { server, close: () => door.close() }
  },
}

const honoServer: Framed = {
  words: plainWords,
  serve(guard, members) {
    const app = new Hono()
    const chat = upgradeWebSocket((context) => {
      const lease = leaseOfHono(context)
      return {
        onOpen: (_event, socket) => members.join(lease, (number) => socket.send(number)),
        onMessage: ({ data }) => members.hear(lease, String(data)),
        onClose: () => members.leave(lease),
      }
    })
    app.get('/', chat)
    const wss = new WebSocketServer({ noServer: true })
    // A server of Hono is one of Node's unless it is told otherwise.
    const server = createAdaptorServer({ fetch: app.fetch, websocket: socketsOf(wss) }) as Server
    const door = guardHono(server, wss, guard)
    return { server, close: () => door.close() }
  },
}

const graphqlServer: Framed = {
  protocols: ['graphql-transport-ws'],
  begin: [
    '{"type":"connection_init"}',
    '{"type":"subscribe","id":"numbers","payload":{"query":"subscription { numbers }"}}',
  ],
  words: {
    coded: true,
    say: (number) =>
      `{"type":"subscribe","id":"${number}","payload":{"query":"mutation { say(number: \\"${number}\\") }"}}`,
    hear: (text) => Number(/"numbers":"(\d+)"/.exec(text)?.[1]),
  },
  serve(guard, members) {
    const server = createServer()
    const graphql = guardGraphql(server, new WebSocketServer({ noServer: true }), guard, {
      schema: buildSchema(
        'type Query { a: Int } type Mutation { say(number: String): Int } type Subscription { numbers: String }',
      ),
      context: (context) => leaseOfGraphql(context),
      roots: {
        mutation: {
          say: ({ number }: { number: string }, lease: Lease) => members.hear(lease, number),
        },
        subscription: {
          async *numbers(_: unknown, lease: Lease) {
            for await (const numbers of members.numbers(lease)) yield { numbers }
          },
        },
      },
    })
    return { server, close: () => graphql.dispose() }
  },
}

const trpc = initTRPC.context<{ readonly lease: Lease }>().create()

const trpcServer: Framed = {
  begin: ['{"id":0,"method":"subscription","params":{"path":"numbers"}}'],
  words: {
    coded: true,
    say: (number) => `{"id":${number},"method":"mutation","params":{"path":"say","input":"${number}"}}`,
    hear: (text) => Number(/^\{"id":0,.*"data":"(\d+)"/.exec(text)?.[1]),
  },
  serve(guard, members) {
    const server = createServer()
    const wss = new WebSocketServer({ noServer: true })
    const door = guardTrpc(server, wss, guard)
    applyWSSHandler({
      wss,
      router: trpc.router({
        numbers: trpc.procedure.subscription(({ ctx }) => members.numbers(ctx.lease)),
        say: trpc.procedure.input(String).mutation(({ ctx, input }) => members.hear(ctx.lease, input)),
      }),
      createContext: (options) => ({ lease: leaseOfTrpc(options) }),
    })
    return { server, close: () => door.close() }
  },
}

/** The document `d`, and in it a message with a short text. */
const inDocument = (kind: readonly number[], text: string): Buffer =>
  Buffer.from([1, 0x64, ...kind, text.length, ...Buffer.from(text)])

const hocuspocusServer: Framed = {
  begin: [inDocument([2, 0], '')],
  words: {
    coded: true,
    // Stateless messages.
    say: (number) => inDocument([5], number),
    hear: (text) => Number(/^\u0001d\u0005[^]?(\d+)$/.exec(text)?.[1]),
  },
  serve(guard, members) {
    const hocuspocus = new Hocuspocus({
      quiet: true,
      async connected({ connection, context }) {
        members.join(leaseOfDocument({ context }), (number) => connection.sendStateless(number))
      },
      async onStateless({ connection, payload }) {
        members.hear(leaseOfDocument(connection), payload)
      },
      async onDisconnect({ context }) {
        members.leave(leaseOfDocument({ context }))
      },
    })
    const server = createServer()
    const door = guardHocuspocus(server, new WebSocketServer({ noServer: true }), guard, { hocuspocus })
    return { server, close: () => door.close() }
  },
}

/** In the order of the guide. */
const frameworks: Readonly<Record<string, Framed>> = {
  Fastify: fastifyServer,
  Express: expressServer,
  crossws: crosswsServer,
  Hono: honoServer,
  'graphql-ws': graphqlServer,
  tRPC: trpcServer,
  Hocuspocus: hocuspocusServer,
}

/** Opens a server of each framework. */
export async function openFrameworks(town: Town, short: boolean): Promise<ReadonlyMap<string, Place>> {
  const places = new Map<string, Place>()
  for (const [name, { serve }] of Object.entries(frameworks)) {
    const guard = town.guard({ audience: name, accept: [ticket({ from: query('ticket') })] }, short)
    const application = new Members()
    const { server, close } = await serve(guard, application)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo // a TCP server that listens has one
    places.set(name, {
      guard,
      application,
      url: `ws://localhost:${port}`,
      async close() {
        application.stop()
        guard.close()
        await close()
        server.closeAllConnections()
        server.close()
      },
    })
  }
  return places
}

async function entered(
  visit: Visit,
  { words, protocols = [], begin = [] }: Framed,
): ReturnType<Way['enter']> {
  const { place, person } = visit
  const line = new Line(`${place.url}/?ticket=${await ticketOf(visit)}`, protocols, {})
  await line.opened()
  for (const [answered, said] of begin.entries()) {
    if (answered > 0) await line.heard(() => line.texts.length >= answered)
    line.send(said)
  }
  return admitted(line, { person, place }, words)
}

/** One way into each: a ticket in the URL, as at D2. */
export const frameworkWays: readonly Way[] = Object.entries(frameworks).map(([name, framed]) => ({
  door: 'D2',
  framework: name,
  accepts: 'ticket',
  place: name,
  page: 'docs/doors/query.md',
  roots: ['session'],
  enter: (visit) => entered(visit, framed),
}))
