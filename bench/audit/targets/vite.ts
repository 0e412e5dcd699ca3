/** A development server of Vite: its socket tells what changes in the sources. 5.4.12 began to ask who listens (CVE-2025-24010). */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { age, load, ready } from './here.ts'

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
const script = `const text = await (await fetch('http://127.0.0.1:${port}/@vite/client')).text()
console.log(/wsToken = "([^"]+)"/.exec(text)?.[1] ?? 'none')`
ready(port, '/', {
  protocol: 'plain',
  subprotocols: ['vite-hmr'],
  identities: {
    low: {
      token: { command: [process.execPath, '--input-type=module', '-e', script], as: { query: 'token' } },
    },
  },
  private: ['"type":"connected"'],
})
