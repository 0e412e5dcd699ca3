import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access, readdir } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { createBelongings } from './belongings.ts'
import { within } from './deadline.ts'
import { startDisplay } from './display.ts'
import { createProfile } from './profile.ts'
import { engines, type Engine, type FoundBrowser } from './types.ts'

const run = promisify(execFile)
const versionTimeoutMs = 20_000

interface Sought {
  /** Program names; the first that is installed is taken. */
  readonly names: readonly string[]
  readonly title: string
  /** What to install on Debian. */
  readonly debian: string
}

/** By engine; the names are Debian's first, then upstream's. */
const sought: Readonly<Record<Engine, Sought>> = {
  chromium: { names: ['chromium', 'chromium-browser'], title: 'Chromium', debian: 'chromium' },
  firefox: { names: ['firefox-esr', 'firefox'], title: 'Firefox', debian: 'firefox-esr' },
  webkit: { names: ['MiniBrowser'], title: 'WebKitGTK', debian: 'webkit2gtk-driver xvfb' },
}

/** What it takes to drive WebKitGTK. */
export interface WebKitPrograms {
  readonly browser: string | undefined
  readonly driver: string | undefined
  readonly display: string | undefined
}

/** What is installed for each engine, and the reason where something is missing. Starts each browser to ask its version. */
export function findBrowsers(): Promise<readonly FoundBrowser[]> {
  return Promise.all(engines.map(findBrowser))
}

/** {@link findBrowsers} for one engine. */
export async function findBrowser(engine: Engine): Promise<FoundBrowser> {
  const lacking = await lackingFor(engine)
  const path = await findExecutable(engine)
  if (path === undefined || lacking.length > 0) {
    return { kind: 'missing', engine, reason: missingReason(engine, lacking) }
  }
  try {
    return { kind: 'found', engine, path, version: await askVersion(engine, path) }
  } catch (error) {
    return { kind: 'missing', engine, reason: `${path} does not run: ${String(error)}` }
  }
}

/** The browser's program, if it is installed. */
export function findExecutable(engine: Engine): Promise<string | undefined> {
  return engine === 'webkit' ? findMiniBrowser() : findOnPath(sought[engine].names)
}

/** Where the three programs for WebKitGTK are. */
export async function findWebKitPrograms(): Promise<WebKitPrograms> {
  const [browser, driver, display] = await Promise.all([
    findMiniBrowser(),
    findOnPath(['WebKitWebDriver']),
    findOnPath(['Xvfb']),
  ])
  return { browser, driver, display }
}

/** Names what is not installed of all that `engine` needs; empty when it can be driven. */
export async function lackingFor(engine: Engine): Promise<readonly string[]> {
  if (engine !== 'webkit') {
    return (await findExecutable(engine)) === undefined ? [sought[engine].names.join(' or ')] : []
  }
  const { browser, driver, display } = await findWebKitPrograms()
  const needs = { MiniBrowser: browser, WebKitWebDriver: driver, Xvfb: display }
  return Object.entries(needs).flatMap(([name, path]) => (path === undefined ? [name] : []))
}

/** One line that names what to install. */
export function missingReason(engine: Engine, lacking: readonly string[]): string {
  const { title, debian } = sought[engine]
  return `${title} cannot be driven: no ${lacking.join(', no ')} (Debian: ${debian})`
}

/** Runs the program in a profile of its own, so that asking leaves no trace in the user's home. */
async function askVersion(engine: Engine, path: string): Promise<string> {
  const belongings = createBelongings()
  try {
    return await within(versionTimeoutMs, `${path} --version`, tellVersion(engine, path, belongings))
  } finally {
    await belongings.release()
  }
}

async function tellVersion(
  engine: Engine,
  path: string,
  belongings: ReturnType<typeof createBelongings>,
): Promise<string> {
  const { env } = await createProfile(belongings)
  const { display } = engine === 'webkit' ? await findWebKitPrograms() : { display: undefined }
  // MiniBrowser opens its display before it reads its arguments.
  const screen = display === undefined ? {} : { DISPLAY: await startDisplay(display, env, belongings) }
  const { stdout } = await run(path, ['--version'], { env: { ...env, ...screen }, timeout: versionTimeoutMs })
  return versionTitle(engine, stdout)
}

/** Writes a version the way the browser matrix does, whatever else the browser said around its number. */
export function versionTitle(engine: Engine, told: string): string {
  const number = /\d+(?:\.\d+)+/.exec(told)?.[0] ?? 'of unknown version'
  return `${sought[engine].title} ${number}`
}

async function findOnPath(names: readonly string[]): Promise<string | undefined> {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder.startsWith('/'))
  for (const name of names) {
    for (const folder of folders) {
      if (await isExecutable(join(folder, name))) return join(folder, name)
    }
  }
  return undefined
}

/** MiniBrowser is no program for users, so distributions keep it beside the library. */
async function findMiniBrowser(): Promise<string | undefined> {
  const libraries = await readdir('/usr/lib').catch(() => [])
  const roots = [...libraries.filter((name) => name.includes('-linux-')), '', '../libexec', '../lib64']
  for (const api of ['webkit2gtk-4.1', 'webkitgtk-6.0', 'webkit2gtk-4.0']) {
    for (const root of roots) {
      const path = join('/usr/lib', root, api, 'MiniBrowser')
      if (await isExecutable(path)) return path
    }
  }
  return undefined
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}
