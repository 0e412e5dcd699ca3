import { createServer } from 'node:http'
import { createGuard, memory, subprotocol, type Lease } from 'countersign'
import { jwks, jwt, ticket } from 'countersign/methods'
import { guardUpgrades } from 'countersign/ws'
import { WebSocketServer, type WebSocket } from 'ws'

const keys = jwks({ url: 'https://id.example.com/.well-known/jwks.json' })
const from = subprotocol()
const guard = createGuard({
  records: memory(),
  origins: ['https://app.example.com'],
  audience: 'chat',
  accept: [
    ticket({ from }),
    jwt({ from, issuer: 'https://id.example.com', audience: 'chat', algorithms: ['Ed25519'], keys }),
  ],
})

const server = createServer()
const wss = new WebSocketServer({ noServer: true })
guardUpgrades(server, wss, guard)
wss.on('connection', (socket: WebSocket, _request: unknown, lease: Lease) => {
  socket.send(`Hello ${lease.principal.id}!`)
})
server.listen(8080)
