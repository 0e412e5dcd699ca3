import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page as PuppeteerPage } from 'puppeteer-core'
import type { Belongings } from './belongings.ts'
import { allowClientCertificate, createProfile, fillCertificateDatabase } from './profile.ts'
import { start } from './program.ts'
import { attach } from './puppeteer.ts'
import type { Browser, LaunchSettings, MediaFeatures } from './types.ts'

/** Chromium's two preferences for third-party cookies, by mode. */
const cookiePreferences = {
  allow: { cookie_controls_mode: 0, block_third_party_cookies: false },
  block: { cookie_controls_mode: 1, block_third_party_cookies: true },
  default: undefined,
} as const

/** Headless, quiet and without chance traffic; nothing here touches cookies, authentication, TLS or WebSockets. */
const fixedFlags: readonly string[] = [
  '--headless',
  '--disable-gpu',
  '--disable-quic',
  '--disable-dev-shm-usage', // /dev/shm is 64 MB in a container
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--password-store=basic',
  '--window-size=1280,900',
  '--remote-debugging-port=0',
]

/** Starts Chromium and drives it over the DevTools protocol. `belongings` are released by the browser's `close`. */
export async function launchChromium(
  path: string,
  settings: LaunchSettings,
  belongings: Belongings,
): Promise<Browser> {
  const { folder, env } = await createProfile(belongings)
  const userData = join(folder, 'user-data')
  await writePreferences(userData, settings)
  await fillCertificateDatabase(join(folder, '.pki', 'nssdb'), settings)
  if (settings.clientCertificate !== undefined) {
    allowClientCertificate(settings.clientCertificate.hosts, belongings)
  }
  // The sandbox refuses to work for root; nobody else has a reason to go without.
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const args = [...fixedFlags, ...sandbox, `--user-data-dir=${userData}`, 'about:blank']
  const endpoint = await start(path, args, { env, belongings }).says(/DevTools listening on (ws:\S+)/)
  return attach({
    engine: 'chromium',
    endpoint,
    protocol: 'cdp',
    settings,
    belongings,
    emulation: () => emulate,
  })
}

/** Must be written before the first start; Chromium fills in the rest. */
async function writePreferences(userData: string, { thirdPartyCookies }: LaunchSettings): Promise<void> {
  const profile = cookiePreferences[thirdPartyCookies]
  if (profile === undefined) return
  await mkdir(join(userData, 'Default'), { recursive: true, mode: 0o700 })
  await writeFile(join(userData, 'Default', 'Preferences'), JSON.stringify({ profile }), { mode: 0o600 })
}

function emulate(
  page: PuppeteerPage,
  { colorScheme = 'light', reducedMotion = false }: MediaFeatures,
): Promise<void> {
  return page.emulateMediaFeatures([
    { name: 'prefers-color-scheme', value: colorScheme },
    { name: 'prefers-reduced-motion', value: reducedMotion ? 'reduce' : 'no-preference' },
  ])
}
