/** A greeting by tRPC. What guards it: the guard, and `guardTrpc` before `applyWSSHandler`. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { initTRPC } from '@trpc/server'
import { applyWSSHandler } from '@trpc/server/adapters/ws'
import { createGuard, firstMessage, memory, query, type Lease } from 'countersign'
import { ticket } from 'countersign/methods'
import { guardTrpc, leaseOf } from 'countersign/trpc'
import { WebSocketServer } from 'ws'

const guard = createGuard({
  records: memory(),
  accept: [ticket({ from: [query('ticket'), firstMessage()] })],
})

const t = initTRPC.context<{ readonly lease: Lease }>().create()
const router = t.router({
  greeting: t.procedure.query(({ ctx }) => `hello ${ctx.lease.principal.id}`),
})

const server = createServer(async (request, response) => {
  if (request.method !== 'POST') response.writeHead(404).end()
  else response.end((await guard.issue.ticket({ subject: 'alice' })).ticket)
})
const wss = new WebSocketServer({ noServer: true })
guardTrpc(server, wss, guard)
applyWSSHandler({ wss, router, createContext: (options) => ({ lease: leaseOf(options) }) })

server.listen(Number(process.env['PORT'] ?? 8080), '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  console.log(`ready http://127.0.0.1:${port}/`)
})
