/** `countersign lab`: every way in, live; or measured in every installed browser. */
import { writeFileSync } from 'node:fs'
import { engines as allEngines } from '../lab/browsers/types.ts'
import type { Engine } from '../lab/cases.ts'
import { startLab, type Lab } from '../lab/lab.ts'
import { PortTakenError } from '../lab/listen.ts'
import { defaultPort, span } from '../lab/ports.ts'
import { engineTitles, lackWords, runReport, writeMatrix, type LabMatrix } from '../lab/report.ts'
import { createLog } from '../server/log.ts'
import { option, type Call, type Command } from './command.ts'
import { CommandError, exitCodes, usageError, type ExitCode } from './exit-codes.ts'
import { logLevel } from './serve.ts'
import { runUntilSignal } from './signals.ts'
import { alignColumns } from './table.ts'
import { createProgress, paint } from './terminal.ts'

const lastPort = 65_535 - span

/** The lab. */
export const lab: Command = {
  name: 'lab',
  summary: 'Start the lab on loopback: a login, fourteen doors, and a hostile site that tries to get in',
  words: [],
  options: {
    port: option('N', `first of a block of ${span + 1} ports [${defaultPort}]`),
    report: option(
      'FILE',
      'run every case in every installed browser and write the matrix as Markdown (.json: JSON)',
    ),
    engines: option('LIST', `browsers for the report [${allEngines.join(',')}]`),
    log: option('LEVEL', 'debug, info, warn, error, silent: JSON lines on standard error [error]'),
  },
  notes: [
    'The demo passwords are public, so it listens on this machine alone. SIGINT or SIGTERM end it.',
    'A report exits with 1 when a browser shows something else than expected.',
  ],
  async run(call) {
    const port = portOption(call.text('port'))
    const engines = enginesOption(call)
    const report = call.text('report')
    if (report === undefined && call.text('engines') !== undefined)
      throw usageError('--engines goes with --report FILE')
    const running = await start(call, port)
    if (report !== undefined) return writeReport(call, { lab: running, engines, file: report })
    tellReady(call, running)
    await runUntilSignal(() => running.close())
    return exitCodes.ok
  },
}

/** The whole block must fit below 65,536. @throws CommandError usage */
function portOption(text: string | undefined): number {
  const port = text === undefined ? defaultPort : Number(text)
  if (text !== undefined && (!/^\d{1,5}$/.test(text) || port < 1 || port > lastPort)) {
    throw usageError(`--port ${text}: a number from 1 to ${lastPort}`)
  }
  return port
}

/** Browsers in the order of the matrix, whatever the order of the list. @throws CommandError usage */
function enginesOption(call: Call): readonly Engine[] {
  const text = call.text('engines')
  if (text === undefined) return allEngines
  const names = text.split(',').map((name) => name.trim())
  const wrong = names.find((name) => !allEngines.some((engine) => engine === name))
  if (wrong !== undefined)
    throw usageError(`--engines ${JSON.stringify(wrong)}: any of ${allEngines.join(',')}`)
  return allEngines.filter((engine) => names.includes(engine))
}

async function start(call: Call, port: number): Promise<Lab> {
  const { stderr } = call.around
  const log = createLog({
    level: logLevel(call, 'error'),
    destination: { write: (line) => void stderr.write(line) },
  })
  try {
    return await startLab({ port, log })
  } catch (error) {
    if (!(error instanceof PortTakenError)) throw error
    const door = /^D\d+ /.test(error.wantedBy) ? `door ${error.wantedBy}` : `the ${error.wantedBy}`
    throw new CommandError(
      exitCodes.unreachable,
      `port ${error.port} is taken (${door}): stop what listens there or choose another block with --port`,
    )
  }
}

/** `ready …` comes last and only when everything listens: scripts wait for that line. */
function tellReady(call: Call, running: Lab): void {
  if (call.json) {
    call.print(JSON.stringify({ ready: true, url: running.url, listeners: running.listeners }))
    return
  }
  call.print(...alignColumns(running.listeners.map(({ name, url }) => [name, url])), `ready ${running.url}`)
}

/** Runs the report and closes the lab, whatever comes of it. @returns failed when a browser surprised */
async function writeReport(
  call: Call,
  what: { readonly lab: Lab; readonly engines: readonly Engine[]; readonly file: string },
): Promise<ExitCode> {
  const progress = createProgress(call.around.stderr)
  try {
    const matrix = await runReport({ lab: what.lab, engines: what.engines, progress: progress.show })
    progress.end()
    refuseUnmeasured(matrix, call.text('engines') !== undefined)
    writeFileSync(
      what.file,
      what.file.endsWith('.json') ? `${JSON.stringify(matrix, undefined, 2)}\n` : writeMatrix(matrix),
    )
    tellMatrix(call, matrix, what.file)
    return matrix.agrees ? exitCodes.ok : exitCodes.failed
  } finally {
    await what.lab.close()
  }
}

/** What was asked for by name must be there; otherwise at least one browser. */
function refuseUnmeasured(matrix: LabMatrix, named: boolean): void {
  const missing = matrix.engines.filter(({ version }) => version === undefined)
  if (missing.length === 0 || (!named && missing.length < matrix.engines.length)) return
  const reasons = missing.map(({ engine, trouble }) => trouble ?? `${engineTitles[engine]} is missing`)
  throw new CommandError(exitCodes.unreachable, `no report was written: ${reasons.join('; ')}`)
}

/** One line for each browser, one for each difference, and the sum. */
function tellMatrix(call: Call, matrix: LabMatrix, file: string): void {
  const { stdout, env } = call.around
  const { engines, disagreements, measured, agrees } = matrix
  const rows = engines.map((one) => {
    const { engine, version, trouble } = one
    const wrong = disagreements.filter((difference) => difference.engine === engine).length
    const verdict = trouble ?? (wrong === 0 ? 'as expected' : `${wrong} differ`)
    return [version ?? `${engineTitles[engine]} is missing`, verdict, lackWords(one).join('; ')]
  })
  const surprises = disagreements.map(({ id, engine }) => {
    const cell = matrix.rows.find((row) => row.id === id)?.cells[engine]
    const told = cell?.kind === 'measured' ? `expected ${cell.expected}, measured ${cell.measured}` : ''
    return [paint(stdout, env, 'bad', 'differs'), id, engineTitles[engine], told]
  })
  call.answer({ file, agrees, measured, engines, disagreements }, [
    ...alignColumns(rows),
    ...alignColumns(surprises),
    `${measured} measured, ${disagreements.length} differ; the matrix is in ${file}`,
  ])
}
