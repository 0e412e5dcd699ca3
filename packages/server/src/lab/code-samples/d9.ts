import { createServer } from 'node:http'
import { cookie, createGuard, memory, query } from 'countersign'
import { preauth } from 'countersign/methods'
import { guardUpgrades, type ConnectionListener } from 'countersign/ws'
import { WebSocketServer } from 'ws'

const guard = createGuard({
  records: memory(),
  origins: ['https://app.example.com'],
  audience: 'chat',
  accept: [preauth({ from: cookie('__Host-preauth'), csrf: query('csrf') })],
})

const server = createServer()
const wss = new WebSocketServer({ noServer: true })
guardUpgrades(server, wss, guard)
const greet: ConnectionListener = (socket, _request, lease) => socket.send(`Hello ${lease.principal.id}!`)
wss.on('connection', greet)
server.listen(8080)

/** In `POST /preauth`, under the login: `cookie` for Set-Cookie (HttpOnly, SameSite=Strict), `csrf` for the page. */
export const preauthFor = async (
  subject: string,
  session: string,
): Promise<{ cookie: string; csrf: string }> => guard.issue.preauth({ subject, session })
