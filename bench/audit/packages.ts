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
export async function scan(hole: KnownHole, which: 'old' | 'new'): Promise<Report> {
  const running = await start(hole, which === 'old' ? hole.old : (hole.fixed ?? 'new'))
  try {
    return await audit(running.url, { ...running.options, allowCrashProbes: true, only: hole.checks })
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
