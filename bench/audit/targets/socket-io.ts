/**
 * A server of Socket.IO. 4.6.1 dies of an event called `error` (CVE-2024-38355); with `parser`, of today with a parser of
 * before, which takes an object for the name of an event (CVE-2023-32695). With `engine-old` it stands on engine.io 6.1.0,
 * which dies of a broken frame right behind a handshake (CVE-2022-21676), with `engine-fixed` on 6.1.1.
 */
import { createServer, type Server as HttpServer } from 'node:http'
import { age, listen, load, ready } from './here.ts'

interface Io {
  readonly Server: new (
    server?: HttpServer,
    options?: object,
  ) => {
    bind(engine: Engine): void
    on(event: 'connection', listener: (socket: Socket) => void): void
  }
}
interface Engine {
  attach(server: HttpServer, options: object): void
}
interface EngineIo {
  readonly Server: new () => Engine
}
interface Socket {
  on(event: string, listener: (...args: readonly unknown[]) => void): void
  emit(event: string, body: object): void
}

const withOldParser = age === 'parser'
const { Server } = load(age === 'old' ? 'socket.io-old' : 'socket.io-new') as Io // what the package exports
const server = createServer()
const io = age.startsWith('engine-')
  ? new Server()
  : new Server(server, withOldParser ? { parser: load('socket.io-parser-old') as object } : {})
if (age.startsWith('engine-')) {
  const { Server: EngineServer } = load(age.replace('engine-', 'engine.io-')) as EngineIo // what the package exports
  const engine = new EngineServer()
  engine.attach(server, { path: '/socket.io/' })
  io.bind(engine)
}
io.on('connection', (socket) => {
  socket.emit('welcome', { to: 'anybody' })
  socket.on('hello', (_body, answer) => {
    if (typeof answer === 'function') answer({ hello: 'there' })
  })
})
ready(await listen(server), '/socket.io/', {
  protocol: 'socket.io',
  public: true,
  messages: [{ event: 'hello', args: [{ text: 'hello' }] }],
})
