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

/** The client as one file for pages without modules, made from what was compiled. */
const clientScript: readonly string[] = [
  'packages/countersign/dist/client/script.js',
  '--file=packages/countersign/dist/client/countersign-client.js',
  '--format=iife',
  '--name=countersign',
  '--minify',
  '--log-level=warn',
]

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
  if (run('rolldown', [...clientScript]) !== 0) return false
  copyAssets(join(root, 'packages/server/src'), join(root, 'packages/server/dist'))
  for (const name of ['countersign', 'server']) prune(join(root, 'packages', name, 'dist'), startedAt)
  linkProgram()
  return true
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
