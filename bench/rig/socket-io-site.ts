/** A measured Socket.IO server: unguarded, with a look-up as people write it by hand, or behind a guard. */
import { hash, randomBytes } from 'node:crypto'
import type { Server as HttpServer } from 'node:http'
import {
  cookie,
  createGuard,
  firstMessage,
  memory,
  messagePolicy,
  type Guard,
  type Policy,
  type StandardSchema,
} from 'countersign'
import { session, ticket } from 'countersign/methods'
import { guardSocketIo, type NamespaceRules } from 'countersign/socket.io'
import { Server, type Socket } from 'socket.io'
import { mintAll, type GuardedSide } from './guarded.ts'
import { audience, host, origin, sessionCookie, type SocketIoDoor } from './protocol.ts'

/** Raw clients answer no pings, and count bytes: none comes within a measurement. */
const quietMs = 3_600_000

/** Puts Socket.IO on the server. @returns what makes credentials for it */
export function serveSocketIo(server: HttpServer, door: SocketIoDoor): GuardedSide['mint'] {
  const io = new Server(server, { serveClient: false, pingInterval: quietMs })
  io.on('connection', listen)
  if (door === 'open') return ({ count }) => Promise.resolve(tokens(count))
  if (door === 'by hand') return lookUp(io)
  if (door === 'least') return takeHashed(io)
  const guard = guardOf()
  guardSocketIo(io, guard, { namespaces: { '/': rules[door]() } })
  return (order) => mintAll(guard, order)
}

/** The application: one event that it acknowledges, one that it sends back. */
function listen(socket: Socket): void {
  socket.on('ask', (value: unknown, acknowledge: unknown) => {
    if (typeof acknowledge === 'function') acknowledge(value)
  })
  socket.on('say', (value: unknown) => void socket.emit('say', value))
}

/** A middleware that knows tokens, as examples have it. */
function lookUp(io: Server): GuardedSide['mint'] {
  const users = new Map<string, { readonly name: string }>()
  io.use((socket, next) => {
    const token: unknown = socket.handshake.auth['token']
    const user = typeof token === 'string' ? users.get(token) : undefined
    if (user === undefined) {
      next(new Error('unauthorized'))
      return
    }
    Object.assign(socket.data, { user })
    next()
  })
  return ({ count }) => {
    const made = tokens(count)
    for (const token of made) users.set(token, { name: 'somebody' })
    return Promise.resolve(made)
  }
}

/** What no guard can leave out, and nothing else: what is measured above it is what this one costs for its promises. */
function takeHashed(io: Server): GuardedSide['mint'] {
  const rows = new Map<string, { readonly name: string }>()
  const transports = new Map<string, object>()
  io.engine.use((_request: unknown, _response: unknown, next: () => void) => next())
  io.engine.on('connection', (conn: { readonly id: string; once(event: 'close', act: () => void): void }) => {
    transports.set(conn.id, conn)
    conn.once('close', () => transports.delete(conn.id))
  })
  io.use((socket, next) => {
    const token: unknown = socket.handshake.auth['token']
    const key = typeof token === 'string' ? hash('sha256', token, 'base64url') : ''
    const user = rows.get(key)
    if (user === undefined || !rows.delete(key)) {
      next(new Error('unauthorized'))
      return
    }
    Object.assign(socket.data, { user })
    next()
  })
  return ({ count }) => {
    const made = tokens(count)
    for (const token of made) rows.set(hash('sha256', token, 'base64url'), { name: 'somebody' })
    return Promise.resolve(made)
  }
}

function tokens(count: number): readonly string[] {
  return Array.from({ length: count }, () => `cst_${randomBytes(32).toString('base64url')}`)
}

function guardOf(): Guard {
  return createGuard({
    records: memory(),
    audience,
    origins: [origin],
    hosts: [host],
    // All the load comes from one machine: its rate is counted, and never reached.
    limits: { handshakesPerSecond: 1e9 },
    accept: [ticket({ from: firstMessage() }), session({ from: cookie(sessionCookie) })],
  })
}

type GuardedDoor = Exclude<SocketIoDoor, 'open' | 'by hand' | 'least'>

const rules: Readonly<Record<GuardedDoor, () => NamespaceRules>> = {
  'every event': () => ({ dangerouslyAllowEveryEvent: true }),
  policy: () => ({ events: policyOf(undefined) }),
  schema: () => ({ events: policyOf(chat) }),
}

/** Two exact rows in a table with patterns beside them, and rates that are counted and never reached. */
function policyOf(schema: StandardSchema | undefined): Policy {
  const rate = { max: 100_000, intervalMs: 1_000 }
  const row = { roles: ['admin', 'member'], rate, ...(schema === undefined ? {} : { schema }) }
  return messagePolicy({
    actions: {
      ask: row,
      say: row,
      'chat.*.read': { roles: ['member'] },
      'chat.*': { roles: ['admin'] },
    },
    rate,
  })
}

/** One argument with two members of text. As cheap as a schema can be: what it costs besides is the policy's. */
const chat: StandardSchema = {
  '~standard': {
    version: 1,
    vendor: 'bench',
    validate(message) {
      const [value] = argsOf(message)
      return typeof value === 'object' &&
        value !== null &&
        'room' in value &&
        typeof value.room === 'string' &&
        'text' in value &&
        typeof value.text === 'string'
        ? { value: message }
        : { issues: [{ message: 'a room and a text' }] }
    },
  },
}

function argsOf(message: unknown): readonly unknown[] {
  return typeof message === 'object' && message !== null && 'args' in message && Array.isArray(message.args)
    ? message.args
    : []
}
