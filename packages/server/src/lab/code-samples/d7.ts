import { createServer } from 'node:http'
import { cookie, createGuard, memory } from 'countersign'
import { session } from 'countersign/methods'
import { guardUpgrades, type ConnectionListener } from 'countersign/ws'
import { WebSocketServer } from 'ws'

const guard = createGuard({
  records: memory(),
  origins: ['https://app.example.com'],
  audience: 'chat',
  accept: [session({ from: cookie('__Host-session') })],
})

const server = createServer()
const wss = new WebSocketServer({ noServer: true })
guardUpgrades(server, wss, guard)
const greet: ConnectionListener = (socket, _request, lease) => socket.send(`Hello ${lease.principal.id}!`)
wss.on('connection', greet)
server.listen(8080)

/** In your logout code: the login's sockets end with it. */
export const logOut = async (session: string): Promise<void> => {
  await guard.revoke({ session })
}
