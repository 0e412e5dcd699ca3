/** A chat of Fastify. What guards it: the guard, and one registration. */
import type { AddressInfo } from 'node:net'
import { createGuard, memory, query } from 'countersign'
import { countersign } from 'countersign/fastify'
import { ticket } from 'countersign/methods'
import fastify from 'fastify'

const guard = createGuard({ records: memory(), accept: [ticket({ from: query('ticket') })] })

const app = fastify()
await app.register(countersign, { guard })
app.post('/ticket', async () => (await guard.issue.ticket({ subject: 'alice' })).ticket)
app.get('/chat', { websocket: true }, (socket, request) => {
  socket.send(`hello ${request.lease.principal.id}`)
})

await app.listen({ host: '127.0.0.1', port: Number(process.env['PORT'] ?? 8080) })
const { port } = app.server.address() as AddressInfo
console.log(`ready http://127.0.0.1:${port}/`)
