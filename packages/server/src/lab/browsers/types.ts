import type { Page as PuppeteerPage } from 'puppeteer-core'

/** The three engines that the lab is measured in. */
export type Engine = 'chromium' | 'firefox' | 'webkit'

/** Every engine, in the order of the browser matrix. */
export const engines: readonly Engine[] = ['chromium', 'firefox', 'webkit']

/** What a page may be told about its reader. */
export interface MediaFeatures {
  /** @default 'light' */
  readonly colorScheme?: 'dark' | 'light'
  /** @default false */
  readonly reducedMotion?: boolean
}

/** A position on earth, degrees. */
export interface Place {
  readonly latitude: number
  readonly longitude: number
}

/** A running browser with a profile of its own that no earlier run has touched. Hand it back with `close`. */
export interface Browser {
  readonly engine: Engine
  /** As the browser itself tells it: `Chromium 156.0.8078.79`, `Firefox 153.7.0`, `WebKitGTK 2.50.6`. */
  readonly version: string
  /**
   * Opens a new tab at `url` and waits for its `load` event. All tabs share the profile's cookies.
   *
   * @throws BrowserError `navigation` when nothing answered, `timeout` when it took too long
   */
  readonly open: (url: string) => Promise<Page>
  /** Ends the browser: its processes, profile folder, policy file and display are gone. Safe to call twice. */
  readonly close: () => Promise<void>
}

/** One tab. */
export interface Page {
  /**
   * Goes to `url` and waits for its `load` event; an HTTP error page counts as an answer.
   *
   * @throws BrowserError `navigation` when nothing answered, `timeout` when it took too long
   */
  readonly goto: (url: string) => Promise<void>
  /**
   * Runs the body of an async function in the page, outside its content security policy: `return await
   * globalThis.lab.runAll()`. The result crosses as JSON; `undefined` stays `undefined`. The caller vouches for `T`.
   *
   * @throws BrowserError `script` with the page's own message when the body throws, `timeout`
   */
  readonly evaluate: <T>(script: string) => Promise<T>
  /** Clicks the middle of the first element that matches, with real input events. @throws BrowserError */
  readonly click: (selector: string) => Promise<void>
  /** Focuses the first element that matches and types `text` key by key. @throws BrowserError */
  readonly type: (selector: string, text: string) => Promise<void>
  /** Writes what the viewport shows to `file` as PNG. @throws BrowserError */
  readonly screenshot: (file: string) => Promise<void>
  /**
   * Gives the viewport this many CSS pixels.
   *
   * @throws BrowserError `unsupported` when the engine's window cannot be that size
   */
  readonly resize: (width: number, height: number) => Promise<void>
  /**
   * Sets media features and waits until the page sees them; a feature left out goes back to its default. Chromium keeps them per page, Firefox for the
   * whole browser. `undefined` where the engine has no way to do it (WebKitGTK).
   */
  readonly emulate: ((features: MediaFeatures) => Promise<void>) | undefined
  /**
   * Lets pages of this page's origin ask for a position and tells them this one, or refuses it to them. `undefined` where
   * the engine has no way to do it (WebKitGTK).
   *
   * @throws BrowserError
   */
  readonly locate: ((place: Place | 'refused') => Promise<void>) | undefined
  /** Puppeteer's own page, for what one engine alone can do. `undefined` where something else drives (WebKitGTK). */
  readonly puppeteer: PuppeteerPage | undefined
  /** Closes the tab; the browser lives on. */
  readonly close: () => Promise<void>
}

/** A client certificate and where it may be shown. */
export interface ClientCertificate {
  /** A PKCS #12 file with key and certificate. */
  readonly p12File: string
  readonly password: string
  /** `host:port` of each `https`/`wss` server that may ask for it. Firefox shows it to every server that asks. */
  readonly hosts: readonly string[]
}

/** How a browser is started. */
export interface LaunchOptions {
  /** Debian's Chromium and upstream's differ, so a measurement names its mode. @default 'default' */
  readonly thirdPartyCookies?: 'allow' | 'block' | 'default'
  /** PEM files of certificate authorities. WebKitGTK accepts *every* certificate once one is named. @default [] */
  readonly trust?: readonly string[]
  /**
   * Shown without asking. Chromium reads its permission from a machine-wide policy file, made for the run
   * and removed by `close`: that takes a user who may write to `/etc/chromium`. WebKitGTK has no way to do it.
   */
  readonly clientCertificate?: ClientCertificate
  /** @default 30_000 */
  readonly launchTimeoutMs?: number
  /** @default 30_000 */
  readonly navigationTimeoutMs?: number
  /** @default 120_000 */
  readonly evaluateTimeoutMs?: number
}

/** {@link LaunchOptions} with every default filled in. */
export interface LaunchSettings {
  readonly thirdPartyCookies: 'allow' | 'block' | 'default'
  readonly trust: readonly string[]
  readonly clientCertificate: ClientCertificate | undefined
  readonly launchTimeoutMs: number
  readonly navigationTimeoutMs: number
  readonly evaluateTimeoutMs: number
}

/** What the machine has for one engine. */
export type FoundBrowser =
  | { readonly kind: 'found'; readonly engine: Engine; readonly path: string; readonly version: string }
  | { readonly kind: 'missing'; readonly engine: Engine; readonly reason: string }

/** Why driving a browser failed. */
export type BrowserFailure =
  | 'missing' // a program or the optional package is not installed
  | 'launch' // it started and gave up
  | 'timeout'
  | 'navigation' // nothing answered at the address
  | 'script' // the page's script threw
  | 'unsupported' // this engine cannot do that
  | 'protocol' // the driver refused a command

/** The one error of this room. */
export class BrowserError extends Error {
  readonly failure: BrowserFailure

  constructor(failure: BrowserFailure, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'BrowserError'
    this.failure = failure
  }
}
