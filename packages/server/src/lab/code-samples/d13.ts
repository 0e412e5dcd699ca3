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

/** At login: name and secret are fresh for this page, and dead at its logout. */
export const secretFor = async (
  subject: string,
  session: string,
): Promise<{ authid: string; secret: string }> => guard.issue.challengeSecret({ subject, session })
