/** Documents of Hocuspocus. What guards them: the guard, one call, and an extension with a policy. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Hocuspocus } from '@hocuspocus/server'
import { createGuard, firstMessage, memory, messagePolicy, query } from 'countersign'
import { documentAccess, guardHocuspocus, leaseOf } from 'countersign/hocuspocus'
import { ticket } from 'countersign/methods'
import { WebSocketServer } from 'ws'

const guard = createGuard({
  records: memory(),
  accept: [ticket({ from: [query('ticket'), firstMessage()] })],
})
const policy = messagePolicy({ actions: { 'document.write': { roles: 'anyone' } } })

const hocuspocus = new Hocuspocus({
  quiet: true,
  extensions: [documentAccess(policy)],
  async connected({ connection, context }) {
    connection.sendStateless(`hello ${leaseOf({ context }).principal.id}`)
  },
})
const server = createServer(async (request, response) => {
  if (request.method !== 'POST') response.writeHead(404).end()
  else response.end((await guard.issue.ticket({ subject: 'alice' })).ticket)
})
guardHocuspocus(server, new WebSocketServer({ noServer: true }), guard, { hocuspocus })

server.listen(Number(process.env['PORT'] ?? 8080), '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  console.log(`ready http://127.0.0.1:${port}/`)
})
