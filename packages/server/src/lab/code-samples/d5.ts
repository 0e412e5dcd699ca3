import { createServer } from 'node:http'
import { authorization, createGuard, memory } from 'countersign'
import { apiKey, jwks, jwt, password } from 'countersign/methods'
import { argon2Passwords } from 'countersign/platform/node'
import { guardUpgrades, type ConnectionListener } from 'countersign/ws'
import { WebSocketServer } from 'ws'

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
const greet: ConnectionListener = (socket, _request, lease) => socket.send(`Hello ${lease.principal.id}!`)
wss.on('connection', greet)
server.listen(8080)
