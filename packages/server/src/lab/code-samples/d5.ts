import { createServer } from 'node:http'
import { authorization, createGuard, memory, type Lease } from 'countersign'
import { apiKey, jwks, jwt, password } from 'countersign/methods'
import { argon2Passwords } from 'countersign/platform/node'
import { guardUpgrades } from 'countersign/ws'
import { WebSocketServer, type WebSocket } from 'ws'

const keys = jwks({ url: 'https://id.example.com/.well-known/jwks.json' })
const bearer = authorization('Bearer')
const guard = createGuard({
  records: memory(),
  passwords: argon2Passwords(),
  audience: 'chat',
  accept: [
    apiKey({ from: bearer }),
    jwt({ from: bearer, issuer: 'https://id.example.com', audience: 'chat', algorithms: ['Ed25519'], keys }),
    password({ from: authorization('Basic') }),
  ],
})

const server = createServer()
const wss = new WebSocketServer({ noServer: true })
guardUpgrades(server, wss, guard)
wss.on('connection', (socket: WebSocket, _request: unknown, lease: Lease) => {
  socket.send(`Hello ${lease.principal.id}!`)
})
server.listen(8080)
