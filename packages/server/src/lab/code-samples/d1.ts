import { createServer } from 'node:http'
import { createGuard, firstMessage, memory } from 'countersign'
import { apiKey, jwks, jwt, session, ticket } from 'countersign/methods'
import { guardUpgrades, type ConnectionListener } from 'countersign/ws'
import { WebSocketServer } from 'ws'

const keys = jwks({ url: 'https://id.example.com/.well-known/jwks.json' })
const from = firstMessage()
const guard = createGuard({
  records: memory(),
  origins: ['https://app.example.com'],
  audience: 'chat',
  accept: [
    ticket({ from }),
    session({ from }),
    apiKey({ from }),
    jwt({ from, issuer: 'https://id.example.com', audience: 'chat', algorithms: ['Ed25519'], keys }),
  ],
})

const server = createServer()
const wss = new WebSocketServer({ noServer: true })
guardUpgrades(server, wss, guard)
const greet: ConnectionListener = (socket, _request, lease) => socket.send(`Hello ${lease.principal.id}!`)
wss.on('connection', greet)
server.listen(8080)
