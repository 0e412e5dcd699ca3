/** Installs the packages with known holes, and scans each beside its fixed version. */
import { execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { audit, type Report } from '../../packages/server/src/audit/audit.ts'
import type { AuditOptions } from '../../packages/server/src/audit/options.ts'
import type { KnownHole } from './known.ts'

const folder = new URL('packages/', import.meta.url)
const installed = new URL('node_modules/.package-lock.json', folder)

/** Installs what the lockfile of `bench/audit/packages` names, once. Nothing of it runs while it is installed. */
export async function installPackages(): Promise<void> {
  if (existsSync(installed)) return
  await promisify(execFile)('npm', ['ci', '--ignore-scripts', '--legacy-peer-deps'], {
    cwd: folder.pathname,
    timeout: 600_000,
  })
}

/** A target in a process of its own. */
interface Running {
  readonly url: string
  readonly options: AuditOptions
  stop(): Promise<void>
}

/** Whether the hole can be shown on this machine. */
export function showsHere({ node }: KnownHole): boolean {
  return node === undefined || node === `node-${process.platform}-${process.arch}`
}

function binaryOf(name: string): string {
  return new URL(`node_modules/${name}/bin/node`, folder).pathname
}

async function start({ target, node }: KnownHole, age: string): Promise<Running> {
  const child = fork(new URL(`targets/${target}`, import.meta.url).pathname, [age], {
    ...(node === undefined ? {} : { execPath: binaryOf(node) }),
    execArgv: node === undefined ? ['--conditions=countersign-source'] : [],
    stdio: 'ignore',
  })
  const exited = once(child, 'exit')
  const [running] = (await Promise.race([
    once(child, 'message'),
    exited.then(() => {
      throw new Error(`${target} ${age} ended before it listened`)
    }),
  ])) as [Pick<Running, 'url' | 'options'>] // what every target sends
  return {
    ...running,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill()
      await exited
    },
  }
}

/** Scans one of the two versions with the checks that are meant to find the hole. */
export function scan(hole: KnownHole, which: 'old' | 'new'): Promise<Report> {
  return scanWith(hole, which, { only: hole.checks })
}

/** The waits of a scan, shortened for targets on this machine. */
const shortWaits: AuditOptions = {
  settleMs: 400,
  silenceMs: 5_000,
  headMs: 5_000,
  deadPeerMs: 10_000,
}

/** Scans one of the two versions with the whole catalogue, as anybody would who knows of no hole. */
export function scanAll(hole: KnownHole, which: 'old' | 'new'): Promise<Report> {
  return scanWith(hole, which, shortWaits)
}

async function scanWith(hole: KnownHole, which: 'old' | 'new', options: AuditOptions): Promise<Report> {
  const running = await start(hole, which === 'old' ? hole.old : (hole.fixed ?? 'new'))
  try {
    return await audit(running.url, { ...running.options, allowCrashProbes: true, ...options })
  } finally {
    await running.stop()
  }
}

/** Which of the hole's checks found it. */
export function foundBy({ checks, subject }: KnownHole, { results }: Report): readonly string[] {
  return checks.filter((id) => {
    const outcome = results.find(({ check }) => check.id === id)?.outcome
    if (outcome?.kind !== 'fail') return false
    return subject === undefined || outcome.findings.some((finding) => finding.subject === subject)
  })
}

/** Two scans with the whole catalogue, side by side. */
export interface Comparison {
  /** What only the old version has, without what its row explains: as the row says it, where everything is as it should be. */
  readonly difference: readonly string[]
  readonly common: readonly string[]
}

/** What a comparison should come to. */
export function expectedOf({ checks, subject }: KnownHole): readonly string[] {
  return subject === undefined ? checks : checks.map((id) => `${id} ${subject}`)
}

/** Compares the reports of both versions. */
export function compare({ also = [], subject }: KnownHole, old: Report, fixed: Report): Comparison {
  const inFixed = new Set(foundIn(fixed).map(textOf))
  const found = foundIn(old)
  const more = found.filter((one) => !inFixed.has(textOf(one)) && !also.includes(one.id))
  return {
    difference: [...new Set(more.map((one) => (subject === undefined ? one.id : textOf(one))))],
    common: [...new Set(found.map(textOf).filter((text) => inFixed.has(text)))],
  }
}

interface Found {
  readonly id: string
  readonly subject: string | undefined
}

function foundIn({ results }: Report): readonly Found[] {
  return results.flatMap(({ check: { id }, outcome }) =>
    outcome.kind === 'fail' ? outcome.findings.map(({ subject }) => ({ id, subject })) : [],
  )
}

function textOf({ id, subject }: Found): string {
  return subject === undefined ? id : `${id} ${subject}`
}
