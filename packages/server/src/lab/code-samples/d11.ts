import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { createGuard, memory, tls } from 'countersign'
import { certificate } from 'countersign/methods'
import { guardUpgrades, type ConnectionListener } from 'countersign/ws'
import { WebSocketServer } from 'ws'

const guard = createGuard({
  records: memory(),
  origins: ['https://app.example.com'],
  accept: [
    certificate({
      from: tls(),
      subjects: ({ commonName }) =>
        commonName === undefined ? undefined : { subject: commonName, roles: [] },
    }),
  ],
})

const [key, cert, ca] = ['key.pem', 'cert.pem', 'ca.pem'].map((file) => readFileSync(file))
const server = createServer({ key, cert, ca, requestCert: true, rejectUnauthorized: false }) // the guard decides
const wss = new WebSocketServer({ noServer: true })
guardUpgrades(server, wss, guard)
const greet: ConnectionListener = (socket, _request, lease) => socket.send(`Hello ${lease.principal.id}!`)
wss.on('connection', greet)
server.listen(8443) // a port of its own: asking for certificates would disturb every other door
