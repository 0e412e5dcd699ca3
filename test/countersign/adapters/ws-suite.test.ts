import { createServer } from 'node:http'
import { WebSocketServer } from 'ws'
import { guardUpgrades, type ConnectionListener } from '../../../packages/countersign/src/adapters/ws.ts'
import { adapterSuite } from './suite.ts'

adapterSuite({
  name: 'ws',
  open({ guard, messages, greet }) {
    const server = createServer()
    const wss = new WebSocketServer({ noServer: true })
    const connected: ConnectionListener = (socket, request, lease) => {
      if (!request.url?.startsWith('/chat')) return socket.close(1008)
      const hear = greet(lease, [request.url, request.headers, request.rawHeaders], (text) =>
        socket.send(text),
      )
      socket.on('message', (data: Buffer) => hear(data.toString()))
    }
    wss.on('connection', connected)
    guardUpgrades(server, wss, guard, messages)
    return {
      server,
      close() {
        guard.close()
        server.close()
      },
    }
  },
})
