/** A development server of Vite: its socket tells what changes in the sources. 5.4.12 began to ask who listens (CVE-2025-24010). */
import { createServer as createHttpServer } from 'node:http'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { age, listen, load, ready } from './here.ts'

interface ViteServer {
  listen(): Promise<unknown>
  readonly config: { readonly server: { readonly port: number } }
  readonly httpServer: { address(): { readonly port: number } }
}

const root = mkdtempSync(join(tmpdir(), 'audit-vite-'))
writeFileSync(join(root, 'index.html'), '<!doctype html><title>A page</title>')
const { createServer } = (await import(
  new URL(`file://${load.resolve(`vite-${age}/package.json`)}`).href.replace(
    'package.json',
    'dist/node/index.js',
  )
)) as { createServer(options: object): Promise<ViteServer> } // what the package exports
const server = await createServer({
  root,
  configFile: false,
  logLevel: 'silent',
  server: { host: '127.0.0.1', port: 0, watch: null },
})
await server.listen()
const { port } = server.httpServer.address()
const client = await (await fetch(`http://127.0.0.1:${port}/@vite/client`)).text()
const token = /wsToken = "([^"]+)"/.exec(client)?.[1] ?? 'none'
// As a page has it that was loaded from the server.
const tokens = createHttpServer((_request, response) => void response.end(token))
ready(port, '/', {
  protocol: 'plain',
  subprotocols: ['vite-hmr'],
  identities: {
    low: { token: { url: `http://127.0.0.1:${await listen(tokens)}/`, as: { query: 'token' } } },
  },
  private: ['"type":"connected"'],
})
