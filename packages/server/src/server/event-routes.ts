/** Where identity providers tell that something has ended: back-channel logout, and pushed security events (RFC 8935). */
import type { SecurityEvents } from 'countersign/methods'
import { maxFormLength, subnetOf } from 'countersign/wire'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Allowance } from './allowance.ts'
import { refuse } from './refuse.ts'
import type { SiteContext } from './site-options.ts'

/** Tokens of one address in a minute, or of one /64 of IPv6: each costs a signature check. */
const perMinute = 600

/** The routes, each with the one type of body that it takes. */
const routes: Readonly<Record<string, string>> = {
  '/countersign/backchannel-logout': 'application/x-www-form-urlencoded',
  '/countersign/events': 'application/secevent+jwt',
}

/**
 * Registers the routes. No cookie counts here, and a page can send no token that it was not given; the site's rule on
 * origins holds all the same. Whoever sends too much waits: what is signed may come again.
 */
export async function registerEvents(
  app: FastifyInstance,
  site: SiteContext,
  events: SecurityEvents,
): Promise<void> {
  const allowance = new Allowance(perMinute)
  const handle = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const from = site.clientOf(request)
    const waitMs = allowance.take(subnetOf(from), site.now())
    if (waitMs > 0) return refuse(reply, 'too_many_attempts', waitMs)
    const body = typeof request.body === 'string' ? request.body : ''
    const answer = await events.receive(body, request.headers['content-type'], from)
    return reply.code(answer.status).headers(answer.headers).send(answer.body)
  }
  for (const [route, type] of Object.entries(routes)) {
    await app.register((scope, _options, done) => {
      scope.removeAllContentTypeParsers()
      scope.addContentTypeParser(
        type,
        { parseAs: 'string', bodyLimit: maxFormLength },
        (_request, body, parsed) => parsed(null, body),
      )
      scope.post(route, handle)
      done()
    })
  }
}
