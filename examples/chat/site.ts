/** The site around the sockets: log in, the page, a ticket for programs, log out. */
import type { Guard, Reason } from 'countersign'
import { serializeCookie } from 'countersign/wire'
import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import { z } from 'zod'
import { knock } from './knock.ts'
import { chatPage, loginPage, siteHeaders } from './pages.ts'
import { servePageFiles } from './page-files.ts'
import type { Settings } from './settings.ts'

/** On plain-http loopback; behind TLS it would begin with `__Host-` and be `Secure`. */
export const cookieName = 'chat-session'

/** What the site is made of. */
export interface SiteParts {
  /** Judges sockets, and issues what they are opened with. */
  readonly guard: Guard
  /** Judges the login form. */
  readonly login: Guard
  /** Judges requests that change something. */
  readonly acting: Guard
  /** Judges who reads a page. */
  readonly reading: Guard
  readonly settings: Settings
}

/** Bounds in characters; a colon would end the name in the header that carries both. */
const loginForm = z.object({
  nickname: z.string().regex(/^[^:]{1,64}$/),
  password: z.string().min(1).max(256),
})

const statuses: Partial<Readonly<Record<Reason, number>>> = {
  invalid_credential: 401,
  missing_credential: 401,
  expired_credential: 401,
  too_many_attempts: 429,
  overloaded: 503,
  wrong_host: 421,
  internal: 500,
}

/** The site as a listener of requests. */
export function siteOf(parts: SiteParts): Express {
  const { guard, login, acting, reading, settings } = parts
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.use((_request, response, next) => {
    response.set(siteHeaders)
    next()
  })
  servePageFiles(app)

  app.get('/', async (request, response) => {
    const visitor = await knock(reading, request)
    if (visitor.kind === 'known') response.send(chatPage(visitor.principal))
    else if (visitor.reason === 'wrong_host') refuse(response, visitor.reason)
    else response.redirect(303, '/login')
  })

  app.get('/login', (_request, response) => void response.send(loginPage()))

  app.post('/login', express.urlencoded({ extended: false, limit: 4_096 }), async (request, response) => {
    const form = loginForm.safeParse(request.body)
    const visitor = await knock(login, request, {
      authorization: form.success ? basic(form.data) : undefined,
    })
    if (visitor.kind === 'refused') {
      const failed = visitor.reason === 'missing_credential' ? 'invalid_credential' : visitor.reason
      response.status(statusOf(failed)).send(loginPage(failed))
      return
    }
    // A fresh session at every login, against fixation; the one that the browser came with ends.
    await endSession(request)
    const { id: subject, roles } = visitor.principal
    const issued = await guard.issue.session({ subject, roles, ttlMs: settings.sessionMs })
    response.append('set-cookie', sessionCookie(issued.session)).redirect(303, '/')
  })

  app.post('/logout', async (request, response) => {
    const reason = await endSession(request)
    if (reason !== undefined && statusOf(reason) !== 401) {
      refuse(response, reason)
      return
    }
    response.append('set-cookie', sessionCookie('', 0)).redirect(303, '/login')
  })

  app.post('/ticket', async (request, response) => {
    const visitor = await knock(acting, request)
    if (visitor.kind === 'refused') {
      refuse(response, visitor.reason)
      return
    }
    const { subject, roles, session } = visitor.grant
    const issued = await guard.issue.ticket({ subject, roles, session, leaseMs: settings.sessionMs })
    response.json({ ticket: issued.ticket, expires_in: 30 })
  })

  app.use((_request, response) => void response.status(404).type('text').send('There is nothing here.\n'))
  app.use(failed)
  return app

  /** Ends the session of a request that comes from a page of this site, and every socket that rests upon it. */
  async function endSession(request: Request): Promise<Reason | undefined> {
    const visitor = await knock(acting, request)
    if (visitor.kind === 'refused') return visitor.reason
    const { session } = visitor.grant
    if (session !== undefined) await guard.revoke({ session }, 'logged_out')
    return undefined
  }
}

function basic({ nickname, password }: z.output<typeof loginForm>): string {
  return `Basic ${Buffer.from(`${nickname}:${password}`).toString('base64')}`
}

function sessionCookie(value: string, maxAgeSeconds?: number): string {
  const age = maxAgeSeconds === undefined ? {} : { maxAgeSeconds }
  return serializeCookie(cookieName, value, { httpOnly: true, sameSite: 'Lax', path: '/', ...age })
}

function statusOf(reason: Reason): number {
  return statuses[reason] ?? 403
}

function refuse(response: Response, reason: Reason): void {
  response.status(statusOf(reason)).json({ ok: false, reason })
}

/** Whatever went wrong is ours to know: a body that cannot be read, a bug. Four parameters make it Express's own. */
function failed(error: unknown, _request: Request, response: Response, _next: NextFunction): void {
  const given: unknown =
    typeof error === 'object' && error !== null ? Reflect.get(error, 'status') : undefined
  const status = typeof given === 'number' && given >= 400 && given < 500 ? given : 500
  response.status(status).type('text').send('This request could not be served.\n')
}
