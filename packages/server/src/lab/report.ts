/** Runs the lab's cases in every installed browser, without a window, and puts the results together. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { demoAccounts } from './accounts.ts'
import { abilities, findBrowsers, launch } from './browsers/launch.ts'
import { BrowserError, type Browser, type ClientCertificate, type FoundBrowser, type LaunchOptions, type Page } from './browsers/types.ts'
import { labCases, type CaseResult, type Engine, type LabReport, type RunOptions } from './cases.ts'
import type { Lab } from './lab.ts'
import { labP12Password, packageP12 } from './p12.ts'
import { matrixOf, type EngineRun, type LabMatrix } from './report-matrix.ts'
import { programVersion } from './version.ts'

export { engineTitles, writeMatrix, type EngineRun, type LabMatrix } from './report-matrix.ts'

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
interface Belongings {
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
  const folder = await mkdtemp(join(tmpdir(), 'countersign-report-'))
  try {
    const belongings = await layOut(folder, options.lab)
    const found = await findBrowsers()
    const runs: EngineRun[] = []
    for (const engine of options.engines) {
      const browser = found.find((one) => one.engine === engine)
      if (browser !== undefined) runs.push(await runEngine(browser, belongings, options))
    }
    return matrixOf(labCases, runs, { measuredAt: new Date().toISOString(), program: programVersion() })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function layOut(folder: string, lab: ReportOptions['lab']): Promise<Belongings> {
  const authorityFile = join(folder, 'ca.pem')
  await writeFile(authorityFile, lab.client.authority)
  const p12 = await packageP12(lab.client, lab.client.authority)
  if (p12 === undefined) return { authorityFile, certificate: 'the program openssl is not installed (Debian: openssl)' }
  const p12File = join(folder, 'client.p12')
  await writeFile(p12File, p12, { mode: 0o600 })
  const door = lab.listeners.find(({ url }) => url.startsWith('wss:'))
  const hosts = door === undefined ? [] : [new URL(door.url).host]
  return { authorityFile, certificate: { p12File, password: labP12Password, hosts } }
}

async function runEngine(found: FoundBrowser, belongings: Belongings, options: ReportOptions): Promise<EngineRun> {
  const { engine } = found
  const nothing = { engine, results: [], withoutCertificate: undefined }
  if (found.kind === 'missing') return { ...nothing, version: undefined, trouble: found.reason }
  try {
    const plain = await visitPlain(found, belongings, options)
    const certified = await visitWithCertificate(found, belongings, options)
    const refused = typeof certified === 'string' ? certified : undefined
    const results = typeof certified === 'string' ? plain : mergeResults(plain, certified)
    return { engine, version: found.version, trouble: undefined, withoutCertificate: refused, results }
  } catch (error) {
    return { ...nothing, version: found.version, trouble: wordsOf(error) }
  }
}

/** All cases that need no certificate. Where certificates cannot be installed, TLS is not trusted either. */
async function visitPlain(
  found: Extract<FoundBrowser, { kind: 'found' }>,
  belongings: Belongings,
  options: ReportOptions,
): Promise<readonly CaseResult[]> {
  const run = { slow: true, clientCertificate: false }
  try {
    return await visitWith(found, { trust: [belongings.authorityFile] }, { run, options })
  } catch (error) {
    if (!(error instanceof BrowserError) || error.failure !== 'missing') throw error
    return visitWith(found, {}, { run, options })
  }
}

/** The door of certificates once more, with one installed. @returns results, or why there are none */
async function visitWithCertificate(
  found: Extract<FoundBrowser, { kind: 'found' }>,
  { authorityFile, certificate }: Belongings,
  options: ReportOptions,
): Promise<readonly CaseResult[] | string> {
  if (!abilities[found.engine].clientCertificate) return noWayIn
  if (typeof certificate === 'string') return certificate
  const run = { slow: true, clientCertificate: true, only: ['D11'] }
  const launching = { trust: [authorityFile], clientCertificate: certificate }
  try {
    return await visitWith(found, launching, { run, options })
  } catch (error) {
    // Chromium takes its permission from a policy file, which not every user may write.
    if (error instanceof BrowserError && (error.failure === 'missing' || error.failure === 'launch')) return wordsOf(error)
    throw error
  }
}

/** Later results replace earlier ones of the same case: those with a certificate show more. */
export function mergeResults(earlier: readonly CaseResult[], later: readonly CaseResult[]): readonly CaseResult[] {
  const replaced = new Map(later.map((result) => [result.id, result]))
  const kept = earlier.map((result) => replaced.get(result.id) ?? result)
  const known = new Set(earlier.map(({ id }) => id))
  return [...kept, ...later.filter(({ id }) => !known.has(id))]
}

async function visitWith(
  found: Extract<FoundBrowser, { kind: 'found' }>,
  launching: LaunchOptions,
  { run, options }: { readonly run: RunOptions; readonly options: ReportOptions },
): Promise<readonly CaseResult[]> {
  const doing = run.clientCertificate === true ? `${found.version}, with a client certificate` : found.version
  options.progress(0, labCases.length, doing)
  const browser = await launch(found.engine, launching)
  try {
    const progress = (done: number, total: number): void => options.progress(done, total, doing)
    return await visit({ browser, lab: options.lab, options: run, progress })
  } finally {
    await browser.close()
  }
}

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
  throw new BrowserError('timeout', `the lab's page did not come up within ${loginWithinMs / 1_000} s of the login`)
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
