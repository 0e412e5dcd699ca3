/** A chat of Socket.IO. What guards it: the guard, one call, and a policy for the events of its namespace. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGuard, firstMessage, memory, messagePolicy } from 'countersign'
import { ticket } from 'countersign/methods'
import { guardSocketIo, type GuardedData } from 'countersign/socket.io'
import { Server, type DefaultEventsMap as Events } from 'socket.io'

const guard = createGuard({ records: memory(), accept: [ticket({ from: firstMessage() })] })
const events = messagePolicy({ actions: { say: { roles: 'anyone' } } })

const server = createServer(async (request, response) => {
  if (request.method !== 'POST') response.writeHead(404).end()
  else response.end((await guard.issue.ticket({ subject: 'alice' })).ticket)
})
const io = new Server<Events, Events, Events, GuardedData>(server)
guardSocketIo(io, guard, { namespaces: { '/chat': { events } } })
io.of('/chat').on('connection', (socket) => socket.emit('greeting', `hello ${socket.data.subject.id}`))

server.listen(Number(process.env['PORT'] ?? 8080), '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  console.log(`ready http://127.0.0.1:${port}/`)
})
