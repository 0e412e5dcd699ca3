/** `/`, `/login`, `/logout` and `/me`: by form for people, by JSON for programs. */
import formBody from '@fastify/formbody'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { loginBody, logoutBody, readBody } from './bodies.ts'
import { dropCookie, readCookie } from './cookies.ts'
import { isLoginToken, isLogoutToken, loginToken, logoutToken } from './form-tokens.ts'
import { issuedHeaders } from './headers.ts'
import { logIn, type LoginOutcome } from './login.ts'
import { renderAccount } from './pages/account-page.ts'
import { loginErrors, renderLogin } from './pages/login-page.ts'
import { refuse, statusOf, type Word } from './refuse.ts'
import { findLogin } from './sessions.ts'
import type { SiteContext } from './site-options.ts'

interface Visit {
  readonly site: SiteContext
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

/** Registers the routes. Forms are read here and nowhere else on the site. */
export async function registerLogin(app: FastifyInstance, site: SiteContext): Promise<void> {
  await app.register(async (scope) => {
    await scope.register(formBody)
    scope.get('/', (request, reply) => start({ site, request, reply }))
    scope.get('/login', (request, reply) => showLogin({ site, request, reply }))
    scope.post('/login', (request, reply) => login({ site, request, reply }))
    scope.post('/logout', (request, reply) => logout({ site, request, reply }))
    scope.get('/me', (request, reply) => tellWho({ site, request, reply }))
  })
}

/**
 * Where a visitor of `/` belongs: to the login, to the site's home, or to the page that says who they are.
 */
async function start(visit: Visit): Promise<FastifyReply> {
  const { site, request, reply } = visit
  const session = await findLogin(site, request)
  if (session === undefined) return reply.redirect('/login', 303)
  if (site.options.home !== undefined) return reply.redirect(site.options.home, 303)
  return page(
    reply,
    200,
    renderAccount({
      username: session.subject,
      roles: session.roles,
      expiresInMinutes: Math.round((session.expiresAtMs - site.now()) / 60_000),
      csrf: await logoutToken(site, session.id),
    }),
  )
}

/** The form, unless nobody needs it. */
async function showLogin(visit: Visit): Promise<FastifyReply> {
  const { site, request, reply } = visit
  if ((await findLogin(site, request)) !== undefined) return reply.redirect(homeOf(site), 303)
  return loginPage(visit, { status: 200, error: undefined, username: '' })
}

/**
 * One path for forms and programs. A form of a page proves that it is this site's own; programs send no
 * `Origin`.
 */
async function login(visit: Visit): Promise<FastifyReply> {
  const { site, request, reply } = visit
  const body = readBody(loginBody, request.body)
  if (body === undefined) return refuse(reply, 'invalid_request')
  const byForm = isForm(request)
  if (byForm && isByPage(visit) && !(await isLoginToken(site, request, body.csrf))) {
    return loginPage(visit, { status: 403, error: loginErrors.stale_form, username: body.username })
  }
  const outcome = await logIn(site, body, { request, reply })
  if (byForm) return answerForm(visit, outcome, body.username)
  if (outcome.kind === 'right') {
    return reply.headers(issuedHeaders).send({ ok: true, username: outcome.username, roles: outcome.roles })
  }
  return refuseLogin(reply, outcome.reason, outcome.retryAfterMs)
}

function answerForm(
  visit: Visit,
  outcome: LoginOutcome,
  username: string,
): FastifyReply | Promise<FastifyReply> {
  if (outcome.kind === 'right') return visit.reply.redirect(homeOf(visit.site), 303)
  if (outcome.retryAfterMs !== undefined) visit.reply.header('retry-after', seconds(outcome.retryAfterMs))
  return loginPage(visit, { status: statusOf(outcome.reason), error: loginErrors[outcome.reason], username })
}

/** Ends the session, its children and every lease that came of it. Without a session there is nothing left to do. */
async function logout(visit: Visit): Promise<FastifyReply> {
  const { site, request, reply } = visit
  const body = readBody(logoutBody, request.body)
  if (body === undefined) return refuse(reply, 'invalid_request')
  const session = await findLogin(site, request)
  const byForm = isForm(request)
  if (session !== undefined && byForm && !(await isLogoutToken(site, session.id, body.csrf))) {
    return refuse(reply, 'forbidden')
  }
  if (session !== undefined) await site.options.issuer.revoke({ session: session.id }, 'logged_out')
  const { secure } = site.options
  if (readCookie(request, site.cookies.session) !== undefined) {
    dropCookie(reply, { name: site.cookies.session, sameSite: 'Lax', secure })
  }
  if (readCookie(request, site.cookies.preauth) !== undefined) {
    dropCookie(reply, { name: site.cookies.preauth, sameSite: 'Strict', secure })
  }
  return byForm ? reply.redirect('/login', 303) : reply.send({ ok: true })
}

/** Who is logged in, and for how long yet. */
async function tellWho(visit: Visit): Promise<FastifyReply> {
  const { site, request, reply } = visit
  const session = await findLogin(site, request)
  if (session === undefined) return refuse(reply, 'missing_credential')
  const { subject, roles, expiresAtMs } = session
  return reply.send({
    username: subject,
    roles,
    session_expires_in: Math.round((expiresAtMs - site.now()) / 1_000),
  })
}

async function loginPage(
  visit: Visit,
  shown: { readonly status: number; readonly error: string | undefined; readonly username: string },
): Promise<FastifyReply> {
  const { site, request, reply } = visit
  const csrf = await loginToken(site, request, reply)
  const demo = site.options.demo?.accounts ?? []
  const { error, username } = shown
  return page(reply, shown.status, renderLogin({ csrf, error, username, demo }))
}

function page(reply: FastifyReply, status: number, text: string): FastifyReply {
  return reply.code(status).header('content-type', 'text/html; charset=utf-8').send(text)
}

/** For programs: the status of the table, `ok` beside the word. */
function refuseLogin(reply: FastifyReply, word: Word, retryAfterMs: number | undefined): FastifyReply {
  if (retryAfterMs !== undefined) reply.header('retry-after', seconds(retryAfterMs))
  return reply.code(statusOf(word)).send({ ok: false, error: word })
}

/**
 * Whether a browser may have sent this form: browsers send `Origin` with every form post (Fetch §3.2), and beside it
 * `Sec-Fetch-Site` or at least the cookie of the form that they were shown. A program that has none of it owes no token:
 * there is no page whose form could be forged, and the Origin that it names was judged like any other.
 */
function isByPage({ site, request }: Visit): boolean {
  if (request.headers['sec-fetch-site'] !== undefined) return true
  return request.headers.origin !== undefined && readCookie(request, site.cookies.form) !== undefined
}

/**
 * By its content type: browsers cannot be made to send JSON across origins without asking first (Fetch, CORS
 * preflight).
 */
function isForm(request: FastifyRequest): boolean {
  return request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true
}

function homeOf(site: SiteContext): string {
  return site.options.home ?? '/'
}

/** `Retry-After` in whole seconds, at least one (RFC 9110 §10.2.3). */
function seconds(ms: number): string {
  return String(Math.max(1, Math.ceil(ms / 1_000)))
}
