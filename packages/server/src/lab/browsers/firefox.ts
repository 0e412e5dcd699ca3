import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser as PuppeteerBrowser, Page as PuppeteerPage } from 'puppeteer-core'
import { z } from 'zod'
import type { Belongings } from './belongings.ts'
import { eventually } from './deadline.ts'
import { createProfile, fillCertificateDatabase } from './profile.ts'
import { start } from './program.ts'
import { attach, type Emulate } from './puppeteer.ts'
import { BrowserError, type Browser, type LaunchSettings, type MediaFeatures } from './types.ts'

type Preferences = Readonly<Record<string, string | number | boolean>>

/** Keeps Firefox quiet; nothing here touches cookies, authentication, TLS or WebSockets. */
const quiet: Preferences = {
  // Else Firefox adds the automation's recommended preferences, some of which do.
  'remote.prefs.recommended': false,
  'app.update.enabled': false,
  'browser.aboutwelcome.enabled': false,
  'browser.sessionstore.resume_from_crash': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.page': 0,
  'datareporting.policy.dataSubmissionEnabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
}

/** `network.cookie.cookieBehavior` by mode; the default partitions third-party cookies. */
const cookieBehaviour: Readonly<Record<LaunchSettings['thirdPartyCookies'], Preferences>> = {
  allow: { 'network.cookie.cookieBehavior': 0 },
  block: { 'network.cookie.cookieBehavior': 1 },
  default: {},
}

const mediaTimeoutMs = 5_000

/** Starts Firefox and drives it over WebDriver BiDi. `belongings` are released by the browser's `close`. */
export async function launchFirefox(
  path: string,
  settings: LaunchSettings,
  belongings: Belongings,
): Promise<Browser> {
  const { folder, env: home } = await createProfile(belongings)
  // The crash helper leaves the process group, and nobody reads its reports.
  const env = { ...home, MOZ_CRASHREPORTER_DISABLE: '1' }
  await writeFile(join(folder, 'user.js'), userJs(settings), { mode: 0o600 })
  await fillCertificateDatabase(folder, settings)
  const args = ['--headless', '--no-remote', '--profile', folder, '--remote-debugging-port', '0']
  // Lets `emulate` set preferences: BiDi's own command for media features is not in Firefox yet.
  args.push('--remote-allow-system-access')
  const address = await start(path, args, { env, belongings }).says(/WebDriver BiDi listening on (ws:\S+)/)
  return attach({
    engine: 'firefox',
    endpoint: `${address}/session`,
    protocol: 'webDriverBiDi',
    settings,
    belongings,
    emulation,
  })
}

/** The preferences file that Firefox reads at start. */
function userJs({ thirdPartyCookies, clientCertificate }: LaunchSettings): string {
  const certificate: Preferences =
    clientCertificate === undefined ? {} : { 'security.default_personal_cert': 'Select Automatically' }
  const all = { ...quiet, ...cookieBehaviour[thirdPartyCookies], ...certificate }
  return Object.entries(all)
    .map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`)
    .join('')
}

/** Makes `emulate` out of the connection that Puppeteer already holds: Firefox grants one session only. */
function emulation(browser: PuppeteerBrowser): Emulate {
  return async (page, { colorScheme = 'light', reducedMotion = false }) => {
    const connection: unknown = Reflect.get(browser, 'connection')
    if (!isConnection(connection)) {
      throw new BrowserError('unsupported', 'this puppeteer-core does not show its BiDi connection')
    }
    await runInBrowser(connection, preferenceScript({ colorScheme, reducedMotion }))
    // The browser's process tells the page's in its own time.
    const seen = (): Promise<boolean> => sees(page, { colorScheme, reducedMotion })
    if (!(await eventually(mediaTimeoutMs, 20, seen))) {
      throw new BrowserError('unsupported', 'Firefox did not take the media features over')
    }
  }
}

/** Puppeteer's connection: at hand while it runs, left out of its types. */
interface Connection {
  readonly send: (method: string, parameters: object) => Promise<unknown>
}

function isConnection(value: unknown): value is Connection {
  return typeof value === 'object' && value !== null && 'send' in value && typeof value.send === 'function'
}

const tree = z.object({ result: z.object({ contexts: z.array(z.object({ context: z.string() })) }) })
const evaluated = z.object({ result: z.object({ type: z.string() }) })

/** Runs `expression` with the browser's own rights rather than a page's. */
async function runInBrowser(connection: Connection, expression: string): Promise<void> {
  const { result } = tree.parse(await connection.send('browsingContext.getTree', { 'moz:scope': 'chrome' }))
  const target = { context: result.contexts[0]?.context }
  const answer = await connection.send('script.evaluate', { expression, target, awaitPromise: true })
  if (evaluated.parse(answer).result.type !== 'success') {
    throw new BrowserError('protocol', 'Firefox refused a preference')
  }
}

/** Both preferences are browser-wide; BiDi has a command per page, which Firefox does not know yet. */
function preferenceScript({ colorScheme, reducedMotion }: Required<MediaFeatures>): string {
  const preferences = {
    // 0 is dark, 1 is light.
    'layout.css.prefers-color-scheme.content-override': colorScheme === 'dark' ? 0 : 1,
    'ui.prefersReducedMotion': reducedMotion ? 1 : 0,
  }
  return Object.entries(preferences)
    .map(([name, value]) => `Services.prefs.setIntPref(${JSON.stringify(name)}, ${String(value)});`)
    .join('\n')
}

/** Asks the page itself whether both features have arrived. */
async function sees(
  page: PuppeteerPage,
  { colorScheme, reducedMotion }: Required<MediaFeatures>,
): Promise<boolean> {
  const motion = reducedMotion ? 'reduce' : 'no-preference'
  const query = `(prefers-color-scheme: ${colorScheme}) and (prefers-reduced-motion: ${motion})`
  return (await page.evaluate(`matchMedia(${JSON.stringify(query)}).matches`)) === true
}
