/** Style sheets, pictures and browser modules, read once and served from memory. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance } from 'fastify'

/** One file as it is served. */
export interface Asset {
  readonly type: string
  readonly body: string
  /** A digest of the body, in quotes (RFC 9110 §8.8.3). */
  readonly etag: string
}

/** What is served at all; a file of any other kind is not there. */
const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/**
 * Reads what a folder has for browsers; compiled modules where the program is built, TypeScript with its types removed
 * where it runs from its sources.
 * @param folder URL of the folder, made with `new URL('./pages/', import.meta.url)`
 * @returns files by name, as a browser asks for them; a folder that is not there has none
 */
export function readAssets(folder: URL): ReadonlyMap<string, Asset> {
  const path = fileURLToPath(folder)
  const assets = new Map<string, Asset>()
  if (!existsSync(path)) return assets
  for (const name of readdirSync(path).sort()) {
    const asset = readAsset(join(path, name))
    if (asset !== undefined) assets.set(name.replace(/\.ts$/, '.js'), asset)
  }
  return assets
}

/** Serves assets below `prefix`, which ends in a slash. Browsers keep them but ask each time whether they changed. */
export function serveAssets(app: FastifyInstance, prefix: string, assets: ReadonlyMap<string, Asset>): void {
  for (const [name, asset] of assets) {
    app.get(prefix + name, (request, reply) => {
      reply.header('cache-control', 'no-cache').header('etag', asset.etag)
      if (request.headers['if-none-match'] === asset.etag) return reply.code(304).send()
      return reply.header('content-type', asset.type).send(asset.body)
    })
  }
}

function readAsset(path: string): Asset | undefined {
  const extension = extname(path)
  const isScript = extension === '.ts' || extension === '.js'
  if (isScript && !isModule(path)) return undefined
  if (extension === '.ts') return assetOf('.js', plainModule(readFileSync(path, 'utf8')))
  return types[extension] === undefined ? undefined : assetOf(extension, readFileSync(path, 'utf8'))
}

/** The digest is cut to 128 bits: enough to tell versions apart, and nobody gains by a collision. */
function assetOf(extension: string, body: string): Asset {
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
  return { type: types[extension] ?? 'application/octet-stream', body, etag }
}

/** A module for browsers: in a folder called `browser`, and no declaration file. The server's own code is not served. */
function isModule(path: string): boolean {
  return /[\\/]browser[\\/][^\\/]+$/.test(path) && !path.endsWith('.d.ts')
}

/** Types become blanks; relative imports name the compiled file. */
function plainModule(source: string): string {
  return stripTypeScriptTypes(source).replace(/(from\s+'\.{1,2}\/[^']+)\.ts'/g, "$1.js'")
}
