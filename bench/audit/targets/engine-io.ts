/** A server of Engine.IO, whose sockets could end the process by a frame that is none (CVE-2022-21676, fixed in 6.1.1). */
import { createServer, type Server } from 'node:http'
import { age, listen, load, ready } from './here.ts'

interface Engine {
  attach(server: Server): { on(event: 'connection', listener: (socket: Socket) => void): void }
}
interface Socket {
  on(event: 'message', listener: (data: unknown) => void): void
}

const { attach } = load(`engine.io-${age}`) as Engine // what the package exports
const server = createServer()
attach(server).on('connection', (socket) => socket.on('message', () => undefined))
ready(await listen(server), '/engine.io/?EIO=4&transport=websocket', { protocol: 'plain', public: true })
