import { createBelongings, type Belongings } from './belongings.ts'
import { launchChromium } from './chromium.ts'
import { within } from './deadline.ts'
import { findExecutable, lackingFor, missingReason } from './find.ts'
import { launchFirefox } from './firefox.ts'
import { BrowserError, type Browser, type Engine, type LaunchOptions, type LaunchSettings } from './types.ts'
import { launchWebKit } from './webkit.ts'

export { findBrowsers } from './find.ts'

type Launcher = (path: string, settings: LaunchSettings, belongings: Belongings) => Promise<Browser>

const launchers: Readonly<Record<Engine, Launcher>> = {
  chromium: launchChromium,
  firefox: launchFirefox,
  webkit: launchWebKit,
}

/** What an engine cannot do is left out of a plan, and refused when asked for nevertheless. */
export interface Abilities {
  /** Takes {@link LaunchOptions.clientCertificate}. */
  readonly clientCertificate: boolean
  /** Its pages have `emulate`. */
  readonly emulate: boolean
}

/** What each engine can do beyond the common part. */
export const abilities: Readonly<Record<Engine, Abilities>> = {
  chromium: { clientCertificate: true, emulate: true },
  firefox: { clientCertificate: true, emulate: true },
  webkit: { clientCertificate: false, emulate: false },
}

const defaults: LaunchSettings = Object.freeze({
  thirdPartyCookies: 'default',
  trust: [],
  clientCertificate: undefined,
  launchTimeoutMs: 30_000,
  navigationTimeoutMs: 30_000,
  evaluateTimeoutMs: 120_000,
})

/**
 * Starts an installed browser without a window, in an empty profile. The caller must `close` it; when this process
 * ends first, the browser ends with it.
 *
 * @throws BrowserError `missing` when a program or the package puppeteer-core is not installed, `unsupported` when the
 * engine cannot do what an option asks, `launch` or `timeout` when it does not come up; nothing is left behind
 */
export async function launch(engine: Engine, options: LaunchOptions = {}): Promise<Browser> {
  const settings: LaunchSettings = { ...defaults, ...options }
  if (settings.clientCertificate !== undefined && !abilities[engine].clientCertificate) {
    throw new BrowserError('unsupported', `${engine} cannot be given a client certificate`)
  }
  const path = await findExecutable(engine)
  const lacking = await lackingFor(engine)
  if (path === undefined || lacking.length > 0)
    throw new BrowserError('missing', missingReason(engine, lacking))
  const belongings = createBelongings()
  try {
    return await within(
      settings.launchTimeoutMs,
      `starting ${engine}`,
      launchers[engine](path, settings, belongings),
    )
  } catch (error) {
    await belongings.release()
    throw error
  }
}
