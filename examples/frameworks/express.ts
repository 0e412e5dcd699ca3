/** A chat of Express. What guards it: the guard, its door, and the handler that the door makes. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGuard, memory, query } from 'countersign'
import { expressDoor } from 'countersign/express'
import { ticket } from 'countersign/methods'
import express from 'express'

const guard = createGuard({ records: memory(), accept: [ticket({ from: query('ticket') })] })

const app = express()
const door = expressDoor(app, guard)
app.post('/ticket', async (_request, response) => {
  response.type('text').send((await guard.issue.ticket({ subject: 'alice' })).ticket)
})
const chat = door.sockets((socket, _request, lease) => socket.send(`hello ${lease.principal.id}`))
app.get('/chat', chat)

const server = createServer(app)
door.attach(server)
server.listen(Number(process.env['PORT'] ?? 8080), '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  console.log(`ready http://127.0.0.1:${port}/`)
})
