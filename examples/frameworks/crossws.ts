/** A chat of crossws. What guards it: the guard, and the adapter made by it. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGuard, memory, query } from 'countersign'
import { crosswsDoor, leaseOf } from 'countersign/crossws'
import { ticket } from 'countersign/methods'

const guard = createGuard({ records: memory(), accept: [ticket({ from: query('ticket') })] })

const door = crosswsDoor(guard, {
  hooks: { open: (peer) => void peer.send(`hello ${leaseOf(peer).principal.id}`) },
})
const server = createServer(async (request, response) => {
  if (request.method !== 'POST') response.writeHead(404).end()
  else response.end((await guard.issue.ticket({ subject: 'alice' })).ticket)
})
door.attach(server)

server.listen(Number(process.env['PORT'] ?? 8080), '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  console.log(`ready http://127.0.0.1:${port}/`)
})
