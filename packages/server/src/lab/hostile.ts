/** The hostile site: a page on another origin that tries to use the visitor's cookies and certificates. */
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { createApp } from '../server/app.ts'
import { serveLabAssets, serveSiteAssets, serveSocketIo } from './assets.ts'
import { originsOfDoor } from './doors.ts'
import { renderHostile } from './page/hostile-page.ts'

/** What the hostile page is told; it is nothing that a stranger could not find out. */
export interface HostileOptions {
  readonly log: Logger
  readonly hosts: readonly string[]
  readonly labOrigins: readonly string[]
  readonly doors: readonly { readonly id: string; readonly url: string }[]
}

/** Builds the hostile site; the caller listens. */
export function createHostileSite(options: HostileOptions): FastifyInstance {
  const app = createApp({
    log: options.log,
    hosts: options.hosts,
    secure: false,
    sources: {
      // Over https as well: Chromium offers its certificate to a socket only after a fetch.
      connect: options.doors.flatMap(({ url }) => originsOfDoor(url)),
      frame: [],
      ancestors: options.labOrigins,
    },
  })
  serveSiteAssets(app)
  serveLabAssets(app)
  serveSocketIo(app)
  app.get('/attack', (_request, reply) =>
    reply
      .type('text/html; charset=utf-8')
      .send(renderHostile({ labOrigin: options.labOrigins[0] ?? '', doors: options.doors })),
  )
  return app
}
