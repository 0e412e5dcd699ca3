/** A development server of webpack. Up to 5.2.0 any address is an Origin of its own (CVE-2025-30360). */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { age, load, ready } from './here.ts'

interface DevServer {
  start(): Promise<void>
  readonly server: { address(): { readonly port: number } }
}

const folder = mkdtempSync(join(tmpdir(), 'audit-webpack-'))
writeFileSync(join(folder, 'index.js'), 'document.title = "A page"')
const webpack = load('webpack') as (options: object) => object // what the package exports
const Server = load(`webpack-dev-server-${age}`) as new (options: object, compiler: object) => DevServer // what the package exports
const compiler = webpack({
  mode: 'development',
  context: folder,
  entry: './index.js',
  output: { path: folder },
  infrastructureLogging: { level: 'none' },
  stats: 'none',
})
const dev = new Server({ host: '127.0.0.1', port: 0, client: { logging: 'none' }, static: false }, compiler)
await dev.start()
ready(dev.server.address().port, '/ws', { protocol: 'plain', private: ['"type":"hot"'] })
