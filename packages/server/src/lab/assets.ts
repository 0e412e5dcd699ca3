/** Style sheets and browser modules of the lab, for its own site and for the hostile one. */
import type { FastifyInstance } from 'fastify'
import { readAssets, serveAssets } from '../server/assets.ts'

/** Serves them below `/assets/lab/`. */
export function serveLabAssets(app: FastifyInstance): void {
  serveAssets(app, '/assets/lab/', readAssets(new URL('./page/', import.meta.url)))
  serveAssets(app, '/assets/lab/', readAssets(new URL('./browser/', import.meta.url)))
}

/** The site's own style sheets below `/assets/`, for servers that are not the site. */
export function serveSiteAssets(app: FastifyInstance): void {
  serveAssets(app, '/assets/', readAssets(new URL('../server/pages/', import.meta.url)))
}
