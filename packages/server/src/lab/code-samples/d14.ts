import { createServer } from 'node:http'
import { cookie, createGuard, firstMessage, memory, messagePolicy } from 'countersign'
import { session, ticket } from 'countersign/methods'
import { guardSocketIo, type GuardedData } from 'countersign/socket.io'
import { Server, type DefaultEventsMap as Events } from 'socket.io'

const origins = ['https://app.example.com']
const guard = createGuard({
  records: memory(),
  origins,
  audience: 'chat',
  accept: [ticket({ from: firstMessage() }), session({ from: cookie('__Host-session') })],
})

const server = createServer()
const io = new Server<Events, Events, Events, GuardedData>(server, {
  cors: { origin: origins, credentials: true },
})
const events = messagePolicy({
  actions: { echo: { roles: ['user', 'admin'] }, announce: { roles: ['admin'] } },
})
guardSocketIo(io, guard, { namespaces: { '/': { events } } })
io.on('connection', (socket) => {
  socket.emit('greeting', `Hello ${socket.data.lease.principal.id}!`)
  socket.on('echo', (word, answer) => answer(word))
})
server.listen(8080)

/** For a page that has logged in: `io(url, { auth: (show) => void ticket().then((fresh) => show({ ticket: fresh })) })` */
export const ticketFor = async (subject: string): Promise<string> =>
  (await guard.issue.ticket({ subject, roles: ['user'] })).ticket
