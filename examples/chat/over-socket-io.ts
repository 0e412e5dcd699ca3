/** The chat over Socket.IO: the events of the page, and the same as raw frames. */
import type { Server as HttpServer } from 'node:http'
import type { Guard } from 'countersign'
import { guardSocketIo, type GuardedData } from 'countersign/socket.io'
import { Server, type DefaultEventsMap, type Socket } from 'socket.io'
import { eventPolicy, type Removal, type Silence, type Spoken } from './messages.ts'
import type { Line, Room, Told } from './room.ts'
import type { Answer, Speech } from './speech.ts'

type Reply = (answer: unknown) => void

/** What passes the policy. The acknowledgement is there where the client awaits one. */
interface Asked {
  'outgoing message'(spoken: Spoken, reply?: Reply): void
  'remove message'(removal: Removal, reply?: Reply): void
  mute(silence: Silence, reply?: Reply): void
}

type Heard = { [Name in keyof Told]: (body: Told[Name]) => void } & {
  welcome(who: {
    readonly nickname: string
    readonly roles: readonly string[]
    /** The lease ends in so many seconds, unless it is renewed. */
    readonly ends_in: number
    readonly history: readonly Line[]
  }): void
  auth_error(error: object): void
}

type ChatSocket = Socket<Asked, Heard, DefaultEventsMap, GuardedData>

/** Packets that may wait for one client that does not read; one more and its transport is closed. */
const maxWaiting = 200

/** Opens the default namespace. @returns a function that closes it, and with it the HTTP server */
export function openSocketIo(
  http: HttpServer,
  guard: Guard,
  chat: { readonly room: Room; readonly speech: Speech },
): () => Promise<void> {
  const io = new Server<Asked, Heard, DefaultEventsMap, GuardedData>(http, {
    maxHttpBufferSize: 16_384,
    // Plain sockets have a path of their own beside this one.
    destroyUpgrade: false,
  })
  guardSocketIo(io, guard, { namespaces: { '/': { events: eventPolicy } } })
  io.on('connection', (socket) => welcome(socket, chat))
  return () => io.close()
}

function welcome(
  socket: ChatSocket,
  { room, speech }: { readonly room: Room; readonly speech: Speech },
): void {
  const { lease } = socket.data
  const { id: nickname, roles } = lease.principal
  boundQueue(socket)
  socket.emit('welcome', {
    nickname,
    roles,
    ends_in: Math.floor((lease.untilMs - Date.now()) / 1_000),
    history: room.lines,
  })
  const leave = room.enter((name, body) => void (socket as Socket).emit(name, body))
  socket.on('disconnect', leave)
  socket.on('outgoing message', (spoken, reply) => {
    void speech.say(lease, spoken).then((answer) => tell(socket, 'outgoing message', answer, reply))
  })
  socket.on('remove message', (removal, reply) =>
    tell(socket, 'remove message', speech.remove(removal), reply),
  )
  socket.on('mute', (silence, reply) => tell(socket, 'mute', speech.mute(silence), reply))
}

/** In the words in which the guard refuses: to the acknowledgement where one is awaited, else as `auth_error`. */
function tell(socket: ChatSocket, action: string, answer: Answer, reply: Reply | undefined): void {
  if (answer === undefined) return
  if (answer.kind === 'done') {
    reply?.({ ok: true, number: answer.number })
    return
  }
  const { reason, retryInMs } = answer
  const error = { reason, action, retry_in: retryInMs === undefined ? undefined : retryInMs / 1_000 }
  if (reply === undefined) socket.emit('auth_error', error)
  else reply({ error })
}

/** Engine.IO says when a packet is queued, and when its queue has been handed on. */
function boundQueue({ conn }: ChatSocket): void {
  let waiting = 0
  conn.on('packetCreate', () => {
    waiting++
    if (waiting > maxWaiting) conn.close(true)
  })
  conn.on('drain', () => (waiting = 0))
}
