/**
 * One process that serves Socket.IO: `node socket-io-redis-server.ts FILE SOCKET ADAPTER`. Its guard's records are the SQLite
 * file, its bus and its adapter (`redis`, or `streams`, which can recover sessions of other processes) are the Redis at the
 * socket. It says `ready PORT` once it listens. Clients ask for what a test needs by events.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdapter } from '@socket.io/redis-adapter'
import { createAdapter as createStreamsAdapter } from '@socket.io/redis-streams-adapter'
import { createGuard, firstMessage } from 'countersign'
import { ticket } from 'countersign/methods'
import { guardSocketIo, type GuardedData } from 'countersign/socket.io'
import { sqlite } from 'countersign/stores/sqlite'
import { createClient, type RedisClientType } from 'redis'
import { Server } from 'socket.io'
import { redisBus } from './redis-bus.ts'

type Answer = (answer: unknown) => void
interface Asked {
  broadcast(room: string, text: string | number): void
  revoke(subject: string, why: 'revoked' | 'logged_out', answer: Answer): void
  who(answer: Answer): void
  join(room: string, answer: Answer): void
  disconnectAll(room: string): void
}
interface Told {
  note(text: string | number): void
}

const [, , file = '', path = '', kind] = process.argv
const connected = async (): Promise<RedisClientType> => {
  const client: RedisClientType = createClient({ socket: { path, tls: false } })
  await client.connect()
  return client
}
const publisher = await connected()
const bus = await redisBus(publisher, await connected())
const guard = createGuard({
  records: sqlite(file),
  bus,
  accept: [ticket({ from: firstMessage() })],
})
const http = createServer()
const adapter =
  kind === 'streams' ? createStreamsAdapter(publisher) : createAdapter(publisher, await connected())
const io = new Server<Asked, Told, Record<string, never>, GuardedData>(http, {
  adapter,
  ...(kind === 'streams' ? { connectionStateRecovery: {} } : {}),
})
guardSocketIo(io, guard, { namespaces: { '/': { dangerouslyAllowEveryEvent: true } } })
io.of('/open').on('connection', () => {
  throw new Error('a namespace without a row let somebody in')
})
io.on('connection', (socket) => {
  socket.on('broadcast', (room, text) => void io.to(room).emit('note', text))
  socket.on(
    'revoke',
    (subject, why, answer) => void guard.revoke({ subject }, why).then(() => answer('done')),
  )
  socket.on('who', (answer) => {
    void io
      .fetchSockets()
      .then((all) => answer(all.map(({ data }) => ({ ...data, lease: data.lease instanceof Object }))))
  })
  socket.on('join', (room, answer) => {
    void Promise.resolve(socket.join(room)).then(() => answer('done'))
  })
  socket.on('disconnectAll', (room) => io.in(room).disconnectSockets(true))
})
http.listen({ port: 0, host: '127.0.0.1' })
await once(http, 'listening')
process.stdin.on('end', () => process.exit()).resume()
console.log(`ready ${String((http.address() as AddressInfo).port)}`)
