/** Brings the lab's page to life, and gives tests and reports `globalThis.countersignLab`. */
import { prepareAttacker, type Attack } from './attack.ts'
import { chooseCases, type Possessions } from './choose.ts'
import type { CaseResult, LabCase, LabReport, RunOptions } from './case.ts'
import { startControls } from './controls.ts'
import { find } from './dom.ts'
import { readEngine } from './engine.ts'
import { doorOf, httpOrigin, type LabFacts } from './facts.ts'
import { findGates } from './gates.ts'
import { followJournal } from './journal.ts'
import { startLeaseBoard } from './lease-board.ts'
import { startLeaseClock } from './lease-clock.ts'
import { findOwnSocket } from './own-socket.ts'
import { findRows } from './rows.ts'
import { runCases } from './run-all.ts'
import type { Surroundings } from './surroundings.ts'
import { askSite, siteSilence } from './site.ts'
import { trustIn, type Trust } from './trust.ts'

/** What the page offers to programs that drive it. */
export interface CountersignLab {
  readonly cases: readonly LabCase[]
  readonly runAll: (options?: RunOptions) => Promise<LabReport>
  /** Runs one case. @throws Error when there is none of this id */
  readonly run: (id: string) => Promise<CaseResult>
}

interface PageData {
  readonly username: string
  readonly docsBase: string
  readonly cases: readonly LabCase[]
}

declare global {
  var countersignLab: CountersignLab
}

const data: PageData = JSON.parse(find('#lab-data', HTMLElement).textContent)
const { engine, words } = readEngine(navigator.userAgent)
const gates = findGates()
const board = startLeaseBoard(gates)
const clock = startLeaseClock()
const own = findOwnSocket(() => clock.end())
const controls = startControls({
  leave: () => own.pause(),
  run: (options) => void runAll(options),
  filter: (only) => rows.filter(only),
})
const rows = findRows(data.cases, {
  engine,
  docsBase: data.docsBase,
  run: (id) => void runAll({ only: [id] }),
})
const latest = new Map<string, CaseResult>()
const facts = readFacts()
const trust = readTrust()
let attack: Attack | undefined
let running: Promise<unknown> = Promise.resolve()

async function readFacts(): Promise<LabFacts> {
  const response = await askSite('/lab/doors.json')
  if (!response.ok) throw new Error(`/lab/doors.json answered ${response.status}`)
  // The page's own server publishes this document, and its shape is part of the lab's contract.
  const published: LabFacts = await response.json()
  return published
}

async function readTrust(): Promise<Trust> {
  try {
    return await trustIn(httpOrigin(doorOf(await facts, 'D11').url))
  } catch {
    return 'unknown'
  }
}

async function surroundings(): Promise<Surroundings> {
  const published = await facts
  attack ??= prepareAttacker(find('[data-hostile]', HTMLIFrameElement), published.hostile.origin)
  return { facts: published, engine, username: data.username, attack, showGate: gates.show, showLease: board }
}

async function possessions(options: RunOptions): Promise<Possessions> {
  const { clientCertificate = false } = options
  const found = await trust
  return { clientCertificate, trust: options.trust === undefined ? found : options.trust ? 'yes' : 'no' }
}

/** One run at a time: the cases share cookies. */
function runAll(options: RunOptions = {}): Promise<LabReport> {
  const next = running.then(() => runNow({ clientCertificate: controls.hasCertificate(), ...options }))
  running = next.catch((error: unknown) => controls.trouble(error))
  return next
}

async function runNow(options: RunOptions): Promise<LabReport> {
  const around = await surroundings()
  const chosen = chooseCases(data.cases, options, await possessions(options))
  if (chosen.some(({ alone }) => alone)) own.pause()
  const report = await runCases(chosen, around, {
    planned: (cases) => controls.planned(cases.length),
    started: (one) => rows.started(one),
    finished(one, result, trace) {
      latest.set(one.id, result)
      rows.finished(one, { result, trace })
      controls.finished(result)
      countDoor(one, chosen)
    },
  })
  await rest()
  controls.done(withEarlier(report))
  if (report.results.some(metSilence)) controls.trouble(new Error(siteSilence))
  return report
}

/** While nothing runs, the page shows how long its login lasts and holds a socket that rests on it. */
async function rest(): Promise<void> {
  const lasts = await clock.sync()
  const published = await facts.catch(() => undefined)
  if (published === undefined) return
  if (lasts) own.open(doorOf(published, 'D7').url)
  else own.ended()
}

function metSilence({ measured }: CaseResult): boolean {
  return measured.kind === 'unsettled' && measured.why === siteSilence
}

/** A report with the latest result of every case that has run on this page: what export saves. */
function withEarlier(report: LabReport): LabReport {
  const results = data.cases.flatMap(({ id }) => latest.get(id) ?? [])
  return { ...report, results, agrees: results.every(({ agrees }) => agrees) }
}

function countDoor({ door }: LabCase, chosen: readonly LabCase[]): void {
  const known = [...latest.values()].filter((result) => result.door === door)
  const total = data.cases.filter(
    (one) => one.door === door && (latest.has(one.id) || chosen.includes(one)),
  ).length
  gates.count(door, known, total)
}

async function run(id: string): Promise<CaseResult> {
  const report = await runAll({ only: [id] })
  const result = report.results[0]
  if (result === undefined) throw new Error(`no case ${id} can run here`)
  return result
}

globalThis.countersignLab = { cases: data.cases, runAll, run }
find('[data-engine]', HTMLElement).textContent = `in ${words}`
followJournal()
void rest()
facts.then(
  () => controls.enable(),
  (error: unknown) => controls.trouble(error),
)
