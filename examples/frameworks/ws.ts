/** A chat of `ws` alone, the base of the others. What guards it: the guard, and `guardUpgrades` before its server. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGuard, firstMessage, memory, query } from 'countersign'
import { ticket } from 'countersign/methods'
import { guardUpgrades, type ConnectionListener } from 'countersign/ws'
import { WebSocketServer } from 'ws'

const guard = createGuard({
  records: memory(),
  accept: [ticket({ from: [query('ticket'), firstMessage()] })],
})

const server = createServer(async (request, response) => {
  if (request.method !== 'POST') response.writeHead(404).end()
  else response.end((await guard.issue.ticket({ subject: 'alice' })).ticket)
})
const wss = new WebSocketServer({ noServer: true })
const greet: ConnectionListener = (socket, _request, lease) => socket.send(`hello ${lease.principal.id}`)
wss.on('connection', greet)
guardUpgrades(server, wss, guard)

server.listen(Number(process.env['PORT'] ?? 8080), '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  console.log(`ready http://127.0.0.1:${port}/`)
})
