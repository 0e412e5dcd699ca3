/**
 * The insecure twin: what the console would be without a guard and without care, in a place of its own so that no switch
 * reaches into the other. Every hole is planted; `holes.json` lists them. It starts no program.
 */
import type { Server as HttpServer } from 'node:http'
import { urlencoded, type ErrorRequestHandler } from 'express'
import type { Surroundings } from '../commands.ts'
import type { House, Serving } from '../house.ts'
import { consolePage, loginPage } from '../pages.ts'
import { cookieName, serveAssets } from '../web.ts'
import { idIn, LooseSessions } from './sessions.ts'
import { openSockets, serveSockets } from './sockets.ts'

/** Serves, with holes. */
export async function serveInsecure(house: House, http: HttpServer): Promise<Serving> {
  const io = openSockets(http)
  const sessions = new LooseSessions(house.sessionMs)
  serveAssets(house.app)
  addLooseLogin(house, sessions)
  serveSockets(
    io,
    sessions,
    surroundingsOf(house, sessions, (who, text) => {
      io.of('/console').emit('announce', { who, text })
      return io.of('/console').sockets.size
    }),
  )
  console.error('INSECURE: this console has holes on purpose. Never show it to a network.')
  return { close: () => io.close() }
}

/** Programs are pretended: whoever comes through a hole must not read this machine. */
function surroundingsOf(
  { surroundings }: House,
  sessions: LooseSessions,
  announce: Surroundings['announce'],
): Surroundings {
  return {
    ...surroundings,
    announce,
    evict: async (who) => sessions.forget(who),
    async *program(name) {
      yield `${name}: the insecure twin starts no programs`
    },
  }
}

/** Any host, any origin, any number of tries; the cookie has no attributes, and its value outlives the login. */
function addLooseLogin({ app, surroundings }: House, sessions: LooseSessions): void {
  const { journal } = surroundings
  app.get('/', (request, response) => {
    const session = sessions.take(request.headers.cookie)
    const account = sessions.accountOf(session.id)
    response.append('Set-Cookie', `${cookieName}=${session.id}; Path=/`)
    response
      .type('html')
      .send(account === undefined ? loginPage({ insecure: true }) : consolePage(account.username, true))
  })
  app.post('/login', urlencoded({ extended: false }), (request, response) => {
    const session = sessions.take(request.headers.cookie)
    const { username, password } = request.body as { readonly username: string; readonly password: string } // Not looked at.
    const found = sessions.logIn(session, username, password)
    if (typeof found === 'string') {
      journal.record({ act: 'login', outcome: 'refused', who: username, reason: found })
      response
        .status(401)
        .type('html')
        .send(loginPage({ username, error: found, insecure: true }))
      return
    }
    journal.record({ act: 'login', outcome: `accepted ${cookieName}=${session.id}`, who: username })
    response.append('Set-Cookie', `${cookieName}=${session.id}; Path=/`)
    response.redirect(303, '/')
  })
  app.post('/logout', (request, response) => {
    sessions.all.delete(idIn(request.headers.cookie) ?? '')
    response.append('Set-Cookie', `${cookieName}=; Path=/; Max-Age=0`)
    response.redirect(303, '/')
  })
  const sayEverything: ErrorRequestHandler = (error: unknown, _request, response, _next) => {
    response
      .status(500)
      .type('text')
      .send(error instanceof Error ? error.stack : String(error))
  }
  app.use(sayEverything)
}
