/** `/lab/guests`: an account for one case, and what ends its leases. Each is its asker's alone, and leaves by itself. */
import type { Guard } from 'countersign'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Allowance } from '../server/allowance.ts'
import { dropCookie, setCookie } from '../server/cookies.ts'
import { issuedHeaders } from '../server/headers.ts'
import { refuse } from '../server/refuse.ts'
import type { LoginSession } from '../server/site-options.ts'
import type { GuestCertificates } from './guest-certificates.ts'
import { issueForGuest, renewForGuest, type GuestCredential } from './guest-credentials.ts'
import { startProgram } from './guest-program.ts'
import type { Guest, Guests } from './guests.ts'
import { labCookies } from './doors.ts'

/** A door that guests can be invited to. */
export interface GuestDoor {
  readonly url: string
  readonly guard: Guard
}

/** What the routes stand on. */
export interface GuestRouteOptions {
  readonly guests: Guests
  readonly certificates: GuestCertificates
  readonly doorOf: (id: string) => GuestDoor | undefined
  readonly siteOrigin: string
  /** Held here and never told: its scope is `revoke`. */
  readonly operatorKey: string
}

/** Guests that one login may invite in a minute. */
const guestsPerMinute = 300
const maxLifeMs = 30_000
/** Ways to end a lease from outside. */
const ends = ['log-out', 'revoke', 'remove-role'] as const

interface Visit {
  readonly app: FastifyInstance
  readonly options: GuestRouteOptions
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly session: LoginSession
}

/** Registers the routes on a site made by `createSite`, whose Host and Origin rules hold here too. */
export function addGuestRoutes(app: FastifyInstance, options: GuestRouteOptions): void {
  const allowance = new Allowance(guestsPerMinute)
  const loggedIn =
    (answer: (visit: Visit) => Promise<FastifyReply>) =>
    async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
      const session = await app.site.session(request)
      if (session === undefined) return refuse(reply, 'missing_credential')
      return answer({ app, options, request, reply, session })
    }
  app.post(
    '/lab/guests',
    loggedIn((visit) => invite(visit, allowance)),
  )
  app.post('/lab/guests/:id/credential', loggedIn(renew))
  app.post('/lab/guests/:id/end', loggedIn(end))
  app.post('/lab/guests/:id/forget', loggedIn(forget))
  app.post('/lab/guests/:id/program', loggedIn(connect))
  app.get('/lab/guests/:id/program', loggedIn(follow))
  app.delete('/lab/guests/:id', loggedIn(leave))
}

/** Makes a guest and what it shows at the door. */
async function invite(visit: Visit, allowance: Allowance): Promise<FastifyReply> {
  const { options, request, reply, session } = visit
  const { guests, certificates, doorOf, siteOrigin } = options
  const { door, lifeMs } = bodyOf(request.body)
  const place = doorOf(door)
  if (place === undefined || lifeMs === undefined) return refuse(reply, 'invalid_request')
  if (guests.isGuest(session.subject)) return refuse(reply, 'forbidden')
  const waitMs = allowance.take(session.id, Date.now())
  if (waitMs > 0) return refuse(reply, 'too_many_attempts', waitMs)
  const guest = await guests.invite(session.subject, door)
  if (guest === undefined) return refuse(reply, 'overloaded')
  const own = door === 'D11' ? certificates.open(guest, lifeMs) : undefined
  const shown: GuestCredential =
    own === undefined
      ? await issueForGuest({ guest, ...place, origin: siteOrigin, lifeMs })
      : { body: { url: own.url } }
  if (shown.cookie !== undefined) setCookie(reply, { ...shown.cookie, secure: false })
  const { graceMs } = (own ?? place).guard.limits
  return reply.headers(issuedHeaders).send({
    guest: guest.id,
    username: guest.username,
    api_key: guest.apiKey,
    life_ms: lifeMs,
    grace_ms: graceMs,
    credential: shown.body,
  })
}

/** A fresh credential with a longer life, for `POST /countersign/leases/{id}/refresh` or the open socket itself. */
async function renew(visit: Visit): Promise<FastifyReply> {
  const { options, request, reply } = visit
  const guest = guestOf(visit)
  const place = guest === undefined ? undefined : options.doorOf(guest.door)
  if (guest === undefined || place === undefined) return refuse(reply, 'not_found')
  const { lifeMs } = bodyOf(request.body)
  if (lifeMs === undefined) return refuse(reply, 'invalid_request')
  const { cookie, ...shown } = await renewForGuest({ guest, ...place, origin: options.siteOrigin, lifeMs })
  if (cookie !== undefined) setCookie(reply, { ...cookie, secure: false })
  // Its name alone: no script reads the cookie itself.
  return reply
    .headers(issuedHeaders)
    .send({ ...shown, ...(cookie === undefined ? {} : { cookie: cookie.name }) })
}

/** Ends what the guest has opened, each way as it is done elsewhere: over HTTP, or where accounts are kept. */
async function end(visit: Visit): Promise<FastifyReply> {
  const { app, options, request, reply } = visit
  const guest = guestOf(visit)
  if (guest === undefined) return refuse(reply, 'not_found')
  const { by } = bodyOf(request.body)
  const how = ends.find((one) => one === by)
  if (how === undefined) return refuse(reply, 'invalid_request')
  if (how === 'remove-role') {
    await options.guests.removeRole(guest)
    return reply.send({ ok: true })
  }
  const host = new URL(options.siteOrigin).host
  const { statusCode } = await (how === 'log-out'
    ? app.inject({
        method: 'POST',
        url: '/logout',
        headers: {
          host,
          origin: options.siteOrigin,
          cookie: `${labCookies.session}=${guest.login.secret}`,
        },
        payload: {},
      })
    : app.inject({
        method: 'POST',
        url: '/countersign/revoke',
        headers: { host, authorization: `Bearer ${options.operatorKey}` },
        payload: { subject: guest.username },
      }))
  return statusCode === 200 ? reply.send({ ok: true }) : refuse(reply, 'internal')
}

/** Takes the guest's login out of this browser and leaves it alive: its socket is open, and the next one is another's. */
async function forget(visit: Visit): Promise<FastifyReply> {
  if (guestOf(visit)?.door !== 'D7') return refuse(visit.reply, 'not_found')
  dropCookie(visit.reply, { name: labCookies.session, sameSite: 'Lax', secure: false })
  return visit.reply.send({ ok: true })
}

/** Lets a program connect at a door that takes API keys, once for each guest. */
async function connect(visit: Visit): Promise<FastifyReply> {
  const { options, request, reply } = visit
  const guest = guestOf(visit)
  const place = guest?.door === 'D5' ? options.doorOf('D5') : undefined
  if (guest === undefined || place === undefined) return refuse(reply, 'not_found')
  const { apiKey, probe, ticks } = bodyOf(request.body)
  if (guest.program !== undefined || probe === undefined) return refuse(reply, 'invalid_request')
  const url = new URL(place.url)
  url.searchParams.set('probe', probe)
  if (ticks) url.searchParams.set('ticks', '1')
  guest.program = startProgram(url.href, apiKey)
  const program = await guest.program
  guest.farewells.push(() => program.end())
  return reply.send(program.tell())
}

/** How the program fares; with `ask=1`, whether it is answered. */
async function follow(visit: Visit): Promise<FastifyReply> {
  const { request, reply } = visit
  const program = await guestOf(visit)?.program
  if (program === undefined) return refuse(reply, 'not_found')
  const { query } = request
  const asked = typeof query === 'object' && query !== null && 'ask' in query
  return reply.send({ ...program.tell(), ...(asked ? { answers: await program.asks() } : {}) })
}

/** The account goes. A cookie that it left in this browser is nobody's from now on. */
async function leave(visit: Visit): Promise<FastifyReply> {
  const { options, reply } = visit
  const guest = guestOf(visit)
  if (guest === undefined) return refuse(reply, 'not_found')
  await options.guests.leave(guest)
  return reply.send({ ok: true })
}

function guestOf({ options, request, session }: Visit): Guest | undefined {
  const parameters: unknown = request.params
  if (typeof parameters !== 'object' || parameters === null || !('id' in parameters)) return undefined
  return typeof parameters.id === 'string' ? options.guests.find(parameters.id, session.subject) : undefined
}

interface GuestBody {
  readonly door: string
  readonly by: string
  readonly lifeMs: number | undefined
  readonly apiKey: string
  /** Id under which the exchange is recorded. */
  readonly probe: string | undefined
  readonly ticks: boolean
}

const maxKeyLength = 128

function bodyOf(body: unknown): GuestBody {
  const members: Readonly<Record<string, unknown>> =
    typeof body === 'object' && body !== null ? { ...body } : {}
  const { door, by, life_ms: life, api_key: key, probe, ticks } = members
  const whole = typeof life === 'number' && Number.isInteger(life) && life >= 1 && life <= maxLifeMs
  return {
    door: typeof door === 'string' ? door : '',
    by: typeof by === 'string' ? by : '',
    lifeMs: whole ? life : undefined,
    apiKey: typeof key === 'string' && /^[\w-]+$/.test(key) ? key.slice(0, maxKeyLength) : '',
    probe: typeof probe === 'string' && /^[\w-]{1,64}$/.test(probe) ? probe : undefined,
    ticks: ticks === true,
  }
}
