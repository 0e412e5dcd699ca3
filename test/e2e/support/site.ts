import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http'
import { createServer as createHttpsServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { WebSocketServer } from 'ws'

/** A page that shows colours in both schemes, under the strict policy that the program's own pages have. */
const page = `<!doctype html><html lang="en"><meta charset="utf-8"><title>A page</title>
<link rel="stylesheet" href="/style.css"><h1>A page</h1>
<label>Name <input id="name"></label> <button id="go">Go</button><output id="said"></output>
<script src="/page.js"></script></html>`

const files: Readonly<Record<string, { readonly type: string; readonly body: string }>> = {
  '/': { type: 'text/html', body: page },
  '/style.css': {
    type: 'text/css',
    body: ':root { color-scheme: light dark } body { margin: 2rem; border: 1rem solid teal }',
  },
  '/page.js': {
    type: 'text/javascript',
    body: `document.querySelector('#go').addEventListener('click', (event) => {
  document.querySelector('#said').textContent = document.querySelector('#name').value + ' ' + event.isTrusted
})`,
  },
}

/** A running server: a page at `/`, cookies at `/cookie`, no answer at `/never`, an echo on every WebSocket. */
export interface Site {
  readonly port: number
  readonly close: () => Promise<void>
}

/** What `/cookie` sets: one cookie that older rules let through, one that says it means to be third-party. */
const cookies = ['plain=1; Path=/', 'cross=1; Path=/; SameSite=None; Secure']

/** Serves on a port of the system's choosing. The greeting names the subject of the client certificate, if there is one. */
export async function serveSite(tls?: ServerOptions): Promise<Site> {
  const listener: RequestListener = (request, response) => {
    const file = files[request.url ?? '']
    response.setHeader('access-control-allow-origin', request.headers.origin ?? '*')
    response.setHeader('access-control-allow-credentials', 'true')
    if (request.url === '/never') return
    if (request.url === '/cookie') {
      response.setHeader('set-cookie', cookies)
      response.end(request.headers.cookie ?? '')
      return
    }
    response.writeHead(file === undefined ? 404 : 200, {
      'content-type': file?.type ?? 'text/plain',
      'content-security-policy': "default-src 'self'; connect-src *; require-trusted-types-for 'script'",
    })
    response.end(file?.body ?? 'nothing here')
  }
  const server: Server = tls === undefined ? createHttpServer(listener) : createHttpsServer(tls, listener)
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket, request) => {
    socket.send(`hello ${subjectOf(request.socket)}`)
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port, // a TCP server that listens has one
    close: async () => {
      for (const socket of sockets.clients) socket.terminate()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function subjectOf(socket: object): string {
  if (!('getPeerCertificate' in socket)) return 'stranger'
  const certificate = (socket as TLSSocket).getPeerCertificate() // only a TLS socket has that method
  return 'subject' in certificate ? String(certificate.subject.CN) : 'stranger'
}
