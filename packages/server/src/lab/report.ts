/** Runs the lab's cases in every installed browser, without a window, and puts the results together. */
import { mkdtempSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { demoAccounts } from './accounts.ts'
import { createBelongings } from './browsers/belongings.ts'
import { abilities, findBrowsers, launch } from './browsers/launch.ts'
import {
  BrowserError,
  type Browser,
  type ClientCertificate,
  type FoundBrowser,
  type LaunchOptions,
  type Page,
} from './browsers/types.ts'
import type { Need } from './browser/case.ts'
import { labCases, type CaseResult, type Engine, type LabReport, type RunOptions } from './cases.ts'
import type { Lab } from './lab.ts'
import { labP12Password, packageP12 } from './p12.ts'
import { matrixOf, type EngineRun, type LabMatrix } from './report-matrix.ts'
import { programVersion } from '../server/version.ts'

export { engineTitles, lackWords, writeMatrix, type LabMatrix } from './report-matrix.ts'

/** What a report is made of. */
export interface ReportOptions {
  readonly lab: Pick<Lab, 'url' | 'listeners' | 'client'>
  /** Browsers to ask for, in the order of the columns. */
  readonly engines: readonly Engine[]
  /** Hears how it goes: cases done in the browser that is under way. */
  readonly progress: (done: number, total: number, doing: string) => void
}

/** What one visit to the lab shows. */
interface Visit {
  readonly browser: Browser
  readonly lab: ReportOptions['lab']
  readonly options: RunOptions
  readonly progress: (done: number, total: number) => void
}

/** Files that browsers are given. */
interface Files {
  readonly authorityFile: string
  /** A client certificate, or why there is none. */
  readonly certificate: ClientCertificate | string
}

const loginWithinMs = 60_000
const runWithinMs = 300_000
const lookEveryMs = 400
const noWayIn = 'this browser has no way to be given a client certificate'

/** Runs every case, one browser after the other. Browsers that are missing or fail are rows of the answer, not errors. */
export async function runReport(options: ReportOptions): Promise<LabMatrix> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-report-'))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  const belongings = createBelongings()
  // The folder has a private key in it, so it goes also when the run is interrupted.
  belongings.keep({ end: async () => remove(), endNow: remove })
  try {
    const files = await layOut(folder, options.lab)
    const found = await findBrowsers()
    const runs: EngineRun[] = []
    for (const engine of options.engines) {
      const browser = found.find((one) => one.engine === engine)
      if (browser !== undefined) runs.push(await runEngine(browser, files, options))
    }
    return matrixOf(labCases, runs, { measuredAt: new Date().toISOString(), program: programVersion() })
  } finally {
    await belongings.release()
  }
}

/** Files for browsers: the lab's authority, and a client certificate where openssl can pack one. */
async function layOut(folder: string, lab: ReportOptions['lab']): Promise<Files> {
  const authorityFile = join(folder, 'ca.pem')
  await writeFile(authorityFile, lab.client.authority)
  const p12 = await packageP12(lab.client, lab.client.authority)
  if (p12 === undefined)
    return { authorityFile, certificate: 'the program openssl is not installed (Debian: openssl)' }
  const p12File = join(folder, 'client.p12')
  await writeFile(p12File, p12, { mode: 0o600 })
  const door = lab.listeners.find(({ url }) => url.startsWith('wss:'))
  const hosts = door === undefined ? [] : [new URL(door.url).host]
  return { authorityFile, certificate: { p12File, password: labP12Password, hosts } }
}

/** What a browser is given for one visit, and what is run then. */
interface Errand {
  /** Ends the line that tells what is under way. */
  readonly title: string
  /** What the browser then has; a visit that fails to give it is left out, with the reason. */
  readonly gives: Need
  readonly launching: LaunchOptions | string
  readonly run: RunOptions
}

/** Everything in a browser as it comes, then the door of certificates with what its other cases need. */
function errandsFor(engine: Engine, { authorityFile, certificate }: Files): readonly Errand[] {
  const trust = [authorityFile]
  const installed = abilities[engine].clientCertificate ? certificate : noWayIn
  const only = ['D11']
  return [
    {
      title: '',
      gives: 'no-trust',
      launching: {},
      run: { slow: true, clientCertificate: false, trust: false },
    },
    {
      title: ', trusting the lab',
      gives: 'trust-without-certificate',
      launching: { trust },
      run: { slow: true, clientCertificate: false, trust: true, only },
    },
    {
      title: ', with a client certificate',
      gives: 'client-certificate',
      launching: typeof installed === 'string' ? installed : { trust, clientCertificate: installed },
      run: { slow: true, clientCertificate: true, trust: true, only },
    },
  ]
}

/** All errands of one browser. A failure ends its measurements and is told in place of them. */
async function runEngine(found: FoundBrowser, files: Files, options: ReportOptions): Promise<EngineRun> {
  const { engine } = found
  if (found.kind === 'missing')
    return { engine, version: undefined, trouble: found.reason, lacks: {}, results: [] }
  const { version } = found
  const lacks: Partial<Record<Need, string>> = {}
  let results: readonly CaseResult[] = []
  try {
    for (const errand of errandsFor(engine, files)) {
      const outcome = await runErrand(errand, { engine, version, options })
      if (typeof outcome === 'string') lacks[errand.gives] = outcome
      else results = mergeResults(results, outcome)
    }
    return { engine, version, trouble: undefined, lacks, results }
  } catch (error) {
    return { engine, version, trouble: wordsOf(error), lacks, results: [] }
  }
}

interface Errander {
  readonly engine: Engine
  readonly version: string
  readonly options: ReportOptions
}

/** @returns results, or why the browser cannot be given what the errand gives @throws BrowserError for anything else */
async function runErrand(
  errand: Errand,
  { engine, version, options }: Errander,
): Promise<readonly CaseResult[] | string> {
  const { launching, run } = errand
  if (typeof launching === 'string') return launching
  const doing = `${version}${errand.title}`
  options.progress(0, 0, doing)
  const browser = await launchOrSay(engine, launching)
  if (typeof browser === 'string') return browser
  try {
    const progress = (done: number, total: number): void => options.progress(done, total, doing)
    return await visit({ browser, lab: options.lab, options: run, progress })
  } finally {
    await browser.close()
  }
}

/** Tools for certificates may be missing, and Chromium's policy file may not be written by every user. */
async function launchOrSay(engine: Engine, launching: LaunchOptions): Promise<Browser | string> {
  try {
    return await launch(engine, launching)
  } catch (error) {
    const given = launching.trust !== undefined || launching.clientCertificate !== undefined
    if (
      given &&
      error instanceof BrowserError &&
      (error.failure === 'missing' || error.failure === 'launch')
    ) {
      return wordsOf(error)
    }
    throw error
  }
}

/** Later results replace earlier ones of the same case: those with a certificate show more. */
export function mergeResults(
  earlier: readonly CaseResult[],
  later: readonly CaseResult[],
): readonly CaseResult[] {
  const replaced = new Map(later.map((result) => [result.id, result]))
  const kept = earlier.map((result) => replaced.get(result.id) ?? result)
  const known = new Set(earlier.map(({ id }) => id))
  return [...kept, ...later.filter(({ id }) => !known.has(id))]
}

/** Logs in, starts the cases, and looks every now and then how far they are. */
async function visit({ browser, lab, options, progress }: Visit): Promise<readonly CaseResult[]> {
  const page = await browser.open(`${lab.url}login`)
  await logIn(page)
  await page.evaluate(`const state = globalThis.countersignRun = { report: null, error: null }
    countersignLab.runAll(${JSON.stringify(options)}).then(
      (report) => { state.report = report },
      (error) => { state.error = String(error) },
    )
    return true`)
  const until = Date.now() + runWithinMs
  while (Date.now() < until) {
    const { done, total, report, error } = await page.evaluate<RunState>(`
      const bar = document.querySelector('[data-progress]')
      return { done: bar?.value ?? 0, total: bar?.max ?? 0, ...globalThis.countersignRun }`)
    progress(done, total)
    if (error !== null) throw new BrowserError('script', `the lab's page failed: ${error}`)
    if (report !== null) return report.results
    await pause(lookEveryMs)
  }
  throw new BrowserError('timeout', `the cases did not end within ${runWithinMs / 1_000} s`)
}

/** What the page tells while it runs. */
interface RunState {
  readonly done: number
  readonly total: number
  readonly report: LabReport | null
  readonly error: string | null
}

/** As a person does: the form, the button, and what comes after it. */
async function logIn(page: Page): Promise<void> {
  const account = demoAccounts[0]
  if (account === undefined) throw new TypeError('the lab has no accounts')
  await page.type('#username', account.username)
  await page.type('#password', account.password)
  await page.click('button[type="submit"]')
  const until = Date.now() + loginWithinMs
  while (Date.now() < until) {
    if (await isReady(page)) return
    await pause(lookEveryMs)
  }
  throw new BrowserError(
    'timeout',
    `the lab's page did not come up within ${loginWithinMs / 1_000} s of the login`,
  )
}

/** While one page gives way to the next, scripts find nothing to run in. */
async function isReady(page: Page): Promise<boolean> {
  try {
    return await page.evaluate<boolean>(`return location.pathname === '/lab'
      && globalThis.countersignLab !== undefined
      && document.querySelector('[data-run-all]')?.disabled === false`)
  } catch {
    return false
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? error.name) : 'it failed'
}
