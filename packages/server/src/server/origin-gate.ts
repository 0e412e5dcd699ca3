/** Requests that change something, judged by where they come from, before anything is looked up. */
import { allowsOrigin } from 'countersign/wire'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { refuseVisitor } from './app.ts'
import type { SiteContext } from './site-options.ts'

/** RFC 9110 §9.2.1: these change nothing, and the site's routes keep to that. */
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/** Routes where no cookie authenticates anything: what counts there is in the body, which no browser adds by itself. */
const ownCredential: ReadonlySet<string> = new Set(['/login'])

/**
 * One choke point for every route of the site, later ones included. A present `Origin` must be the site's own; an absent
 * one means "no browser" and is good only without cookies, that is without anything that a browser attaches by itself,
 * or where cookies authenticate nothing.
 */
export function guardChanges(app: FastifyInstance, site: SiteContext): void {
  app.addHook('onRequest', async (request, reply) => {
    if (safeMethods.has(request.method) || mayChange(site, request)) return undefined
    return refuseVisitor(request, reply, 'forbidden_origin')
  })
}

function mayChange(site: SiteContext, request: FastifyRequest): boolean {
  const { origin, cookie, authorization } = request.headers
  if (origin !== undefined) return allowsOrigin(site.origins, origin)
  if (cookie === undefined || authorization !== undefined) return true
  return ownCredential.has(request.routeOptions.url ?? '')
}
