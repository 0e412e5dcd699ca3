import { createServer } from 'node:http'
import { createGuard, firstMessage, memory } from 'countersign'
import { session } from 'countersign/methods'
import { guardUpgrades, type ConnectionListener } from 'countersign/ws'
import { WebSocketServer } from 'ws'

const guard = createGuard({
  records: memory(),
  origins: ['https://app.example.com'],
  audience: 'chat',
  accept: [session({ from: firstMessage(), purposes: ['alias'] })],
})

const server = createServer()
const wss = new WebSocketServer({ noServer: true })
guardUpgrades(server, wss, guard)
const greet: ConnectionListener = (socket, _request, lease) => socket.send(`Hello ${lease.principal.id}!`)
wss.on('connection', greet)
server.listen(8080)

/** For your page: readable, and good at this door only. `session` is the id of its login session. */
export const aliasFor = async (subject: string, session: string): Promise<string> =>
  (await guard.issue.session({ subject, session, purpose: 'alias' })).session
