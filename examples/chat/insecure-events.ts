/** The insecure twin over Socket.IO. */
import type { Server as HttpServer } from 'node:http'
import { Server, type Socket } from 'socket.io'
import { callerOf, type People } from './insecure-people.ts'
import type { Line, Room } from './room.ts'

type Reply = ((answer: unknown) => void) | undefined

/** Any page may read what it answers, cookies included, and nothing is too big. @returns a function that closes it */
export function openInsecureEvents(http: HttpServer, room: Room, people: People): () => Promise<void> {
  const io = new Server(http, {
    cors: { origin: true, credentials: true },
    maxHttpBufferSize: 100_000_000,
    destroyUpgrade: false,
  })
  io.on('connection', (socket) => welcome(socket, room, people))
  return () => io.close()
}

/** Everybody hears everything, may do everything, and is who they say they are. */
function welcome(socket: Socket, room: Room, people: People): void {
  const { nickname, roles } = callerOf(socket.request, people)
  socket.emit('welcome', { nickname, roles, ends_in: 28_800, history: room.lines })
  socket.on(
    'disconnect',
    room.enter((name, body) => void socket.emit(name, body)),
  )
  socket.on('outgoing message', (spoken: Partial<Line>, reply: Reply) => {
    const { number } = room.post({ nickname, ...(spoken as Pick<Line, 'message' | 'lat' | 'lon'>) })
    reply?.({ ok: true, number })
  })
  socket.on('remove message', ({ number }: { readonly number: number }, reply: Reply) => {
    const ok = room.remove(number)
    reply?.({ ok })
  })
  socket.on('mute', (silence: { readonly nickname: string; readonly minutes: number }, reply: Reply) => {
    room.tell('muted', silence)
    reply?.({ ok: true })
  })
}
