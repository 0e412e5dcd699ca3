import { createServer } from 'node:http'
import { cookie, createGuard, memory, type Lease } from 'countersign'
import { session } from 'countersign/methods'
import { guardUpgrades } from 'countersign/ws'
import { WebSocketServer, type WebSocket } from 'ws'

const guard = createGuard({
  records: memory(),
  origins: ['https://app.example.com'],
  audience: 'chat',
  accept: [session({ from: cookie('__Host-session') })],
})

const server = createServer()
const wss = new WebSocketServer({ noServer: true })
guardUpgrades(server, wss, guard)
wss.on('connection', (socket: WebSocket, _request: unknown, lease: Lease) => {
  socket.send(`Hello ${lease.principal.id}!`)
})
server.listen(8080)

/** In your logout code: the login's sockets end with it. */
export const logOut = async (session: string): Promise<void> => {
  await guard.revoke({ session })
}
