/** The examples, scanned as their audit configurations say: as they should be, and as their insecure twins. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { audit, type Report } from '../../packages/server/src/audit/audit.ts'
import { readAuditConfig } from '../../packages/server/src/cli/audit-config.ts'
import { startProgram } from './program.ts'

/** One configuration of an example. */
export interface ExampleScan {
  readonly example: ExampleName
  /** Its file in the example's folder. */
  readonly config: string
  /** What the program is started with besides. */
  readonly args: readonly string[]
}

/** Examples with an insecure twin. */
export type ExampleName = 'console' | 'chat'

/** Every configuration; a new one is a row here. */
export const exampleScans: readonly ExampleScan[] = [
  { example: 'console', config: 'audit.yaml', args: [] },
  { example: 'console', config: 'audit-expiry.yaml', args: ['--session', '2'] },
  { example: 'chat', config: 'audit.yaml', args: [] },
  { example: 'chat', config: 'audit-frames.yaml', args: [] },
  { example: 'chat', config: 'audit-tickets.yaml', args: [] },
  { example: 'chat', config: 'audit-expiry.yaml', args: ['--session', '2'] },
]

/** A hole that was planted on purpose. */
export interface PlantedHole {
  readonly id: string
  /** The check that is meant to find it. */
  readonly check: string
}

/** What `holes.json` of an example says. */
export function plantedHoles(example: ExampleName): readonly PlantedHole[] {
  const text = readFileSync(new URL(`../../examples/${example}/holes.json`, import.meta.url), 'utf8')
  return JSON.parse(text) as readonly PlantedHole[] // the file is the repository's own
}

/** Starts an example, or its twin, and scans it with every check that its configuration has the means for. */
export async function scanExample(
  { example, config, args }: ExampleScan,
  insecure: boolean,
): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'audit-example-'))
  const logFile = join(folder, 'log')
  const program = await startProgram(
    `examples/${example}/server.ts`,
    [
      ...args,
      ...(insecure ? ['--insecure'] : []),
      ...(example === 'console' ? ['--journal', join(folder, 'log')] : []),
    ],
    logFile,
  )
  try {
    const file = new URL(`../../examples/${example}/${config}`, import.meta.url).pathname
    const reading = readAuditConfig(file, process.env)
    if (reading.kind === 'wrong')
      throw new Error(`${file}: ${reading.findings.map(({ message }) => message).join(', ')}`)
    const target = new URL(reading.config.target ?? '')
    target.host = program.url.host
    return await audit(target.href, { ...reading.config.options, logFile, intrusive: true })
  } finally {
    await program.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Planted holes that no finding of their check stands for: two of one check need two findings of it. */
export function missedHoles(holes: readonly PlantedHole[], reports: readonly Report[]): readonly string[] {
  const subjects = new Map<string, Set<string>>()
  for (const { check, outcome } of reports.flatMap(({ results }) => results)) {
    const found = subjects.get(check.id) ?? new Set()
    if (outcome.kind === 'fail') for (const { subject, says } of outcome.findings) found.add(subject ?? says)
    subjects.set(check.id, found)
  }
  const spent = new Map<string, number>()
  return holes.flatMap(({ id, check }) => {
    const used = spent.get(check) ?? 0
    spent.set(check, used + 1)
    return used < (subjects.get(check)?.size ?? 0) ? [] : [id]
  })
}

/** Findings of a report, one line each. */
export function findingsOf({ results }: Report): readonly string[] {
  return results.flatMap(({ check, outcome }) =>
    outcome.kind === 'fail' ? outcome.findings.map(({ says }) => `${check.id} ${says}`) : [],
  )
}
