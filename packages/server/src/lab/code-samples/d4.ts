import { createServer } from 'node:http'
import { authorization, createGuard, memory, type Lease } from 'countersign'
import { password, ticket } from 'countersign/methods'
import { argon2Passwords } from 'countersign/platform/node'
import { guardUpgrades } from 'countersign/ws'
import { WebSocketServer, type WebSocket } from 'ws'

const from = authorization('Basic')
const guard = createGuard({
  records: memory(),
  origins: ['https://app.example.com'],
  passwords: argon2Passwords(),
  refusals: 'http', // browsers send user information only after a 401
  audience: 'chat',
  accept: [ticket({ from }), password({ from })],
})

const server = createServer()
const wss = new WebSocketServer({ noServer: true })
guardUpgrades(server, wss, guard)
wss.on('connection', (socket: WebSocket, _request: unknown, lease: Lease) => {
  socket.send(`Hello ${lease.principal.id}!`)
})
server.listen(8080)
