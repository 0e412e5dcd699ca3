/** What the site hands out over HTTP: tickets, single-use URLs, preauth pairs, challenge secrets, JWTs. */
import { parseOrigin } from 'countersign/wire'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { audienceBody, readBody, secretBody, ticketBody, type OnBehalf, type TicketBody } from './bodies.ts'
import { mayIssue, serve, type Call } from './callers.ts'
import { readCookie, setCookie } from './cookies.ts'
import { issuedHeaders } from './headers.ts'
import { queryNameOf } from './presenting.ts'
import { refuse, type Word } from './refuse.ts'
import type { SiteContext } from './site-options.ts'

/** For whom something is issued, and how long its lease may live. */
interface Holder {
  readonly subject: string
  readonly roles: readonly string[]
  /** The login session that it dies with. */
  readonly session: string | undefined
  readonly provedAtMs: number
  /** The API key that it dies with. */
  readonly apiKey: string | undefined
  readonly leaseMs: number
}

/** Life of an access token, ms. */
const tokenMs = 5 * 60_000

const sessionOrKey = { session: true, scopes: ['connect', 'issue'] } as const
const sessionOnly = { session: true, scopes: [] } as const

/** Registers the issuing routes under `/countersign/` and the key set that verifies the site's JWTs. */
export function registerIssuing(app: FastifyInstance, site: SiteContext): void {
  app.post('/countersign/ticket', serve(site, sessionOrKey, issueTicket))
  app.post('/countersign/connect', serve(site, sessionOrKey, issueUrl))
  app.post('/countersign/preauth', serve(site, sessionOnly, issuePreauth))
  app.post('/countersign/challenge-secret', serve(site, sessionOnly, issueChallengeSecret))
  app.post('/countersign/token', serve(site, sessionOrKey, issueToken))
  app.get('/.well-known/jwks.json', (_request, reply) =>
    reply.header('cache-control', 'public, max-age=300').send(site.keys.jwks()),
  )
}

async function issueTicket(call: Call): Promise<unknown> {
  const body = readBody(ticketBody, call.request.body)
  if (body === undefined) return refuse(call.reply, 'invalid_request')
  const door = call.site.options.doors.get(body.audience)
  if (door === undefined) return refuse(call.reply, 'unknown_audience')
  const holder = holderOf(call, body)
  if (typeof holder === 'string') return refuse(call.reply, holder)
  const bound = boundOrigin(call, body)
  if (bound.kind === 'refused') return refuse(call.reply, bound.word)
  const purpose = body.purpose ?? 'connect'
  const { audience } = body
  const issued = await door.guard.issue.ticket({ ...holder, audience, purpose, origin: bound.origin })
  const expires = expiresIn(call.site, issued.expiresAtMs)
  return issue(call.reply, { ticket: issued.ticket, expires_in: expires, lease: issued.lease })
}

type Bound =
  | { readonly kind: 'bound'; readonly origin: string | undefined }
  | { readonly kind: 'refused'; readonly word: Word }

/**
 * The page origin that a ticket is bound to. A ticket for the frame is always bound: to the page that asks, or to the
 * one that an issuing application names.
 */
function boundOrigin(call: Call, body: TicketBody): Bound {
  if (body.origin !== undefined) {
    if (!mayIssue(call.caller)) return { kind: 'refused', word: 'forbidden' }
    const origin = parseOrigin(body.origin)
    if (origin === undefined || origin === 'null') return { kind: 'refused', word: 'invalid_request' }
    return { kind: 'bound', origin: origin.text }
  }
  if (body.purpose !== 'frame') return { kind: 'bound', origin: undefined }
  const { origin } = call.request.headers
  return origin === undefined ? { kind: 'refused', word: 'invalid_request' } : { kind: 'bound', origin }
}

async function issueUrl(call: Call): Promise<unknown> {
  const body = readBody(audienceBody, call.request.body)
  if (body === undefined) return refuse(call.reply, 'invalid_request')
  const audience = body.audience ?? call.site.options.connectAudience
  const door = audience === undefined ? undefined : call.site.options.doors.get(audience)
  const name = door === undefined ? undefined : queryNameOf(door.guard)
  if (door === undefined || name === undefined) return refuse(call.reply, 'unknown_audience')
  const holder = holderOf(call, body)
  if (typeof holder === 'string') return refuse(call.reply, holder)
  const issued = await door.guard.issue.ticket({ ...holder, audience: door.guard.audience })
  const url = new URL(door.url)
  url.searchParams.set(name, issued.ticket)
  const expires = expiresIn(call.site, issued.expiresAtMs)
  return issue(call.reply, { ok: true, url: url.href, expires_in: expires, lease: issued.lease })
}

/** The cookie of an earlier call is kept while it is good, so that several tabs work at once. */
async function issuePreauth(call: Call): Promise<unknown> {
  const { site, request, reply } = call
  if (readBody(secretBody, request.body) === undefined) return refuse(reply, 'invalid_request')
  const holder = holderOf(call, {})
  if (typeof holder === 'string') return refuse(reply, holder)
  const waitMs = site.allowances.preauths.take(holder.session ?? '', site.now())
  if (waitMs > 0) return refuse(reply, 'too_many_attempts', waitMs)
  const cookie = readCookie(request, site.cookies.preauth)
  const issued = await site.options.issuer.issue.preauth({ ...holder, cookie })
  const { secure } = site.options
  setCookie(reply, { name: site.cookies.preauth, value: issued.cookie, sameSite: 'Strict', secure })
  return issue(reply, {
    csrf: issued.csrf,
    expires_in: expiresIn(site, issued.expiresAtMs),
    lease: issued.lease,
  })
}

async function issueChallengeSecret(call: Call): Promise<unknown> {
  const { site, caller, request, reply } = call
  const body = readBody(secretBody, request.body)
  if (body === undefined) return refuse(reply, 'invalid_request')
  if (caller.kind !== 'session') return refuse(reply, 'forbidden')
  const { subject, roles, session } = caller
  const waitMs = site.allowances.challengeSecrets.take(session.id, site.now())
  if (waitMs > 0) return refuse(reply, 'too_many_attempts', waitMs)
  const issued = await site.options.issuer.issue.challengeSecret({
    subject,
    roles,
    session: session.id,
    provedAtMs: call.provedAtMs,
    uses: body.uses ?? 'session',
    ttlMs: session.endsAtMs - site.now(),
  })
  const expires = expiresIn(site, issued.expiresAtMs)
  return issue(reply, { authid: issued.authid, secret: issued.secret, expires_in: expires })
}

/** An access token after RFC 9068. `iat` has a fraction: a revocation in the same second must not hit a later token. */
async function issueToken(call: Call): Promise<unknown> {
  const { site, request, reply } = call
  const body = readBody(audienceBody, request.body)
  if (body === undefined) return refuse(reply, 'invalid_request')
  const { audience } = body
  if (audience === undefined || !site.options.doors.has(audience)) return refuse(reply, 'unknown_audience')
  const holder = holderOf(call, body)
  if (typeof holder === 'string') return refuse(reply, holder)
  const now = site.now()
  const lifeSeconds = Math.max(1, Math.floor(Math.min(tokenMs, lifeOf(call)) / 1_000))
  const token = site.keys.sign('at+jwt', {
    iss: site.options.origins[0],
    aud: audience,
    sub: holder.subject,
    roles: holder.roles,
    jti: site.options.platform.random(16),
    ...(holder.session === undefined ? {} : { sid: holder.session }),
    iat: call.provedAtMs / 1_000,
    exp: Math.floor(now / 1_000) + lifeSeconds,
  })
  return issue(reply, { access_token: token, token_type: 'Bearer', expires_in: lifeSeconds })
}

/** Whom this call may ask for: itself, or, with the scope `issue`, anyone. */
function holderOf(call: Call, asked: OnBehalf): Holder | Word {
  const { caller, site } = call
  const names = asked.subject !== undefined || asked.roles !== undefined
  if (names && !mayIssue(caller)) return 'forbidden'
  const own = asked.subject === undefined || asked.subject === caller.subject
  return {
    subject: asked.subject ?? caller.subject,
    roles: asked.roles ?? (own ? caller.roles : []),
    session: caller.kind === 'session' ? caller.session.id : undefined,
    provedAtMs: call.provedAtMs,
    apiKey: caller.kind === 'key' ? caller.key.id : undefined,
    leaseMs: Math.max(1, Math.min(site.leaseMs, lifeOf(call))),
  }
}

/** How long the caller's own credential still lives, ms. */
function lifeOf({ caller, site }: Call): number {
  const endsAtMs = caller.kind === 'session' ? caller.session.endsAtMs : caller.key.expiresAtMs
  return endsAtMs - site.now()
}

function expiresIn(site: SiteContext, expiresAtMs: number): number {
  return Math.max(0, Math.round((expiresAtMs - site.now()) / 1_000))
}

function issue(reply: FastifyReply, body: Readonly<Record<string, unknown>>): FastifyReply {
  return reply.headers(issuedHeaders).send(body)
}
