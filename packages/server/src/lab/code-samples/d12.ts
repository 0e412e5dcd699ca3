import { createServer } from 'node:http'
import { challengeFrames, createGuard, memory } from 'countersign'
import { wampcra } from 'countersign/methods'
import { guardUpgrades, type ConnectionListener } from 'countersign/ws'
import { WebSocketServer } from 'ws'

const guard = createGuard({
  records: memory(),
  origins: ['https://app.example.com'],
  audience: 'chat',
  accept: [wampcra({ from: challengeFrames() })],
})

const server = createServer()
const wss = new WebSocketServer({ noServer: true })
guardUpgrades(server, wss, guard)
const greet: ConnectionListener = (socket, _request, lease) => socket.send(`Hello ${lease.principal.id}!`)
wss.on('connection', greet)
server.listen(8080)

/** When the account is made; the key is what PBKDF2 makes of the secret. */
export const enrol = async (authid: string, secret: string): Promise<void> => {
  const salting = { salt: crypto.randomUUID(), iterations: 100_000, keylen: 32 }
  await guard.issue.challengeSecret({ subject: authid, authid, secret, salting })
}
