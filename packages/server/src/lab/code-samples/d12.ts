import { createServer } from 'node:http'
import { challengeFrames, createGuard, memory, type Lease } from 'countersign'
import { wampcra } from 'countersign/methods'
import { guardUpgrades } from 'countersign/ws'
import { WebSocketServer, type WebSocket } from 'ws'

const guard = createGuard({
  records: memory(),
  origins: ['https://app.example.com'],
  audience: 'chat',
  accept: [wampcra({ from: challengeFrames() })],
})

const server = createServer()
const wss = new WebSocketServer({ noServer: true })
guardUpgrades(server, wss, guard)
wss.on('connection', (socket: WebSocket, _request: unknown, lease: Lease) => {
  socket.send(`Hello ${lease.principal.id}!`)
})
server.listen(8080)

/** When the account is made; the key is what PBKDF2 makes of the secret. */
export const enrol = async (authid: string, secret: string): Promise<void> => {
  const salting = { salt: crypto.randomUUID(), iterations: 100_000, keylen: 32 }
  await guard.issue.challengeSecret({ subject: authid, authid, secret, salting })
}
