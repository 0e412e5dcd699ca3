/** A guarded server in a process of its own, on a shared SQLite file. Prints its port. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGuard, query, type Lease } from 'countersign'
import { ticket } from 'countersign/methods'
import { sqlite } from 'countersign/stores/sqlite'
import { guardUpgrades } from 'countersign/ws'
import { WebSocketServer, type WebSocket } from 'ws'

const guard = createGuard({
  records: sqlite(process.argv[2] ?? ''),
  audience: 'race',
  accept: [ticket({ from: query('ticket') })],
})
const server = createServer()
const wss = new WebSocketServer({ noServer: true })
wss.on('connection', (socket: WebSocket, _request: unknown, lease: Lease) =>
  socket.send(`Hello ${lease.principal.id}!`),
)
guardUpgrades(server, wss, guard)
server.listen(0, '127.0.0.1', () => {
  // A TCP server that listens has an address of this shape.
  console.log((server.address() as AddressInfo).port)
})
