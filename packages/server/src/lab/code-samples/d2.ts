import { createServer } from 'node:http'
import { createGuard, memory, query } from 'countersign'
import { ticket } from 'countersign/methods'
import { guardUpgrades, type ConnectionListener } from 'countersign/ws'
import { WebSocketServer } from 'ws'

const guard = createGuard({
  records: memory(),
  origins: ['https://app.example.com'],
  audience: 'chat',
  accept: [ticket({ from: query('ticket') })],
})

const server = createServer()
const wss = new WebSocketServer({ noServer: true })
guardUpgrades(server, wss, guard)
const greet: ConnectionListener = (socket, _request, lease) => socket.send(`Hello ${lease.principal.id}!`)
wss.on('connection', greet)
server.listen(8080)

/** In your login code: whom your application has let in may fetch a ticket. */
export const ticketFor = async (subject: string): Promise<string> =>
  (await guard.issue.ticket({ subject })).ticket
