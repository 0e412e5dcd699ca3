import { createServer } from 'node:http'
import { cookie, createGuard, memory } from 'countersign'
import { session } from 'countersign/methods'
import { guardUpgrades, type ConnectionListener } from 'countersign/ws'
import { WebSocketServer } from 'ws'

const guard = createGuard({
  records: memory(),
  origins: ['https://app.example.com'],
  audience: 'chat',
  accept: [session({ from: cookie('__Host-frame'), purposes: ['frame'] })],
})

const server = createServer()
const wss = new WebSocketServer({ noServer: true })
guardUpgrades(server, wss, guard)
const greet: ConnectionListener = (socket, _request, lease) => socket.send(`Hello ${lease.principal.id}!`)
wss.on('connection', greet)
server.listen(8080)

/** In `POST /exchange` of this origin, once it has taken the frame's ticket: the value of its cookie. */
export const cookieFor = async (subject: string, session: string, page: string): Promise<string> =>
  (await guard.issue.session({ subject, session, purpose: 'frame', origin: page })).session
