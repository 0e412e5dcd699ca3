/** Requests that change something, judged by where they come from, before anything is looked up. */
import { allowsOrigin } from 'countersign/wire'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { refuseVisitor } from './app.ts'
import type { SiteContext } from './site-options.ts'

const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/**
 * One choke point for every route of the site, later ones included. A present `Origin` must be the site's own; an absent
 * one means "no browser" and is good only without cookies, that is without anything that a browser attaches by itself.
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
  return cookie === undefined || authorization !== undefined
}
