/** The lab's own routes on the site: its page, the table of doors, and what the cases need to be shown. */
import type { Guard, Records } from 'countersign'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { KeyPairPem } from '../server/certificates.ts'
import type { SiteJournal } from '../server/journal.ts'
import { refuse } from '../server/refuse.ts'
import type { DemoAccount, LoginSession } from '../server/site-options.ts'
import { demoSecrets } from './accounts.ts'
import { serveAutobahn, serveLabAssets, serveSocketIo } from './assets.ts'
import { hasDocs, serveDocs } from './docs-pages.ts'
import { labCookies, type Door } from './doors.ts'
import { expiredKinds, issueExpired, type ExpiredOptions } from './expired.ts'
import { serveJournal } from './journal-stream.ts'
import { answerLoginSecret } from './login-secret.ts'
import { renderLab } from './page/lab-page.ts'
import { packageP12 } from './p12.ts'
import { programVersion } from '../server/version.ts'
import type { LabWamp } from './wamp.ts'
import type { WireRecorder } from './wire-recorder.ts'

/** A door as routes know it. */
export interface RoutedDoor {
  readonly door: Door
  readonly url: string
  readonly guard: Guard
}

/** What the routes stand on. */
export interface LabRouteOptions {
  readonly accounts: readonly DemoAccount[]
  readonly built: readonly RoutedDoor[]
  /** The router on the site's own listener. */
  readonly wamp: Pick<LabWamp, 'id' | 'url' | 'realm' | 'guard'>
  readonly records: Records
  readonly issuer: Guard
  readonly journal: SiteJournal
  readonly recorder: WireRecorder
  readonly hostileOrigin: string
  readonly siteOrigin: string
  readonly client: KeyPairPem
  readonly authority: string
  /** Signs what the expired JWT case shows. */
  readonly expired: Pick<ExpiredOptions, 'sign' | 'issuer'>
}

/** Adds everything below `/lab` to a site made by `createSite`, whose Host and Origin rules then hold here too. */
export function addLabRoutes(app: FastifyInstance, options: LabRouteOptions): void {
  serveLabAssets(app)
  serveAutobahn(app)
  serveSocketIo(app)
  serveDocs(app)
  const table = doorTable(options)
  app.get('/lab/doors.json', (_request, reply) => reply.send(table))
  app.get('/lab', (request, reply) => showLab(app, options, { request, reply }))
  app.get('/lab/login-secret', (request, reply) => showLoginSecret(app, options, { request, reply }))
  app.get('/lab/alias', (request, reply) => answerChild(app, options, { request, reply, purpose: 'alias' }))
  app.post('/lab/session', (request, reply) =>
    answerChild(app, options, { request, reply, purpose: 'login' }),
  )
  app.post('/lab/expired', async (request, reply) => {
    const session = await app.site.session(request)
    return answerExpired(options, session, { request, reply })
  })
  app.post('/lab/forget', forget)
  app.get('/lab/wire', (request, reply) => {
    const { probe } = queryOf(request)
    return reply.send({ lines: probe === undefined ? [] : options.recorder.lines(probe) })
  })
  serveJournal(app, options.journal)
  app.get('/lab/ca.pem', (_request, reply) => reply.type('application/x-pem-file').send(options.authority))
  const p12 = once(() => packageP12(options.client, options.authority))
  app.get('/lab/client.p12', async (_request, reply) => answerP12(reply, await p12()))
}

/** The page, for whoever is logged in, under the one host whose cookies it, its sockets and the hostile site speak of. */
async function showLab(
  app: FastifyInstance,
  options: LabRouteOptions,
  { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
): Promise<FastifyReply> {
  if (!isHere(request, options)) return reply.redirect(`${options.siteOrigin}/lab`, 303)
  const session = await app.site.session(request)
  if (session === undefined) return reply.redirect('/login', 303)
  return reply.type('text/html; charset=utf-8').send(
    renderLab({
      username: session.subject,
      roles: session.roles,
      version: programVersion(),
      doors: [
        ...options.built.map(({ door, url }) => ({ id: door.id, url })),
        { id: 'D15', url: options.wamp.url },
      ],
      hostileOrigin: options.hostileOrigin,
      docsBase: hasDocs ? '/' : undefined,
    }),
  )
}

/** Whether a page was asked for under the one host name that the lab speaks of. */
function isHere(request: FastifyRequest, { siteOrigin }: LabRouteOptions): boolean {
  return request.host === new URL(siteOrigin).host
}

/** The page that carries its secret, for whoever is logged in. */
async function showLoginSecret(
  app: FastifyInstance,
  options: LabRouteOptions,
  { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
): Promise<FastifyReply> {
  if (!isHere(request, options)) return reply.redirect(`${options.siteOrigin}/lab/login-secret`, 303)
  const provedAtMs = Date.now()
  const session = await app.site.session(request)
  if (session === undefined) return reply.redirect('/login', 303)
  const waitMs = app.site.allowances.challengeSecrets.take(session.id, provedAtMs)
  if (waitMs > 0) return refuse(reply, 'too_many_attempts', waitMs)
  const doorUrl = options.built.find(({ door }) => door.id === 'D13')?.url ?? ''
  return answerLoginSecret(reply, { issuer: options.issuer, doorUrl, session, provedAtMs })
}

/** A session that pages can read, beside the login's own, which they cannot. It ends with the login. */
async function answerChild(
  app: FastifyInstance,
  options: LabRouteOptions,
  {
    request,
    reply,
    purpose,
  }: {
    readonly request: FastifyRequest
    readonly reply: FastifyReply
    readonly purpose: 'alias' | 'login'
  },
): Promise<FastifyReply> {
  const login = await app.site.session(request)
  if (login === undefined) return refuse(reply, 'missing_credential')
  // It lasts as long as the login: a login that asks without end must not fill the records.
  const waitMs = app.site.allowances.preauths.take(login.id, Date.now())
  if (waitMs > 0) return refuse(reply, 'too_many_attempts', waitMs)
  const { subject, roles, id, endsAtMs } = login
  const ttlMs = lifeUntil(endsAtMs)
  const issued = await options.issuer.issue.session({ subject, roles, session: id, purpose, ttlMs })
  return reply.send({ [purpose === 'alias' ? 'alias' : 'session']: issued.session })
}

/** What programs can rely on: see the reference of the HTTP interface. */
function doorTable(options: LabRouteOptions): object {
  const { plain, salted } = demoSecrets
  const { wamp } = options
  const challenge = {
    plain: { authid: plain.authid, secret: plain.secret },
    salted: { authid: salted.authid, secret: salted.secret },
  }
  const [first] = options.built
  return {
    accounts: options.accounts,
    doors: [
      ...options.built.map(({ door, url }) => ({
        id: door.id,
        name: door.name,
        url,
        origin: options.siteOrigin,
        protocol: door.protocol,
        accepts: door.accepts,
        ...(door.id === 'D12' ? { challenge } : {}),
      })),
      { id: wamp.id, protocol: 'wamp', url: wamp.url, realm: wamp.realm },
    ],
    hostile: { origin: options.hostileOrigin },
    limits: {
      preauth_deadline_ms: first?.guard.limits.deadlineMs,
      preauth_per_source: first?.guard.limits.pool.perSource,
      preauth_total: first?.guard.limits.pool.total,
    },
  }
}

async function answerExpired(
  options: LabRouteOptions,
  session: LoginSession | undefined,
  { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
): Promise<FastifyReply> {
  const { door = '', kind = '', origin } = membersOf(request.body)
  const built = options.built.find((one) => one.door.id === door)
  const routed = door === options.wamp.id ? options.wamp : built
  const wanted = expiredKinds.find((one) => one === kind)
  if (routed === undefined || wanted === undefined) return refuse(reply, 'invalid_request')
  // The one kind that is asked for after logging out: it stands in for the session itself.
  if (session === undefined && wanted !== 'session') return refuse(reply, 'missing_credential')
  const holder = session ?? { subject: 'alice', roles: ['user'], id: undefined }
  const { body, cookie } = await issueExpired({
    ...options.expired,
    guard: routed.guard,
    url: routed.url,
    kind: wanted,
    holder: { subject: holder.subject, roles: holder.roles, session: holder.id },
    origin: origin ?? options.siteOrigin,
  })
  if (cookie !== undefined) reply.header('set-cookie', `${cookie}; Path=/; HttpOnly; SameSite=Lax`)
  return reply.send(body)
}

const cookieOfDoor: ReadonlyMap<string, string> = new Map([
  ['D3', labCookies.frame],
  ['D9', labCookies.preauth],
])

/** Takes back the cookie that earlier cases of a door left, so that "nothing shown" means nothing. */
function forget(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const name = cookieOfDoor.get(membersOf(request.body).door ?? '')
  if (name === undefined) return refuse(reply, 'invalid_request')
  return reply.header('set-cookie', `${name}=; Path=/; HttpOnly; Max-Age=0`).send({ ok: true })
}

function lifeUntil(atMs: number): number {
  return Math.max(1, atMs - Date.now())
}

/** Made at the first request and then kept: each one would be a process of its own. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => (made ??= make())
}

function answerP12(reply: FastifyReply, p12: Buffer | undefined): FastifyReply {
  if (p12 === undefined) return refuse(reply, 'not_found')
  return reply
    .type('application/x-pkcs12')
    .header('content-disposition', 'attachment; filename="countersign-lab.p12"')
    .send(p12)
}

function membersOf(body: unknown): Readonly<Partial<Record<'door' | 'kind' | 'origin', string>>> {
  if (typeof body !== 'object' || body === null) return {}
  return Object.fromEntries(Object.entries(body).filter(([, value]) => typeof value === 'string'))
}

function queryOf(request: FastifyRequest): { readonly probe: string | undefined } {
  const query: unknown = request.query
  const probe = typeof query === 'object' && query !== null && 'probe' in query ? query.probe : undefined
  return { probe: typeof probe === 'string' ? probe : undefined }
}
