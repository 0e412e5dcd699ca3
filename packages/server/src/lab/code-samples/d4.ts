import { createServer } from 'node:http'
import { authorization, createGuard, memory } from 'countersign'
import { password, ticket } from 'countersign/methods'
import { argon2Passwords } from 'countersign/platform/node'
import { guardUpgrades, type ConnectionListener } from 'countersign/ws'
import { WebSocketServer } from 'ws'

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
const greet: ConnectionListener = (socket, _request, lease) => socket.send(`Hello ${lease.principal.id}!`)
wss.on('connection', greet)
server.listen(8080)
