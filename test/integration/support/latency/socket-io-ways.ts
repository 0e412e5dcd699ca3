/** The ways into Socket.IO: a namespace and its application, and clients that speak its packets over a WebSocket. */
import { messagePolicy } from 'countersign'
import { guardSocketIo, type GuardedData } from 'countersign/socket.io'
import { Server, type Socket } from 'socket.io'
import { docsOfDoor } from '../../../../packages/server/src/lab/cases/doors.ts'
import { doors, labCookies } from '../../../../packages/server/src/lab/doors.ts'
import { pageOrigin } from '../../../countersign/support/guard.ts'
import { admitted, Line, type Guest, type Words } from './guest.ts'
import { listen, Numbered, talkEveryMs, type Application, type Heard, type Place } from './place.ts'
import type { Town } from './town.ts'
import { guardOf, ticketOf, tokenOf, type Visit, type Way } from './ways.ts'

type Said = Record<'number', (number: string) => void>
type Member = Socket<Said, Said, Record<string, never>, GuardedData>

/** Numbers as events; the reason of the end is told by one too, as Engine.IO closes without a code. */
const words: Words = {
  say: (number) => `42["number","${number}"]`,
  hear: (text) => Number(/^42\["number","(\d+)"\]$/.exec(text)?.[1]),
  farewell: (texts) =>
    texts
      .map((text) => /^42\["auth_end",\{"reason":"(\w+)"/.exec(text)?.[1])
      .find((word) => word !== undefined),
}

/** A namespace whose policy allows numbers, at a rate that nobody reaches. */
export async function openSocketIo(town: Town, short: boolean): Promise<Place> {
  const door = doors.find(({ protocol }) => protocol === 'socket.io')
  if (door === undefined) throw new TypeError('the lab has no door of Socket.IO')
  const guard = guardOf(town, door, short)
  const events = messagePolicy({
    actions: { number: { roles: 'anyone' } },
    rate: { max: 100_000, intervalMs: 1_000 },
  })
  const { server, port, end } = await listen(undefined)
  const io = new Server<Said, Said, Record<string, never>, GuardedData>(server)
  guardSocketIo(io, guard, { namespaces: { '/': { events } } })
  const application = new Namespace(io)
  return {
    guard,
    application,
    url: `ws://localhost:${port}/socket.io/?EIO=4&transport=websocket`,
    async close() {
      application.stop()
      guard.close()
      io.engine.close()
      await end()
    },
  }
}

/** Speaks to every socket that it was given, ended or not, and to all of the namespace. */
class Namespace implements Application {
  readonly said = new Numbered()
  readonly #heard = new Map<string, Heard>()
  readonly #sockets = new Set<Member>()
  readonly #timer = setInterval(() => this.speak(), talkEveryMs)

  constructor(io: Server<Said, Said, Record<string, never>, GuardedData>) {
    io.on('connection', (socket: Member) => {
      const heard = this.heard(socket.data.subject.id)
      this.#sockets.add(socket)
      socket.on('number', (number) => {
        heard.count++
        heard.highest = Math.max(heard.highest, Number(number))
      })
      socket.on('disconnect', () => void setTimeout(() => this.#sockets.delete(socket), 100))
    })
  }

  heard(subject: string): Heard {
    const known = this.#heard.get(subject) ?? { highest: 0, count: 0 }
    this.#heard.set(subject, known)
    return known
  }

  speak(): void {
    const number = this.said.next()
    for (const socket of this.#sockets) socket.emit('number', number)
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}

async function connected({ place, person }: Visit, auth: object, headers: object = {}): Promise<Guest> {
  const line = new Line(place.url, [], { headers: { ...headers } })
  await line.opened()
  line.send(`40${JSON.stringify(auth)}`)
  await line.heard((text) => text.startsWith('40'))
  return admitted(line, { person, place }, words)
}

const here = { door: 'D14', page: docsOfDoor('D14') } as const

/** In the order of the page. */
export const socketIoWays: readonly Way[] = [
  {
    ...here,
    accepts: 'ticket',
    roots: ['session'],
    enter: async (visit) => connected(visit, { ticket: await ticketOf(visit) }),
  },
  {
    ...here,
    accepts: 'jwt',
    roots: ['session', 'issuer'],
    enter: (visit) => connected(visit, { token: tokenOf(visit) }),
  },
  {
    ...here,
    accepts: 'session',
    roots: ['session'],
    enter: (visit) =>
      connected(
        visit,
        {},
        { origin: pageOrigin, cookie: `${labCookies.session}=${visit.person.session.secret}` },
      ),
  },
]
