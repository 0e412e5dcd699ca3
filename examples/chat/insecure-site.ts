/** The insecure twin's login, logout and pages. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import { accounts } from './accounts.ts'
import { sessionIdOf, type People } from './insecure-people.ts'
import { pageFolder, servePageFiles } from './page-files.ts'
import { chatPage, loginPage } from './pages.ts'
import type { Settings } from './settings.ts'

/** The site, for any host, any page and any number of tries. */
export function insecureSite(people: People, settings: Settings): Express {
  const app = express()
  const dress = { insecure: true }
  app.get('/page/words.mjs', (_request, response) =>
    response.sendFile(join(pageFolder, 'insecure-words.mjs')),
  )
  servePageFiles(app)

  app.get('/', (request, response) => {
    const person = people.get(sessionIdOf(request) ?? '')
    if (person === undefined) response.redirect(303, '/login')
    else response.send(chatPage({ id: person.nickname, roles: person.roles }, dress))
  })
  app.get('/login', (_request, response) => void response.send(loginPage(undefined, dress)))

  app.post('/login', express.urlencoded({ extended: false }), (request, response) => {
    const { nickname, password } = request.body as { readonly nickname?: string; readonly password?: string }
    const account = accounts.find((each) => each.nickname === nickname)
    if (account?.password !== password || account === undefined) {
      const words = account === undefined ? 'There is no such nickname.' : 'That is not the password.'
      response.status(401).send(loginPage({ words }, dress))
      return
    }
    const id = sessionIdOf(request) ?? randomUUID()
    people.set(id, { ...account, endsAtMs: Date.now() + settings.sessionMs })
    response.append('set-cookie', `chat-session=${id}; Path=/`).redirect(303, '/')
  })

  app.post('/logout', (request, response) => {
    people.delete(sessionIdOf(request) ?? '')
    response.redirect(303, '/login')
  })

  app.post('/ticket', (request, response) => {
    const person = people.get(sessionIdOf(request) ?? '')
    if (person === undefined) {
      response.status(401).json({ ok: false })
      return
    }
    const ticket = randomUUID()
    people.set(ticket, person)
    response.json({ ticket, expires_in: Math.floor((person.endsAtMs - Date.now()) / 1_000) })
  })

  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    response.status(500).json({ error: error instanceof Error ? error.stack : String(error) })
  })
  return app
}
