/** Login, logout, and whose page it is. */
import {
  isSessionOver,
  sessionGrant,
  type AccountRow,
  type Guard,
  type Records,
  type SessionRow,
} from 'countersign'
import { normaliseUsername } from 'countersign/methods'
import { argon2Passwords, nodePlatform } from 'countersign/platform/node'
import { allowsOrigin, compileOrigins, findCookie, serializeCookie, subnetOf } from 'countersign/wire'
import { urlencoded, type ErrorRequestHandler, type Request, type Response } from 'express'
import { z } from 'zod'
import { accounts } from './accounts.ts'
import type { House } from './house.ts'
import { consolePage, loginPage } from './pages.ts'
import { cookieName } from './web.ts'

const platform = nodePlatform()

/** The form, and nothing besides. */
const form = z.strictObject({ username: z.string().max(64), password: z.string().max(256) })

/** The sentences of the one error place: a wrong name and a wrong password are told alike. */
const sentences = {
  invalid_credential: 'That name and password do not belong together.',
  too_many_attempts: 'Too many tries. Wait a little before the next one.',
  overloaded: 'The server is busy. Try again in a few seconds.',
} as const

const statuses = { invalid_credential: 401, too_many_attempts: 429, overloaded: 503 } as const

type Failure = keyof typeof sentences

/** Adds the routes, and the accounts to the records. */
export async function addLogin(house: House, guard: Guard, records: Records): Promise<void> {
  const { app, origins, sessionMs, surroundings } = house
  const { journal } = surroundings
  const rules = compileOrigins(origins)
  const passwords = argon2Passwords()
  for (const { username, password, role } of accounts) {
    const passwordHash = await passwords.hash(password)
    await records.putAccount({
      username,
      roles: [role],
      passwordHash,
      disabled: false,
      changedAtMs: Date.now(),
    })
  }

  app.get('/', async (request, response) => {
    const login = await sessionOf(request, records)
    response
      .type('html')
      .send(login === undefined ? loginPage({ insecure: false }) : consolePage(login.subject, false))
  })

  // Cookies travel with requests of any page: what changes something needs the Origin of one of ours.
  app.post(['/login', '/logout'], (request, response, next) => {
    const { origin } = request.headers
    if (origin !== undefined && allowsOrigin(rules, origin)) next()
    else response.status(403).type('text').send('Forbidden')
  })

  app.post('/login', urlencoded({ extended: false, limit: '2kb' }), async (request, response) => {
    const read = form.safeParse(request.body)
    if (!read.success) {
      response.status(400).type('text').send('Bad request')
      return
    }
    const username = normaliseUsername(read.data.username)
    const judged = await judge({ ...read.data, username }, request)
    if (typeof judged === 'string') {
      // Not whose name it was said to be: people type passwords there.
      journal.record({ act: 'login', outcome: 'refused', reason: judged, address: addressOf(request) })
      const page = loginPage({ username, error: sentences[judged], insecure: false })
      response.status(statuses[judged]).type('html').send(page)
      return
    }
    const former = await sessionOf(request, records)
    if (former !== undefined) await guard.revoke({ session: former.root }, 'logged_out')
    const { session } = await guard.issue.session({
      subject: username,
      roles: judged.roles,
      ttlMs: sessionMs,
    })
    journal.record({
      act: 'login',
      outcome: 'accepted',
      who: username,
      roles: judged.roles,
      address: addressOf(request),
    })
    setCookie(response, session, Math.floor(sessionMs / 1_000))
    response.redirect(303, '/')
  })

  app.post('/logout', async (request, response) => {
    const login = await sessionOf(request, records)
    if (login !== undefined) {
      const { subject: who, roles, root } = login
      await guard.revoke({ session: root }, 'logged_out')
      journal.record({ act: 'logout', outcome: 'done', who, roles })
    }
    setCookie(response, 'over', 0)
    response.redirect(303, '/')
  })

  app.use((_request, response) => void response.status(404).type('text').send('Not found'))
  app.use(sayLittle)

  /** One answer for a wrong name and a wrong password, at the same cost, after the count of failures was asked. */
  async function judge(
    { username, password }: { readonly username: string; readonly password: string },
    request: Request,
  ): Promise<AccountRow | Failure> {
    const source = subnetOf(addressOf(request))
    const guess = { identity: username, source }
    if ((await guard.guesses.waitMs({ ...guess, now: Date.now() })) > 0) return 'too_many_attempts'
    const account = await records.findAccount(username)
    const outcome = await passwords.verify(password, account?.passwordHash, source)
    if (outcome === 'busy') return 'overloaded'
    const right = outcome === 'right'
    if ((await guard.guesses.tried({ ...guess, now: Date.now() }, right)) > 0) return 'too_many_attempts'
    return right && account !== undefined ? account : 'invalid_credential'
  }
}

/** The login session whose cookie the request shows, if it is good. */
async function sessionOf(request: Request, records: Records): Promise<SessionRow | undefined> {
  const shown = findCookie(request.headers.cookie, cookieName)
  if (shown.kind !== 'found') return undefined
  const row = await records.findSession(await platform.hash(shown.value))
  if (row === undefined || row.purpose !== 'login' || isSessionOver(row, Date.now())) return undefined
  return (await records.findMark(sessionGrant(row), '')) === undefined ? row : undefined
}

function setCookie(response: Response, value: string, maxAgeSeconds: number): void {
  const attributes = { httpOnly: true, sameSite: 'Strict', maxAgeSeconds } as const
  response.append('Set-Cookie', serializeCookie(cookieName, value, attributes))
}

function addressOf(request: Request): string {
  return request.socket.remoteAddress ?? ''
}

/** Errors of Express and of its parsers: the status, and nothing of what was wrong. */
const sayLittle: ErrorRequestHandler = (error: unknown, _request, response, _next) => {
  const status: unknown =
    typeof error === 'object' && error !== null ? Reflect.get(error, 'status') : undefined
  const client = typeof status === 'number' && status >= 400 && status < 500
  response
    .status(client ? status : 500)
    .type('text')
    .send(client ? 'Bad request' : 'Something went wrong')
}
