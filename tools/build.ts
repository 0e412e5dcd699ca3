import { chmodSync, existsSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { copyAssets } from './copy-assets.ts'
import { root, run } from './processes.ts'

/** The compilations in the order in which they need each other: each reads the declarations of those before it. */
const compilations: readonly string[] = [
  'packages/countersign/tsconfig.json',
  'packages/server/tsconfig.json',
  'packages/server/tsconfig.pages.json',
]

/** The client as files for pages without modules, made from what was compiled: by entry, what comes out. */
const clientScripts: Readonly<Record<string, string>> = {
  'script.js': 'countersign-client.js',
  'script-all.js': 'countersign-client-all.js',
}

/**
 * Compiles both packages into their `dist` folders, bundles the client, copies what is not TypeScript, and removes outputs whose source is gone.
 *
 * @returns whether everything compiled.
 */
export function build(): boolean {
  const startedAt = Date.now()
  for (const project of compilations) {
    if (project.endsWith('pages.json') && !hasBrowserModules(join(root, 'packages/server/src'))) continue
    if (run('tsc', ['-p', project]) !== 0) return false
  }
  if (!bundleClient()) return false
  copyAssets(join(root, 'packages/server/src'), join(root, 'packages/server/dist'))
  for (const name of ['countersign', 'server']) prune(join(root, 'packages', name, 'dist'), startedAt)
  linkProgram()
  return true
}

function bundleClient(): boolean {
  const folder = 'packages/countersign/dist/client'
  const form = ['--format=iife', '--name=countersign', '--minify', '--log-level=warn']
  return Object.entries(clientScripts).every(
    ([entry, script]) => run('rolldown', [`${folder}/${entry}`, `--file=${folder}/${script}`, ...form]) === 0,
  )
}

function hasBrowserModules(folder: string): boolean {
  return readdirSync(folder, { recursive: true }).some((path) =>
    /[\\/]browser[\\/].*\.ts$/.test(String(path)),
  )
}

/** Every build writes every output, so what is older than the build has no source any more. */
function prune(folder: string, startedAt: number): void {
  const clockSlackMs = 2_000
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isFile() && statSync(path).mtimeMs < startedAt - clockSlackMs) rmSync(path)
  }
}

/** npm links a program only if its file exists at install time; before the first build it does not. */
function linkProgram(): void {
  const program = join(root, 'packages/server/dist/cli/main.js')
  if (!existsSync(program)) return
  chmodSync(program, 0o755)
  const link = join(root, 'node_modules/.bin/countersign')
  if (process.platform === 'win32' || existsSync(link)) return
  rmSync(link, { force: true })
  symlinkSync('../../packages/server/dist/cli/main.js', link)
}

if (import.meta.main) process.exitCode = build() ? 0 : 1
