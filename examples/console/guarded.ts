/** The console as it should be: one guard for the page's session and for its sockets. */
import type { Server as HttpServer } from 'node:http'
import { cookie, createGuard, memory } from 'countersign'
import { session } from 'countersign/methods'
import { guardSocketIo, type GuardedData } from 'countersign/socket.io'
import { allowsHost, compileHosts } from 'countersign/wire'
import { Server, type DefaultEventsMap as Events } from 'socket.io'
import { consolePolicy, serveConsole } from './desk.ts'
import type { House, Serving } from './house.ts'
import { addLogin } from './login.ts'
import { Runs } from './runs.ts'
import { cookieName, serveAssets } from './web.ts'

/** Guards and serves. */
export async function serveGuarded(house: House, http: HttpServer): Promise<Serving> {
  const { app, hosts, origins, surroundings } = house
  const { journal } = surroundings
  const records = memory()
  const io = new Server<Events, Events, Events, GuardedData>(http, {
    serveClient: false,
    maxHttpBufferSize: 16_384,
  })

  // What guards the console.
  const guard = createGuard({
    records,
    hosts,
    origins,
    name: 'console',
    accept: [session({ from: cookie(cookieName) })],
    perSubject: { most: 8, whenFull: 'reject' },
    limits: { graceMs: 0, jitter: 0 },
    journal: { record: (entry) => journal.recordGuard(entry) },
  })
  guardSocketIo(io, guard, { namespaces: { '/console': { events: consolePolicy(journal) } } })

  const consoles = io.of('/console')
  const runs = new Runs({
    ...surroundings,
    announce(who, text) {
      consoles.emit('announce', { who, text })
      return consoles.sockets.size
    },
    async evict(who) {
      const open = guard.leases(who).length
      await guard.revoke({ subject: who }, 'logged_out')
      return open
    },
  })
  consoles.on('connection', (socket) => serveConsole(socket, runs, journal))

  const rules = compileHosts(hosts)
  app.use((request, response, next) => {
    if (allowsHost(rules, request.headers.host ?? '')) next()
    else response.status(421).type('text').send('Misdirected request')
  })
  serveAssets(app)
  await addLogin(house, guard, records)
  return {
    async close() {
      guard.close()
      await io.close()
    },
  }
}
