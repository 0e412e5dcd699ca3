/** The files of the page: its modules, its style, the coastlines, and the client of Socket.IO, which Socket.IO serves. */
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import express, { type Express } from 'express'
import { worldMap } from './world.ts'

/** The folder of the page's files. */
export const pageFolder: string = join(import.meta.dirname, 'page')

/** Adds the routes. Nothing in them depends upon who asks. */
export function servePageFiles(app: Express): void {
  app.use(
    '/page',
    express.static(pageFolder, { index: false, redirect: false, etag: true, cacheControl: false }),
  )
  const world = Buffer.from(JSON.stringify(worldMap()))
  const zipped = gzipSync(world)
  app.get('/world.json', (request, response) => {
    const zips = request.acceptsEncodings('gzip') === 'gzip'
    if (zips) response.set('content-encoding', 'gzip')
    response.type('json').set('cache-control', 'private, max-age=3600').vary('accept-encoding')
    response.send(zips ? zipped : world)
  })
}
