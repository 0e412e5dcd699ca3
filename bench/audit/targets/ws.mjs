/**
 * A server of the library ws. 8.17.0 dies of a handshake whose own fields stand behind those that Node keeps
 * (CVE-2024-37890). Node 24 refuses such a head by itself, so this runs on a Node 20, which reads no TypeScript.
 */
import { createServer } from 'node:http'
import { createRequire } from 'node:module'

const load = createRequire(new URL('../packages/package.json', import.meta.url))
const { WebSocketServer } = load(`ws-${process.argv[2] ?? 'new'}`)
const server = createServer()
const wss = new WebSocketServer({ server, maxPayload: 65_536 })
wss.on('connection', (socket) => {
  socket.on('error', () => undefined)
  socket.on('message', (data) => socket.send(String(data).slice(0, 100)))
})
server.listen(0, '127.0.0.1', () => {
  process.on('disconnect', () => process.exit(0))
  process.send?.({ url: `ws://127.0.0.1:${server.address().port}/`, options: { public: true } })
})
