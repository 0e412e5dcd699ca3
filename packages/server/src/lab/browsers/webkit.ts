import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { Belongings } from './belongings.ts'
import { eventually } from './deadline.ts'
import { startDisplay } from './display.ts'
import { findWebKitPrograms, versionTitle } from './find.ts'
import { isBlank } from './png.ts'
import { createProfile, type Profile } from './profile.ts'
import { start } from './program.ts'
import { unwrapResult, wrapScript } from './script.ts'
import { BrowserError, type Browser, type LaunchSettings, type Page } from './types.ts'
import { isReady, startSession, type Session } from './webdriver.ts'

/** Below the ephemeral range, where an outgoing connection cannot take the port between choice and use. */
const ports = { from: 20_000, to: 32_000 } as const
const maxPortTries = 20
const maxResizeTries = 4
const paintTimeoutMs = 5_000

const narrowStyle = `* {
  min-width: 0; min-height: 0; margin: 0; padding: 0; border-width: 0; font-size: 1px; -gtk-icon-transform: scale(0.01)
}`

/** MiniBrowser's own default is the same as `block`. */
const cookieArguments: Readonly<Record<LaunchSettings['thirdPartyCookies'], readonly string[]>> = {
  allow: ['--cookies-policy=always'],
  block: ['--cookies-policy=no-third-party'],
  default: [],
}

/**
 * Starts WebKitGTK's MiniBrowser on a display of its own and drives it over WebDriver. Its tabs take turns: a command
 * to one waits for the running command of another. `belongings` are released by the browser's `close`.
 */
export async function launchWebKit(
  path: string,
  settings: LaunchSettings,
  belongings: Belongings,
): Promise<Browser> {
  const address = await startDriver(belongings)
  const session = await startSession(address, {
    capabilities: {
      browserName: 'MiniBrowser',
      acceptInsecureCerts: settings.trust.length > 0,
      'webkitgtk:browserOptions': {
        binary: path,
        args: ['--automation', ...cookieArguments[settings.thirdPartyCookies]],
      },
    },
    timeouts: { pageLoadMs: settings.navigationTimeoutMs, scriptMs: settings.evaluateTimeoutMs },
  })
  const inWindow = takeTurns(session)
  return {
    engine: 'webkit',
    version: versionTitle('webkit', session.browserVersion),
    open: (url) => openPage(session, url, inWindow),
    close: async () => {
      // Whether it says goodbye or not, its processes end next.
      await session.end().catch(() => undefined)
      await belongings.release()
    },
  }
}

/** Gives the address of a driver that answers. */
async function startDriver(belongings: Belongings): Promise<string> {
  const { driver, display } = await findWebKitPrograms()
  if (driver === undefined || display === undefined) {
    throw new BrowserError('missing', 'WebKitGTK takes WebKitWebDriver and Xvfb')
  }
  const profile = await createProfile(belongings)
  await writeNarrowStyle(profile)
  const env = {
    ...profile.env,
    DISPLAY: await startDisplay(display, profile.env, belongings),
    // Else GTK starts an accessibility bus and a settings daemon that outlive it.
    NO_AT_BRIDGE: '1',
    GSETTINGS_BACKEND: 'memory',
  }
  const port = await freePort()
  const program = start(driver, [`--port=${String(port)}`, '--host=127.0.0.1'], { env, belongings })
  const address = `http://127.0.0.1:${String(port)}`
  // Whoever else answers there, a driver that lost the port has ended.
  const ready = (): Promise<boolean> => isReady(address)
  if ((await eventually(10_000, 50, async () => !program.alive() || (await ready()))) && program.alive()) {
    return address
  }
  throw new BrowserError('launch', `WebKitWebDriver did not answer on port ${String(port)}`)
}

/** Takes the width out of the toolbar, whose buttons else keep the window from becoming as narrow as a phone. */
async function writeNarrowStyle({ env }: Profile): Promise<void> {
  const folder = join(env.XDG_CONFIG_HOME, 'gtk-3.0')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'gtk.css'), narrowStyle)
}

async function freePort(): Promise<number> {
  for (let tries = 0; tries < maxPortTries; tries++) {
    const port = ports.from + Math.floor(Math.random() * (ports.to - ports.from))
    if (await isFree(port)) return port
  }
  throw new BrowserError('launch', `no free port between ${String(ports.from)} and ${String(ports.to)}`)
}

/** Free now: the driver ends when somebody is quicker. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/** Runs a task while the session looks at the window of that handle, and at no other. */
type InWindow = <T>(handle: string, task: () => Promise<T>) => Promise<T>

/** A session has one current window, so tasks stand in line; a failed one does not hold up the next. */
function takeTurns(session: Session): InWindow {
  let last: Promise<unknown> = Promise.resolve()
  return (handle, task) => {
    const turn = last.then(async () => {
      await session.switchTo(handle)
      return task()
    })
    last = turn.catch(() => undefined)
    return turn
  }
}

async function openPage(session: Session, url: string, inWindow: InWindow): Promise<Page> {
  // The session's first window stays unused: with its last window a session ends.
  const page = drive(session, await session.newWindow(), inWindow)
  await page.goto(url)
  return page
}

/** Puts this room's interface over one window of the session. */
function drive(session: Session, handle: string, inWindow: InWindow): Page {
  const run = <T>(task: () => Promise<T>): Promise<T> => inWindow(handle, task)
  return {
    goto: (url) => run(() => navigate(session, url)),
    evaluate: <T>(script: string) => run(() => evaluate<T>(session, script)),
    click: (selector) => run(() => session.click(selector)),
    type: (selector, text) => run(() => session.type(selector, text)),
    screenshot: async (file) => writeFile(file, await run(() => paintedScreenshot(session))),
    resize: (width, height) => run(() => resizeViewport(session, width, height)),
    emulate: undefined,
    locate: undefined,
    puppeteer: undefined,
    close: () => run(() => session.closeWindow()),
  }
}

async function evaluate<T>(session: Session, script: string): Promise<T> {
  return unwrapResult(await session.evaluate(wrapScript(script))) as T // the caller vouches for T
}

/** A page that answered has a navigation entry, and a start that differs from the page's before it. */
const whereabouts = `return {
  loadedAt: performance.timeOrigin,
  answered: location.protocol !== 'about:' && performance.getEntriesByType('navigation').length > 0,
  fragment: location.hash,
}`

interface Whereabouts {
  readonly loadedAt: number
  /** False on the empty page and on the browser's own error pages. */
  readonly answered: boolean
  readonly fragment: string
}

/** The driver reports success when nothing answered, and leaves the old page or an error page: so the page is asked. */
async function navigate(session: Session, url: string): Promise<void> {
  const before = await evaluate<Whereabouts>(session, whereabouts)
  await session.navigate(url)
  const after = await evaluate<Whereabouts>(session, whereabouts)
  const moved = after.loadedAt !== before.loadedAt || after.fragment !== before.fragment
  const wantsNothing = url.startsWith('about:')
  if (!wantsNothing && !(after.answered && moved))
    throw new BrowserError('navigation', `${url}: nothing answered`)
}

/** Two frames: the second begins when the first is on the screen. A hidden page has none, hence the limit. */
const nextPaint = `await Promise.race([
  new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
  new Promise((resolve) => setTimeout(resolve, 500)),
])`

/** WebKit hands over a blank picture before the first paint; a page that stays blank is taken as it is. */
async function paintedScreenshot(session: Session): Promise<Uint8Array> {
  await evaluate(session, nextPaint)
  let png = await session.screenshot()
  await eventually(paintTimeoutMs, 200, async () => {
    if (!isBlank(png)) return true
    png = await session.screenshot()
    return false
  })
  return png
}

/** Window, toolbar and page come to rest one after the other; the size counts once it has stood still for a while. */
const viewportSize = `let seen = ''
for (let calm = 0, looks = 0; calm < 5 && looks < 60; looks++) {
  await new Promise((resolve) => setTimeout(resolve, 40))
  const now = innerWidth + ' ' + innerHeight
  calm = now === seen ? calm + 1 : 0
  seen = now
}
return { width: innerWidth, height: innerHeight }`

interface Size {
  readonly width: number
  readonly height: number
}

/** Only the outer window can be sized: it is corrected by what the viewport then lacks. */
async function resizeViewport(session: Session, width: number, height: number): Promise<void> {
  let outer: Size = { width, height }
  for (let tries = 0; tries < maxResizeTries; tries++) {
    await session.resizeWindow(outer.width, outer.height)
    const inner = await evaluate<Size>(session, viewportSize)
    if (inner.width === width && inner.height === height) return
    outer = { width: outer.width + width - inner.width, height: outer.height + height - inner.height }
  }
  throw new BrowserError('unsupported', `WebKitGTK's window cannot show ${String(width)} × ${String(height)}`)
}
