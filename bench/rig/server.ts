/** A measured server: bare `ws`, or the same behind a guard. Started by `Server.start`; lives as long as its parent's channel. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocketServer, type RawData, type WebSocket } from 'ws'
import { checkOf } from './check.ts'
import { guardedServer, type Mint } from './guarded.ts'
import { serveFloor } from './wamp-floor.ts'
import type { Application, Memory, Request, Response, Role, ServerQuestions } from './protocol.ts'

type Answers = {
  readonly [K in keyof ServerQuestions]: (
    ask: ServerQuestions[K]['ask'],
  ) => ServerQuestions[K]['answer'] | Promise<ServerQuestions[K]['answer']>
}

const server = createServer({ keepAliveTimeout: 0 })
const wss = new WebSocketServer({ noServer: true, perMessageDeflate: false })
let mint: Mint = () => Promise.reject(new Error('a bare server mints nothing'))

const answers: Answers = {
  async listen(role) {
    wss.on('connection', applications['application' in role ? role.application : 'idle'])
    await serve(role)
    return { port: await listening(server) }
  },
  cpu() {
    const { user, system } = process.cpuUsage()
    return { us: user + system }
  },
  memory: measureMemory,
  mint: ({ what, count }) => mint(what, count),
  async checkCost({ key, check: kind, tokens }) {
    const check = await checkOf(key, kind)
    for (const token of tokens) await check(token)
    const before = process.cpuUsage()
    for (const token of tokens) await check(token)
    const { user, system } = process.cpuUsage(before)
    return { us: (user + system) / tokens.length }
  },
}

const applications: Readonly<Record<Application, (socket: WebSocket) => void>> = {
  idle: (socket) => void socket.on('message', ignore),
  echo: (socket) => void socket.on('message', sendBack),
  acknowledge: (socket) => void socket.on('message', acknowledge),
}

function ignore(): void {
  // An idle application still listens.
}

function sendBack(this: WebSocket, data: RawData, isBinary: boolean): void {
  this.send(data, { binary: isBinary })
}

/** As long as the guard's own answer to a credential that came as JSON. */
const acknowledgement = JSON.stringify({ type: 'auth_ok', expires_in: 900, lease: 'x'.repeat(22) })

function acknowledge(this: WebSocket): void {
  this.send(acknowledgement)
}

async function serve(role: Role): Promise<void> {
  if (role.kind === 'guarded') {
    mint = await guardedServer(server, wss, role)
    return
  }
  if (role.kind === 'wamp-floor') {
    serveFloor(server)
    return
  }
  if (role.kind === 'wamp-router') {
    const { serveRouter } = await import('./wamp-router.ts')
    serveRouter(server, role.rules)
    return
  }
  const check = role.kind === 'checking' ? await checkOf(role.key, role.check) : undefined
  server.on('upgrade', (request, socket, head) => {
    const open = (): void =>
      wss.handleUpgrade(request, socket, head, (client) => void wss.emit('connection', client, request))
    const checked = check?.(request.headers.authorization?.slice('Bearer '.length) ?? '')
    if (checked === undefined) open()
    else void checked.then(open)
  })
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>(
    (resolve) => void server.listen({ host: '127.0.0.1', port: 0, backlog: 4_096 }, resolve),
  )
  // A server on a TCP port has an address object, not a path.
  return (server.address() as AddressInfo).port
}

/**
 * Two readings. The second, after collections that also give back the young generation and compact sparse pages, is what
 * connections retain. The first shows besides how far the collector had let the heap grow when it was asked.
 */
async function measureMemory(): Promise<Memory> {
  const { gc } = globalThis
  if (gc === undefined) throw new Error('start with --expose-gc')
  const collect = async (flavor: 'regular' | 'last-resort'): Promise<void> => {
    for (let round = 0; round < 3; round++) {
      gc({ type: 'major', execution: 'sync', flavor })
      await sleep(100)
    }
  }
  await collect('regular')
  const foundRssBytes = process.memoryUsage.rss()
  await collect('last-resort')
  const { rss, heapUsed } = process.memoryUsage()
  return { foundRssBytes, rssBytes: rss, heapBytes: heapUsed, sockets: await connectionsOf(server) }
}

function connectionsOf(server: Server): Promise<number> {
  return new Promise(
    (resolve, reject) =>
      void server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
  )
}

async function answer(request: Request): Promise<Response> {
  const { id, kind, ask } = request
  try {
    // Each question comes from `Server.ask`, whose types match question and kind.
    return { id, answer: await (answers[kind] as (ask: unknown) => unknown)(ask) }
  } catch (error) {
    return { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}

process.on('message', (request: Request) => void answer(request).then((response) => process.send?.(response)))
process.on('disconnect', () => process.exit())
