/** The door of Socket.IO clients: an origin of its own, a guarded server, and an application that greets and echoes. */
import { messagePolicy, type Policy } from 'countersign'
import { guardSocketIo, type GuardedData } from 'countersign/socket.io'
import { Server, type DefaultEventsMap, type Socket } from 'socket.io'
import { createApp, patience } from '../server/app.ts'
import { ownSources } from '../server/headers.ts'
import type { DoorServer, DoorServerOptions } from './door-server.ts'
import { socketIoWords } from './browser/socket-io-words.ts'
import { oneServer } from './one-server.ts'

/** What this door is made of. */
export interface SocketIoDoorOptions extends Pick<DoorServerOptions, 'guard' | 'recorder' | 'log' | 'hosts'> {
  /** Origins of pages that may read what is polled. */
  readonly origins: readonly string[]
}

type Events = DefaultEventsMap
type Speaker = Socket<Events, Events, Events, GuardedData>

/** Longest packet of an accepted client, bytes: enough for an echo. */
const maxPacketBytes = 16 * 1_024
/** Echoes that may wait for a peer that sends but does not read; beyond, it is gone. */
const maxWaitingEchoes = 64
/** How long a client whose connection is lost may take to come back, ms. */
const recoveryMs = 10_000
/** Every announcement goes to everybody, who may read slowly. */
const announceRate = { max: 5, intervalMs: 1_000 } as const
const maxAnnouncement = 200
/** Between two numbered events, ms. */
const tickEveryMs = 20

/** Whoever is let in may have its words echoed; announcing is for administrators. */
function eventPolicy(): Policy {
  return messagePolicy({
    actions: {
      [socketIoWords.echo]: { roles: ['user', 'admin'] },
      [socketIoWords.announce]: { roles: ['admin'], rate: announceRate },
    },
    limits: { maxBytes: maxPacketBytes },
  })
}

/** Builds the door; the caller listens. */
export function createSocketIoDoor(options: SocketIoDoorOptions): DoorServer {
  const { guard, recorder, origins } = options
  const app = createApp({
    log: options.log,
    hosts: options.hosts,
    secure: false,
    sources: ownSources,
    server: oneServer(patience),
  })
  const io = new Server<Events, Events, Events, GuardedData>(app.server, {
    serveClient: false,
    // The guard judges the Origin of every request; this is what pages may read of an answer.
    cors: { origin: [...origins], credentials: true },
    maxHttpBufferSize: maxPacketBytes,
    httpCompression: false,
    connectionStateRecovery: { maxDisconnectionDuration: recoveryMs },
  })
  guardSocketIo(io, guard, { namespaces: { '/': { events: eventPolicy() } } })
  io.on('connection', (socket) => {
    greetAndEcho(socket)
    socket.on(socketIoWords.announce, (words: unknown) => {
      if (typeof words === 'string') io.emit(socketIoWords.announce, words.slice(0, maxAnnouncement))
    })
  })
  // First, before the guard hides anything; Engine.IO keeps its requests from listeners that were there before it.
  app.server.prependListener('upgrade', (request, socket, head) => recorder.watch(request, socket, head))
  app.server.prependListener('request', (request, response) => recorder.watchPoll(request, response))
  app.get('/', (_request, reply) =>
    reply
      .code(426)
      .headers({ upgrade: 'websocket', 'cross-origin-resource-policy': 'cross-origin' })
      .send('This door opens to clients of Socket.IO.'),
  )
  return {
    app,
    async close() {
      guard.close()
      io.engine.close()
      await app.close()
    },
  }
}

/**
 * Greets the principal by name, then acknowledges whatever arrives with the same. Where the query says `ticks=1` it sends
 * numbered events besides, as long as the socket lives.
 */
function greetAndEcho(socket: Speaker): void {
  socket.emit(socketIoWords.greeting, `Hello ${socket.data.lease.principal.id}!`)
  let waiting = 0
  const drained = (): void => {
    waiting = 0
  }
  socket.conn.on('drain', drained)
  socket.on('disconnect', () => socket.conn.off('drain', drained))
  socket.on(socketIoWords.echo, (word: unknown, answer: unknown) => {
    waiting++
    if (waiting > maxWaitingEchoes) socket.disconnect(true)
    else if (typeof answer === 'function') Reflect.apply(answer, undefined, [word])
  })
  if (socket.handshake.query['ticks'] !== undefined) count(socket)
}

/** The number, and how long the lease holds yet, ms, by this server's clock. It does not ask whether the lease has ended. */
function count(socket: Speaker): void {
  let number = 0
  const timer = setInterval(() => {
    number++
    // Volatile: what a client does not take at once is not kept for it.
    socket.volatile.emit(socketIoWords.tick, number, socket.data.lease.untilMs - Date.now())
  }, tickEveryMs)
  socket.on('disconnect', () => clearInterval(timer))
}
