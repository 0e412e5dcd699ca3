/** The insecure twin on plain WebSockets. */
import type { IncomingMessage, Server } from 'node:http'
import { WebSocketServer, type RawData, type WebSocket } from 'ws'
import { callerOf, type People } from './insecure-people.ts'
import type { Room } from './room.ts'

/** Any path but Socket.IO's, any page, any size that `ws` itself takes. @returns a function that closes it */
export function openInsecureFrames(server: Server, room: Room, people: People): () => void {
  const wss = new WebSocketServer({ noServer: true })
  wss.on('connection', (socket: WebSocket, request: IncomingMessage) =>
    welcome(socket, request, { room, people }),
  )
  server.on('upgrade', (request, socket, head) => {
    if (request.url?.startsWith('/socket.io/') === true) return
    wss.handleUpgrade(request, socket, head, (ws) => wss.emit('connection', ws, request))
  })
  return () => {
    for (const socket of wss.clients) socket.terminate()
    wss.close()
  }
}

function welcome(
  socket: WebSocket,
  request: IncomingMessage,
  { room, people }: { readonly room: Room; readonly people: People },
): void {
  const { nickname, roles } = callerOf(request, people)
  const say = (frame: object): void => socket.send(JSON.stringify(frame))
  say({ type: 'welcome', nickname, roles, ends_in: 28_800, history: room.lines })
  socket.on(
    'close',
    room.enter((type, body) => say({ type, ...body })),
  )
  socket.on('message', (data, isBinary) => {
    try {
      hear(data, isBinary)
    } catch (error) {
      say({ type: 'error', reason: String(error), stack: error instanceof Error ? error.stack : undefined })
    }
  })

  /** What it does not know it sends back as it came. */
  function hear(data: RawData, isBinary: boolean): void {
    if (isBinary) return socket.send(data, { binary: true })
    const { type, priv, ...body } = JSON.parse(data.toString())
    const mayModerate = roles.includes('moderator') || priv === true
    if (type === 'message')
      say({ type: 'accepted', action: type, number: room.post({ nickname, ...body }).number })
    else if (type === 'remove' && mayModerate) room.remove(body.number)
    else if (type === 'mute' && mayModerate) room.tell('muted', body)
    else if (type === 'remove' || type === 'mute') say({ type: 'error', reason: 'forbidden', action: type })
    else socket.send(data, { binary: false })
  }
}
