import { createServer } from 'node:http'
import { createGuard, firstMessage, memory, type Lease } from 'countersign'
import { session } from 'countersign/methods'
import { guardUpgrades } from 'countersign/ws'
import { WebSocketServer, type WebSocket } from 'ws'

const guard = createGuard({
  records: memory(),
  origins: ['https://app.example.com'],
  audience: 'chat',
  accept: [session({ from: firstMessage(), purposes: ['alias'] })],
})

const server = createServer()
const wss = new WebSocketServer({ noServer: true })
guardUpgrades(server, wss, guard)
wss.on('connection', (socket: WebSocket, _request: unknown, lease: Lease) => {
  socket.send(`Hello ${lease.principal.id}!`)
})
server.listen(8080)

/** For your page: readable, and good at this door only. `session` is the id of its login session. */
export const aliasFor = async (subject: string, session: string): Promise<string> =>
  (await guard.issue.session({ subject, session, purpose: 'alias' })).session
