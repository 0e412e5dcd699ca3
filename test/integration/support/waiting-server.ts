/**
 * A server whose sockets say nothing, in a process of its own that may collect garbage: guarded, with a door of first
 * messages, or bare `ws`. Prints its port, and for every line that it is sent, what it holds: open sockets and memory.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { createGuard, firstMessage, memory } from 'countersign'
import { ticket } from 'countersign/methods'
import { guardUpgrades } from 'countersign/ws'
import { WebSocketServer } from 'ws'

const server = createServer()
const wss = new WebSocketServer({ noServer: true })
let waiting = (): number => wss.clients.size
if (process.argv[2] === 'guarded') {
  const many = 1_000_000
  const guard = createGuard({
    records: memory(),
    accept: [ticket({ from: firstMessage() })],
    // Nobody is sent away while memory is measured.
    limits: {
      deadlineMs: 120_000,
      handshakesPerSecond: many,
      pool: { total: many, perSource: many, perSubnet: many },
    },
  })
  guardUpgrades(server, wss, guard)
  waiting = () => guard.pool.size
} else {
  server.on('upgrade', (request, socket, head) => {
    wss.handleUpgrade(request, socket, head, (client) => wss.emit('connection', client, request))
  })
}
server.listen(0, '127.0.0.1', () => {
  // A TCP server that listens has an address of this shape.
  console.log((server.address() as AddressInfo).port)
})

createInterface({ input: process.stdin }).on('line', async () => {
  for (let round = 0; round < 4; round++) {
    globalThis.gc?.()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const { heapUsed, external } = process.memoryUsage()
  console.log(JSON.stringify({ waiting: waiting(), heapUsed, external }))
})
