import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { installPacked, pack } from '../../tools/packed-library.ts'
import { root } from '../../tools/processes.ts'

const folder = mkdtempSync(join(tmpdir(), 'countersign-pack-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const manifest: { readonly exports: Readonly<Record<string, unknown>> } = JSON.parse(
  readFileSync(join(root, 'packages/countersign/package.json'), 'utf8'),
)

/** Names that need an optional package beside the library. */
const needy: readonly string[] = [
  './ws',
  './wamp/ws',
  './fastify',
  './express',
  './graphql-ws',
  './crossws',
  './client/react',
]

/** The names that need nothing but the library. */
const subpaths = Object.keys(manifest.exports)
  .filter((subpath) => subpath !== './package.json' && !needy.includes(subpath))
  .map((subpath) => `countersign${subpath.slice(1)}`)

describe('the packed library', () => {
  test('installs at most ten packages, none with an install script, and loads by every public name', () => {
    const installed = installPacked(pack('countersign', folder), subpaths)
    expect(installed.packages).toContain('countersign')
    expect(installed.packages.length).toBeLessThanOrEqual(10)
    expect(installed.withInstallScript).toEqual([])
    expect(installed.loaded).toEqual(subpaths)
  })
})
