/** Style sheets and browser modules of the lab, for its own site and for the hostile one. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { readAssets, serveAssets, type Asset } from '../server/assets.ts'

const load = createRequire(import.meta.url)

/** Serves them below `/assets/lab/`. */
export function serveLabAssets(app: FastifyInstance): void {
  serveAssets(app, '/assets/lab/', readAssets(new URL('./page/', import.meta.url)))
  serveAssets(app, '/assets/lab/', readAssets(new URL('./browser/', import.meta.url)))
}

/** Serves autobahn-browser below `/assets/lab/`: the file of the installed package, byte for byte. */
export function serveAutobahn(app: FastifyInstance): void {
  servePublished(app, load.resolve('autobahn-browser/autobahn.min.js'))
}

/** Serves Socket.IO's own client below `/assets/lab/`: the module for browsers of the installed package, byte for byte. */
export function serveSocketIo(app: FastifyInstance): void {
  // The package exports its manifest, and says in its documentation where the module is.
  servePublished(
    app,
    join(dirname(load.resolve('socket.io-client/package.json')), 'dist', 'socket.io.esm.min.js'),
  )
}

function servePublished(app: FastifyInstance, file: string): void {
  const body = readFileSync(file, 'utf8')
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
  const asset: Asset = { type: 'text/javascript; charset=utf-8', body, etag }
  serveAssets(app, '/assets/lab/', new Map([[basename(file), asset]]))
}

/** The site's own style sheets below `/assets/`, for servers that are not the site. */
export function serveSiteAssets(app: FastifyInstance): void {
  serveAssets(app, '/assets/', readAssets(new URL('../server/pages/', import.meta.url)))
}
