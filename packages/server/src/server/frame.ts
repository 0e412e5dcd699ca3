/**
 * The frame on a socket server's own origin: a page of another origin embeds it, hands it a ticket, and the frame
 * exchanges that ticket for a cookie which the socket's handshake then carries.
 */
import { ticketGrant, type Guard, type Platform, type Records, type TicketRow } from 'countersign'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { readAssets, serveAssets } from './assets.ts'
import { exchangeBody, readBody } from './bodies.ts'
import { cookieNames, setCookie } from './cookies.ts'
import { contentSecurityPolicy, issuedHeaders, ownSources } from './headers.ts'
import { html } from './pages/html.ts'
import { refuse } from './refuse.ts'

/** Options of the frame. */
export interface FrameOptions {
  /** Guard of the socket: its audience is what tickets must be for, its `issue` makes the session. */
  readonly guard: Guard
  readonly records: Records
  readonly platform: Platform
  /** Origins of this very server: the exchange takes requests of its own page alone. */
  readonly ownOrigins: readonly string[]
  /** Origins of pages that may embed the frame. */
  readonly pageOrigins: readonly string[]
  /** Over TLS the cookie is `SameSite=None; Secure; Partitioned`, so that it works across sites. */
  readonly secure: boolean
  /** What the guard's cookie carrier looks for. @default `frame` of `cookieNames` */
  readonly cookieName?: string
}

/**
 * Registers `GET /countersign/frame`, its module, and `POST /countersign/exchange` on a server made by `createApp`.
 * There is no CORS: a foreign page that could exchange a ticket of its own would log its visitors in as someone else.
 */
export function registerFrame(app: FastifyInstance, options: FrameOptions): void {
  const policy = contentSecurityPolicy({ ...ownSources, ancestors: options.pageOrigins })
  const text = renderFrame(options.pageOrigins)
  app.get('/countersign/frame', (_request, reply) =>
    reply
      .headers({
        'content-security-policy': policy,
        'cross-origin-resource-policy': 'cross-origin',
        'content-type': 'text/html; charset=utf-8',
      })
      .send(text),
  )
  const modules = readAssets(new URL('./browser/', import.meta.url))
  const frame = modules.get('frame.js')
  if (frame !== undefined) serveAssets(app, '/countersign/', new Map([['frame.js', frame]]))
  app.post('/countersign/exchange', (request, reply) => exchange(options, request, reply))
}

async function exchange(
  options: FrameOptions,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { origin } = request.headers
  if (origin === undefined || !options.ownOrigins.includes(origin)) return refuse(reply, 'forbidden_origin')
  const body = readBody(exchangeBody, request.body)
  if (body === undefined) return refuse(reply, 'invalid_request')
  const row = await options.records.takeTicket(await options.platform.hash(body.ticket))
  const now = options.platform.clock.now()
  if (row === undefined || !isMeantFor(row, body.origin, options)) return refuse(reply, 'invalid_credential')
  if (row.expiresAtMs <= now) return refuse(reply, 'expired_credential')
  const mark = await options.records.findMark(ticketGrant(row), row.lease)
  if (mark !== undefined) return refuse(reply, 'invalid_credential')
  const { subject, roles, session } = row
  const ttlMs = Math.max(1, row.leaseUntilMs - now)
  const purpose = 'frame'
  const issued = await options.guard.issue.session({
    subject,
    roles,
    session,
    provedAtMs: row.issuedAtMs,
    purpose,
    origin: body.origin,
    ttlMs,
  })
  const { secure } = options
  setCookie(reply, {
    name: options.cookieName ?? cookieNames(secure).frame,
    value: issued.session,
    sameSite: secure ? 'None' : 'Lax',
    secure,
    partitioned: secure,
    maxAgeSeconds: Math.ceil(ttlMs / 1_000),
  })
  return reply.headers(issuedHeaders).send({ ok: true, expires_in: Math.round(ttlMs / 1_000) })
}

/** The ticket was made for the frame of this guard, for the page that the browser vouches for. */
function isMeantFor(row: TicketRow, origin: string, options: FrameOptions): boolean {
  const right = row.purpose === 'frame' && row.audience === options.guard.audience
  return right && row.origin === origin && options.pageOrigins.includes(origin)
}

/**
 * Nothing to see and nothing inline. The page's origins are told to the module, which takes messages from
 * those alone.
 */
function renderFrame(pageOrigins: readonly string[]): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>Countersign</title>
        <script type="module" src="/countersign/frame.js"></script>
      </head>
      <body data-origins="${pageOrigins.join(' ')}"></body>
    </html> `.html
}
