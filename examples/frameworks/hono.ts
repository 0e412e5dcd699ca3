/** A chat of Hono on Node. What guards it: the guard, and one call. */
import { serve, upgradeWebSocket } from '@hono/node-server'
import { createGuard, memory, query } from 'countersign'
import { guardHono, leaseOf, socketsOf } from 'countersign/hono'
import { ticket } from 'countersign/methods'
import { Hono } from 'hono'
import { WebSocketServer } from 'ws'

const guard = createGuard({ records: memory(), accept: [ticket({ from: query('ticket') })] })

const app = new Hono()
app.post('/ticket', async (context) => context.text((await guard.issue.ticket({ subject: 'alice' })).ticket))
const chat = upgradeWebSocket((context) => ({
  onOpen: (_event, socket) => socket.send(`hello ${leaseOf(context).principal.id}`),
}))
app.get('/chat', chat)

const wss = new WebSocketServer({ noServer: true })
const port = Number(process.env['PORT'] ?? 8080)
const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port, websocket: socketsOf(wss) }, (info) =>
  console.log(`ready http://127.0.0.1:${info.port}/`),
)
guardHono(server, wss, guard)
