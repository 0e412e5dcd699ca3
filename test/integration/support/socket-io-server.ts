/**
 * Two processes that serve Socket.IO as one, over `@socket.io/cluster-adapter`: `node socket-io-server.ts FILE`. Each has
 * a port of its own and a guard over the same SQLite file, and says `ready PORT` once it listens. Clients ask for what a
 * test needs by events.
 */
import cluster from 'node:cluster'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdapter, setupPrimary } from '@socket.io/cluster-adapter'
import { createGuard, firstMessage } from 'countersign'
import { ticket } from 'countersign/methods'
import { guardSocketIo, type GuardedData } from 'countersign/socket.io'
import { sqlite } from 'countersign/stores/sqlite'
import { Server } from 'socket.io'

type Answer = (answer: unknown) => void
interface Asked {
  broadcast(room: string, text: string): void
  revoke(subject: string, answer: Answer): void
  recheck(answer: Answer): void
  who(answer: Answer): void
  disconnectAll(room: string): void
}
interface Told {
  note(text: string): void
}

if (cluster.isPrimary) {
  setupPrimary()
  const workers = [cluster.fork(), cluster.fork()]
  process.stdin.on('end', () => process.exit()).resume()
  for (const worker of workers) worker.on('exit', () => process.exit(1))
} else await serve(process.argv[2] ?? '')

async function serve(file: string): Promise<void> {
  const guard = createGuard({ records: sqlite(file), accept: [ticket({ from: firstMessage() })] })
  const http = createServer()
  const io = new Server<Asked, Told, Record<string, never>, GuardedData>(http, {
    adapter: createAdapter(),
    connectionStateRecovery: {},
  })
  guardSocketIo(io, guard, { namespaces: { '/': { dangerouslyAllowEveryEvent: true } } })
  io.on('connection', (socket) => {
    socket.on('broadcast', (room, text) => void io.to(room).emit('note', text))
    socket.on('revoke', (subject, answer) => void guard.revoke({ subject }).then(() => answer('done')))
    socket.on('recheck', (answer) => void guard.recheck().then(() => answer('done')))
    socket.on('who', (answer) => {
      void io
        .fetchSockets()
        .then((all) => answer(all.map(({ data }) => ({ ...data, lease: data.lease instanceof Object }))))
    })
    socket.on('disconnectAll', (room) => io.in(room).disconnectSockets(true))
  })
  http.listen({ port: 0, host: '127.0.0.1', exclusive: true })
  await once(http, 'listening')
  console.log(`ready ${String((http.address() as AddressInfo).port)}`)
}
