import { writeFile } from 'node:fs/promises'
import type { Browser as PuppeteerBrowser, Page as PuppeteerPage, PuppeteerNode } from 'puppeteer-core'
import type { Belongings } from './belongings.ts'
import { within } from './deadline.ts'
import { unwrapResult, wrapScript } from './script.ts'
import {
  BrowserError,
  type Browser,
  type Engine,
  type LaunchSettings,
  type MediaFeatures,
  type Page,
  type Place,
} from './types.ts'
import { versionTitle } from './find.ts'

/** For a click, a picture and the like. */
const actionTimeoutMs = 30_000
const closeTimeoutMs = 5_000

/** Sets the media features of one page. */
export type Emulate = (page: PuppeteerPage, features: MediaFeatures) => Promise<void>

/** A browser that runs already and listens at `endpoint`. */
export interface Attachment {
  readonly engine: Engine
  readonly endpoint: string
  readonly protocol: 'cdp' | 'webDriverBiDi'
  readonly settings: LaunchSettings
  readonly belongings: Belongings
  /** Given the connection, makes the way to set media features. */
  readonly emulation: (browser: PuppeteerBrowser) => Emulate
}

/**
 * Takes the wheel of a running Chromium or Firefox. It was started by its own launcher, since Puppeteer's would add
 * preferences of its own to the profile.
 */
export async function attach(attachment: Attachment): Promise<Browser> {
  const { engine, endpoint, protocol, settings, belongings } = attachment
  const puppeteer = await loadPuppeteer()
  const browser = await puppeteer.connect({
    browserWSEndpoint: endpoint,
    protocol,
    defaultViewport: null,
    protocolTimeout: settings.evaluateTimeoutMs + actionTimeoutMs,
  })
  const emulate = attachment.emulation(browser)
  return {
    engine,
    version: versionTitle(engine, await browser.version()),
    open: (url) => openPage(browser, url, { settings, emulate }),
    close: async () => {
      // Whether it says goodbye or not, its processes end next.
      await within(closeTimeoutMs, 'closing', browser.close()).catch(() => undefined)
      await belongings.release()
    },
  }
}

/** Loaded when first needed: the package is an optional peer, of use to the lab's report alone. */
async function loadPuppeteer(): Promise<PuppeteerNode> {
  try {
    return (await import('puppeteer-core')).default
  } catch (cause) {
    throw new BrowserError(
      'missing',
      'driving Chromium or Firefox takes the package puppeteer-core: npm install puppeteer-core',
      {
        cause,
      },
    )
  }
}

interface Driving {
  readonly settings: LaunchSettings
  readonly emulate: Emulate
}

async function openPage(browser: PuppeteerBrowser, url: string, driving: Driving): Promise<Page> {
  const opened = await told('opening a tab', browser.newPage())
  // An unanswered dialog would hold up the page, and with it every later command.
  opened.on('dialog', (dialog) => void dialog.dismiss().catch(() => undefined))
  const page = drive(opened, driving)
  await page.goto(url)
  return page
}

/** Puts this room's interface over Puppeteer's page. */
function drive(page: PuppeteerPage, { settings, emulate }: Driving): Page {
  const act = <T>(what: string, task: Promise<T>): Promise<T> =>
    told(what, within(actionTimeoutMs, what, task))
  return {
    goto: (url) => navigate(page, url, settings.navigationTimeoutMs),
    evaluate: async <T>(script: string): Promise<T> => {
      const task = told('evaluate', page.evaluate(wrapScript(script)))
      return unwrapResult(await within(settings.evaluateTimeoutMs, 'evaluate', task)) as T // the caller vouches for T
    },
    click: (selector) => act(`click on ${selector}`, page.click(selector)),
    type: (selector, text) => act(`type into ${selector}`, page.type(selector, text)),
    screenshot: async (file) => {
      await writeFile(file, await act('screenshot', page.screenshot({ type: 'png' })))
    },
    resize: (width, height) => act('resize', page.setViewport({ width, height })),
    emulate: (features) => act('emulate', emulate(page, features)),
    locate: (place) => act('locate', locate(page, place)),
    puppeteer: page,
    close: () => act('closing a tab', page.close()),
  }
}

/** The permission is the origin's; the position is the page's. */
async function locate(page: PuppeteerPage, place: Place | 'refused'): Promise<void> {
  const { origin } = new URL(page.url())
  const state = place === 'refused' ? 'denied' : 'granted'
  await page.browserContext().setPermission(origin, { permission: { name: 'geolocation' }, state })
  if (place !== 'refused') await page.setGeolocation(place)
}

/** Puppeteer tells a late page from an absent one by the error's name. */
async function navigate(page: PuppeteerPage, url: string, timeout: number): Promise<void> {
  try {
    await page.goto(url, { timeout, waitUntil: 'load' })
  } catch (cause) {
    const failure = cause instanceof Error && cause.name === 'TimeoutError' ? 'timeout' : 'navigation'
    throw new BrowserError(failure, `${url}: ${message(cause)}`, { cause })
  }
}

/** Turns whatever Puppeteer throws into this room's error, with `what` was being done. */
async function told<T>(what: string, task: Promise<T>): Promise<T> {
  try {
    return await task
  } catch (cause) {
    if (cause instanceof BrowserError) throw cause
    throw new BrowserError('protocol', `${what}: ${message(cause)}`, { cause })
  }
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
