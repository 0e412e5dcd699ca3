import { createServer } from 'node:http'
import { createGuard, memory, query, type Lease } from 'countersign'
import { ticket } from 'countersign/methods'
import { guardUpgrades } from 'countersign/ws'
import { WebSocketServer, type WebSocket } from 'ws'

const guard = createGuard({
  records: memory(),
  origins: ['https://app.example.com'],
  audience: 'chat',
  accept: [ticket({ from: query('ticket') })],
})

const server = createServer()
const wss = new WebSocketServer({ noServer: true })
guardUpgrades(server, wss, guard)
wss.on('connection', (socket: WebSocket, _request: unknown, lease: Lease) => {
  socket.send(`Hello ${lease.principal.id}!`)
})
server.listen(8080)

/** In the API call that clients make first. */
export const connectUrl = async (subject: string): Promise<string> =>
  `wss://ws.example.com/?ticket=${(await guard.issue.ticket({ subject })).ticket}`
