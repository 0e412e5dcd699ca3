/** `countersign audit`: a scanner of one's own WebSocket endpoints. */
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { extname, relative } from 'node:path'
import { audit as runAudit, type Report } from '../audit/audit.ts'
import { allowanceOf } from '../audit/budget.ts'
import { severityNames, type Severity } from '../audit/check.ts'
import { checks } from '../audit/checks.ts'
import { maxHarBytes } from '../audit/discovery/har.ts'
import type { AuditOptions } from '../audit/options.ts'
import { parseAllowList } from '../audit/scope.ts'
import { maxBaselineBytes, readBaseline } from '../reports/baseline.ts'
import { auditExitMeanings, auditExits, exitOf } from '../reports/exit.ts'
import { toJson } from '../reports/json.ts'
import { printableJson } from '../reports/printable.ts'
import type { SarifPlace } from '../reports/sarif.ts'
import { toTerminal } from '../reports/terminal.ts'
import { writeReport, type ReportFormat, type WriteOptions } from '../reports/write.ts'
import { readAuditConfig, type AuditConfig } from './audit-config.ts'
import { converse } from './audit-repl.ts'
import { auditTrouble } from './audit-troubles.ts'
import { flag, option, repeatable, type Call, type Command } from './command.ts'
import { findingsError } from './config-file.ts'
import { CommandError, usageError } from './exit-codes.ts'
import { alignColumns } from './table.ts'
import { columnsOf, createProgress, paint } from './terminal.ts'

/** Audits. */
export const audit: Command = {
  name: 'audit',
  summary: 'Test a WebSocket endpoint of your own for the holes that sockets have',
  words: ['[TARGET]'],
  options: {
    config: option('FILE', 'who logs in how, what shows who one is, what may be tried (YAML or JSON)'),
    allow: option('FILE', 'hosts beyond this machine that may be tested, one host:port a line'),
    out: repeatable('FILE', 'write a report: .html, .sarif, .xml (JUnit) or .json'),
    baseline: option('FILE', 'a .json or .sarif of before: show what is new'),
    'fail-on': option('SEVERITY', `exit with 1 for findings of at least ${severityNames.join(', ')} [low]`),
    only: option('IDS', 'checks to make, such as O1,O2'),
    skip: option('IDS', 'checks to leave out'),
    protocol: option('NAME', 'plain, socket.io, wamp, graphql-transport-ws or graphql-ws [found out]'),
    intrusive: flag('make checks that may disturb the target, too'),
    'allow-crash-probes': flag('send requests that have crashed servers'),
    timing: flag('measure whether the time of a refusal tells which names exist'),
    verbose: flag('show every check, not findings alone'),
    repl: flag('talk with the target by hand, as any identity; .help says how'),
  },
  notes: [
    'TARGET is the URL of a socket or of a page, a command of curl in quotes, or a .har file.',
    'Only this machine is tested, unless --allow names the host.',
    'Test nothing that is not yours. Ctrl-C stops, closes every socket, and still writes the reports.',
    '',
    'Exit codes',
    ...alignColumns(auditExitMeanings.map(([code, meaning]) => [String(code), meaning])).map(
      (line) => `  ${line}`,
    ),
  ],
  async run(call) {
    const config = configOf(call)
    const target = targetOf(call.words[0] ?? config?.target)
    const failOn = severityOf(call.text('fail-on') ?? 'low')
    const writers = call.texts('out').map((file) => writerOf(file))
    const known = baselineOf(call)
    const options = { ...config?.options, ...optionsOf(call) }
    if (call.flag('repl')) {
      const misfit = ['out', 'baseline', 'fail-on', 'only', 'skip'].find((name) => call.isGiven(name))
      if (misfit !== undefined) throw usageError(`--${misfit} is about checks, and --repl makes none`)
      return converse(call, target, options)
    }
    tellBudget(call, target, options)
    const report = await runStoppably(call, target, options)
    const writing = { place: placeOf(call, config), ...(known === undefined ? {} : { known }) }
    for (const write of writers) write(report, writing)
    tell(call, report, known ?? new Set())
    return exitOf(report, { failOn, known: known ?? new Set() })
  },
}

/** A word, or what a HAR file holds. @throws CommandError usage */
function targetOf(word: string | undefined): string {
  if (word === undefined) throw usageError('TARGET is missing, and no configuration names one')
  if (!/\.har$/i.test(word) || URL.canParse(word)) return word
  if (guarded(word, () => statSync(word).size) > maxHarBytes)
    throw usageError(`${word}: too large for a recording`)
  return guarded(word, () => readFileSync(word, 'utf8'))
}

/** @throws CommandError usage, with a line for each mistake */
function configOf(call: Call): AuditConfig | undefined {
  const file = call.text('config')
  if (file === undefined) return undefined
  const reading = guarded(file, () => readAuditConfig(file, call.around.env))
  if (reading.kind === 'config') return reading.config
  throw new CommandError(auditExits.usage, findingsError(file, reading.findings).message)
}

/** A file of the command line. @throws CommandError usage */
function guarded<T>(file: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof Error && 'code' in error)
      throw usageError(`${file}: cannot be read (${String(error.code)})`)
    throw error
  }
}

function optionsOf(call: Call): AuditOptions {
  const allow = call.text('allow')
  const protocol = call.text('protocol')
  return {
    ...(allow === undefined
      ? {}
      : { allow: parseAllowList(guarded(allow, () => readFileSync(allow, 'utf8'))) }),
    ...(protocol === undefined ? {} : { protocol: protocolOf(protocol) }),
    ...idsOf(call, 'only'),
    ...idsOf(call, 'skip'),
    ...(call.flag('intrusive') ? { intrusive: true } : {}),
    ...(call.flag('timing') ? { timing: true } : {}),
    ...(call.flag('allow-crash-probes') ? { allowCrashProbes: true } : {}),
  }
}

/** @throws CommandError usage for an id that no check has */
function idsOf(call: Call, name: 'only' | 'skip'): Partial<Record<'only' | 'skip', readonly string[]>> {
  const list = call.text(name)
  if (list === undefined) return {}
  const ids = list.split(',').map((id) => id.trim().toUpperCase())
  const wrong = ids.find((id) => !checks.some((check) => check.id === id))
  if (wrong !== undefined)
    throw usageError(
      `--${name} ${wrong}: no check has this id; there are ${checks.map(({ id }) => id).join(' ')}`,
    )
  return { [name]: ids }
}

const protocols = ['plain', 'socket.io', 'wamp', 'graphql-transport-ws', 'graphql-ws'] as const

function protocolOf(text: string): (typeof protocols)[number] {
  const found = protocols.find((protocol) => protocol === text)
  if (found === undefined) throw usageError(`--protocol ${text}: one of ${protocols.join(', ')}`)
  return found
}

function severityOf(text: string): Severity {
  const found = severityNames.find((severity) => severity === text)
  if (found === undefined) throw usageError(`--fail-on ${text}: one of ${severityNames.join(', ')}`)
  return found
}

/** @throws CommandError usage for a file that is no report */
function baselineOf(call: Call): ReadonlySet<string> | undefined {
  const file = call.text('baseline')
  if (file === undefined) return undefined
  if (guarded(file, () => statSync(file).size) > maxBaselineBytes)
    throw usageError(`${file}: too large for a report`)
  const known = readBaseline(guarded(file, () => readFileSync(file, 'utf8')))
  if (known === undefined) throw usageError(`${file}: neither a .json nor a .sarif report of this command`)
  return known
}

const formats: Readonly<Record<string, ReportFormat>> = {
  '.html': 'html',
  '.json': 'json',
  '.sarif': 'sarif',
  '.xml': 'junit',
}

/** A report may tell how to get in: nobody else reads it. @throws CommandError usage for an ending that no format has */
function writerOf(file: string): (report: Report, writing: WriteOptions) => void {
  const format = formats[extname(file).toLowerCase()]
  if (format === undefined)
    throw usageError(`--out ${file}: ends in one of ${Object.keys(formats).join(', ')}`)
  return (report, writing) => writeFileSync(file, writeReport(report, format, writing), { mode: 0o600 })
}

/** Where the target is written down: the configuration, or nowhere in particular. */
function placeOf(call: Call, config: AuditConfig | undefined): SarifPlace {
  const file = call.text('config')
  if (file === undefined || config === undefined) return { file: 'audit.yaml', line: 1 }
  return { file: relative(process.cwd(), config.path(file)).replaceAll('\\', '/'), line: config.targetLine }
}

/** What it may cost, before anything is sent. */
function tellBudget(call: Call, target: string, options: AuditOptions): void {
  const { maxOpen, maxCrowd = 0, maxConnections, maxBytes, maxMs } = allowanceOf(options)
  const where = URL.canParse(target) ? new URL(target).host : 'the target'
  call.note(
    `Testing ${where}: at most ${maxOpen + maxCrowd} sockets at a time, ${maxConnections} connections, ${Math.round(maxBytes / 1_048_576)} MiB, ${Math.round(maxMs / 1_000)} s.`,
  )
}

/** The first signal ends the audit, which still answers with a report; a second one ends the process. */
async function runStoppably(call: Call, target: string, options: AuditOptions): Promise<Report> {
  const stop = new AbortController()
  const onSignal = (): void => {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
    stop.abort()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  const progress = createProgress(call.around.stderr)
  try {
    return await runAudit(target, { ...options, signal: stop.signal, onProgress: progress.show })
  } catch (error) {
    throw auditTrouble(error)
  } finally {
    progress.end()
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
  }
}

function tell(call: Call, report: Report, known: ReadonlySet<string>): void {
  const { stdout, env } = call.around
  const lines = toTerminal(report, {
    paint: (tone, text) => paint(stdout, env, tone, text),
    known,
    verbose: call.flag('verbose'),
    columns: columnsOf(stdout, 100),
  })
  call.print(...(call.json ? [printableJson(toJson(report, known))] : lines))
}
