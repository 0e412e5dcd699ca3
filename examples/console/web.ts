/** What both programs serve besides their routes: headers of every answer, style sheets and scripts. */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import express, { type Express } from 'express'

/** Neither inline scripts or styles nor third parties; a socket to this very origin. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ')

const headers: Readonly<Record<string, string>> = {
  'Content-Security-Policy': policy,
  'X-Content-Type-Options': 'nosniff',
  // Under `no-referrer` browsers would send `Origin: null` with the form.
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
}

/** Name of the session's cookie. Behind TLS it would be `__Host-console`, and `Secure`. */
export const cookieName = 'console-session'

/** An application with headers and assets; routes are added to it. */
export function createApp(): Express {
  const app = express()
  app.disable('x-powered-by').disable('etag')
  app.use((_request, response, next) => {
    response.set(headers)
    next()
  })
  return app
}

const client = join(
  dirname(createRequire(import.meta.url).resolve('socket.io/package.json')),
  'client-dist/socket.io.esm.min.js',
)

/** The files of the folder `public`, and Socket.IO's client, and nothing else. */
export function serveAssets(app: Express): void {
  const options = { index: false, redirect: false, dotfiles: 'ignore', cacheControl: false } as const
  app.get('/assets/socket.io.js', (_request, response) => response.sendFile(client, { cacheControl: false }))
  app.use('/assets', express.static(join(import.meta.dirname, 'public'), options))
}
