import { createServer } from 'node:http'
import { cookie, createGuard, memory, query, type Lease } from 'countersign'
import { preauth } from 'countersign/methods'
import { guardUpgrades } from 'countersign/ws'
import { WebSocketServer, type WebSocket } from 'ws'

const guard = createGuard({
  records: memory(),
  origins: ['https://app.example.com'],
  audience: 'chat',
  accept: [preauth({ from: cookie('__Host-preauth'), csrf: query('csrf') })],
})

const server = createServer()
const wss = new WebSocketServer({ noServer: true })
guardUpgrades(server, wss, guard)
wss.on('connection', (socket: WebSocket, _request: unknown, lease: Lease) => {
  socket.send(`Hello ${lease.principal.id}!`)
})
server.listen(8080)

/** In `POST /preauth`, under the login: `cookie` for Set-Cookie (HttpOnly, SameSite=Strict), `csrf` for the page. */
export const preauthFor = async (
  subject: string,
  session: string,
): Promise<{ cookie: string; csrf: string }> => guard.issue.preauth({ subject, session })
