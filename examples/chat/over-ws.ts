/** The same chat on plain WebSockets at `/chat`: JSON frames such as `{"type":"message","message":"…","lat":1,"lon":2}`. */
import type { Server } from 'node:http'
import type { Guard, Lease } from 'countersign'
import { onActions, upgradeListener, type ConnectionListener } from 'countersign/ws'
import { WebSocketServer, type WebSocket } from 'ws'
import { framePolicy } from './messages.ts'
import type { Room } from './room.ts'
import type { Answer, Speech } from './speech.ts'

/** Bytes that may wait for one client that does not read; beyond them it is cut off. */
const maxUnread = 262_144

/** Between two pings, milliseconds; who answers none is cut off at the next. */
const heartbeatMs = 15_000

/** Opens `/chat`; Socket.IO answers for its own path, and nobody for any other. @returns a function that closes it */
export function openWebSockets(
  server: Server,
  guard: Guard,
  chat: { readonly room: Room; readonly speech: Speech },
): () => void {
  // No subprotocol is spoken here: without this, the first that is offered would be selected.
  const wss = new WebSocketServer({ noServer: true, maxPayload: 16_384, handleProtocols: () => false })
  const listener: ConnectionListener = (socket, _request, lease) => welcome(socket, lease, chat)
  wss.on('connection', listener)
  const judge = upgradeListener(wss, guard, { messages: framePolicy })
  server.on('upgrade', (request, socket, head) => {
    const path = request.url?.split('?', 1)[0]
    if (path === '/chat') judge(request, socket, head)
    else if (path !== '/socket.io/') socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n')
  })
  const beat = setInterval(() => wss.clients.forEach(checkOn), heartbeatMs).unref()
  return () => {
    clearInterval(beat)
    wss.close()
  }
}

/** Sockets that have been pinged, and have not answered yet. */
const silent = new WeakSet<WebSocket>()

/** Cuts off who is gone without a word, and would count as present. */
function checkOn(socket: WebSocket): void {
  if (silent.has(socket)) socket.terminate()
  else {
    silent.add(socket)
    socket.once('pong', () => silent.delete(socket))
    socket.ping()
  }
}

function welcome(
  socket: WebSocket,
  lease: Lease,
  { room, speech }: { readonly room: Room; readonly speech: Speech },
): void {
  const { id: nickname, roles } = lease.principal
  const ends_in = Math.floor((lease.untilMs - Date.now()) / 1_000)
  say(socket, { type: 'welcome', nickname, roles, ends_in, history: room.lines })
  const leave = room.enter((type, body) => say(socket, { type, ...body }))
  socket.on('close', leave)
  onActions(socket, framePolicy, {
    message: (spoken, { id }) => {
      void speech.say(lease, spoken).then((answer) => tell(socket, { action: 'message', id }, answer))
    },
    remove: (removal, { id }) => tell(socket, { action: 'remove', id }, speech.remove(removal)),
    mute: (silence, { id }) => tell(socket, { action: 'mute', id }, speech.mute(silence)),
  })
}

/** In the words in which the guard refuses. */
function tell(
  socket: WebSocket,
  asked: { readonly action: string; readonly id: string | number | undefined },
  answer: Answer,
): void {
  if (answer?.kind === 'done') say(socket, { type: 'accepted', ...asked, number: answer.number })
  if (answer?.kind !== 'refused') return
  const { reason, retryInMs } = answer
  say(socket, {
    type: 'error',
    reason,
    ...asked,
    retry_in: retryInMs === undefined ? undefined : retryInMs / 1_000,
  })
}

function say(socket: WebSocket, frame: object): void {
  if (socket.bufferedAmount > maxUnread) socket.terminate()
  else socket.send(JSON.stringify(frame))
}
