/** A greeting by GraphQL. What guards it: the guard, and `guardGraphql` in place of `useServer`. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGuard, firstMessage, memory, query } from 'countersign'
import { graphqlCloseCodes, guardGraphql, leaseOf } from 'countersign/graphql-ws'
import { ticket } from 'countersign/methods'
import { buildSchema } from 'graphql'
import { WebSocketServer } from 'ws'

const guard = createGuard({
  records: memory(),
  accept: [ticket({ from: [query('ticket'), firstMessage()] })],
  closeCodes: graphqlCloseCodes,
})

const server = createServer(async (request, response) => {
  if (request.method !== 'POST') response.writeHead(404).end()
  else response.end((await guard.issue.ticket({ subject: 'alice' })).ticket)
})
guardGraphql(server, new WebSocketServer({ noServer: true }), guard, {
  schema: buildSchema('type Query { greeting: String }'),
  roots: { query: { greeting: (_: unknown, user: string) => `hello ${user}` } },
  context: (context) => leaseOf(context).principal.id,
})

server.listen(Number(process.env['PORT'] ?? 8080), '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  console.log(`ready http://127.0.0.1:${port}/`)
})
