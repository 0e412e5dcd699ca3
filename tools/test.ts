import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from './build.ts'
import { ensurePackages } from './debian.ts'
import { root, runForwarding } from './processes.ts'
import { addCounts, countReport, countsLine, noCounts } from './test-counts.ts'
import type { Counts, Report } from './test-counts.ts'

const projects = ['unit', 'integration', 'latency', 'e2e'] as const

/** One project's result: its counts, and whether vitest itself was content with the run. */
interface Outcome {
  readonly counts: Counts
  readonly clean: boolean
}

async function runProject(project: string, folder: string): Promise<Outcome> {
  console.log(`\n== tests: ${project}`)
  const file = join(folder, `${project}.json`)
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
  const code = await runForwarding('vitest', ['run', '--project', project, ...reporters])
  if (!existsSync(file)) return { counts: noCounts, clean: false }
  // The shape is vitest's own report, which its `json` reporter documents.
  const counts = countReport(JSON.parse(readFileSync(file, 'utf8')) as Report)
  const clean = code === 0 && counts.passed + counts.failed > 0
  if (!clean && counts.failed === 0)
    console.error(`vitest ended the project ${project} with code ${String(code)}`)
  return { counts, clean }
}

async function runAll(folder: string): Promise<Outcome> {
  let total: Outcome = { counts: noCounts, clean: true }
  for (const project of projects) {
    const { counts, clean } = await runProject(project, folder)
    total = { counts: addCounts(total.counts, counts), clean: total.clean && clean }
  }
  return total
}

function stop(message: string): never {
  console.error(message)
  process.exit(1)
}

const problem = ensurePackages()
if (problem !== undefined) stop(problem)
if (!build()) stop('The build failed, so no test ran.')

const folder = mkdtempSync(join(tmpdir(), 'countersign-test-'))
try {
  const { counts, clean } = await runAll(folder)
  for (const failure of counts.failures) console.log(`failed: ${failure.replace(`${root}/`, '')}`)
  for (const name of counts.skippedNames) console.log(`skipped: ${name}`)
  process.exitCode = clean && counts.failed === 0 && counts.passed > 0 ? 0 : 1
  console.log(countsLine(counts))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
