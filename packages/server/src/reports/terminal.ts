/** The report for a terminal: the verdict last, where the eye is when the program ends. */
import type { Report, Result } from '../audit/audit.ts'
import type { Severity } from '../audit/check.ts'
import {
  countsOf,
  decidingLine,
  findingsOf,
  groupsOf,
  sayingOf,
  type Group,
  type Listed,
  isUntested,
} from './findings.ts'
import { bare } from './json.ts'
import { cutText, printableLine } from './printable.ts'

/** Colours a word; each colour goes with a word that says the same. */
export type Paint = (tone: 'good' | 'bad' | 'weak' | 'strong' | 'faint', text: string) => string

/** What the lines are made with. */
export interface TerminalOptions {
  readonly paint: Paint
  /** Fingerprints of findings that are known already: counted, not shown. */
  readonly known: ReadonlySet<string>
  /** Shows what passed and what was not tested, too. */
  readonly verbose: boolean
  readonly columns: number
}

const tones: Readonly<Record<Severity, 'bad' | 'weak'>> = {
  critical: 'bad',
  high: 'bad',
  medium: 'weak',
  low: 'weak',
}

/** Lines of the report. Text of the target is made safe for a terminal. */
export function toTerminal(report: Report, options: TerminalOptions): readonly string[] {
  const { paint, known, verbose } = options
  const all = findingsOf(report)
  const fresh = all.filter(({ fingerprint }) => !known.has(fingerprint))
  return [
    ...groupsOf(fresh).flatMap((group) => [...groupLines(group, options), '']),
    ...(verbose ? [...report.results.map((result) => resultLine(result, paint)), ''] : []),
    ...troubleLines(report, paint),
    ...(fresh.length < all.length ? [`${all.length - fresh.length} known findings are not shown.`] : []),
    verdictLine(report, fresh, paint),
    countLine(report, verbose),
  ]
}

/** A check with what it found; its cure is said once. */
function groupLines({ check, severity, findings }: Group, options: TerminalOptions): readonly string[] {
  const { paint } = options
  const width = widthOf(options)
  return [
    `${paint(tones[severity], severity.padEnd(8))} ${paint('strong', `${check.id} ${check.title}`)}`,
    ...findings.flatMap((finding) => findingLines(finding, severity, options)),
    ...wrap(`Cure: ${check.remedy.text}`, width).map((line) => `    ${line}`),
    paint('faint', `    ${check.cwe.map((id) => `CWE-${id}`).join(' ')}  ASVS ${check.asvs.join(' ')}`),
  ]
}

function findingLines(
  { says, severity, confidence, exchanges }: Listed,
  worst: Severity,
  options: TerminalOptions,
): readonly string[] {
  const width = widthOf(options)
  const judged = `${severity === worst ? '' : `${severity}, `}confidence ${confidence}`
  const exchange = exchanges[0] ?? []
  const end = decidingLine(exchange) + 1
  const evidence = exchange.slice(Math.max(0, end - evidenceLines), end)
  return [
    ...wrap(`${says} (${judged})`, width).map((line) => `    ${line}`),
    ...evidence.map(({ from, text }) =>
      options.paint('faint', `      ${from.padEnd(7)}  ${cutText(firstLine(text), width - 11)}`),
    ),
  ]
}

const evidenceLines = 3

function widthOf({ columns }: TerminalOptions): number {
  return Math.max(40, columns - 4)
}

const words: Readonly<
  Record<Result['outcome']['kind'], readonly [word: string, tone: Parameters<Paint>[0]]>
> = {
  pass: ['pass', 'good'],
  fail: ['fail', 'bad'],
  info: ['info', 'weak'],
  'not tested': ['not tested', 'faint'],
  inconclusive: ['unclear', 'weak'],
}

function resultLine(result: Result, paint: Paint): string {
  const [word, tone] = words[result.outcome.kind]
  return `${paint(tone, word.padEnd(10))}  ${result.check.id.padEnd(3)}  ${printableLine(sayingOf(result))}`
}

function troubleLines({ unreachable, stopped, loginTroubles }: Report, paint: Paint): readonly string[] {
  return [
    ...(unreachable === undefined ? [] : [`${paint('bad', 'unreachable')}: ${printableLine(unreachable)}`]),
    ...(stopped === undefined ? [] : [`${paint('weak', 'stopped early')}: ${printableLine(stopped)}`]),
    ...loginTroubles.map((text) => `${paint('weak', 'no login')}: ${printableLine(text)}`),
  ]
}

function verdictLine(report: Report, fresh: readonly Listed[], paint: Paint): string {
  const where = printableLine(bare(report.endpoint.url))
  if (report.unreachable !== undefined) return `${where}: ${paint('bad', 'nothing could be tested')}`
  if (isUntested(report)) return `${where}: ${paint('weak', 'nothing was tested')}`
  if (fresh.length === 0) return `${where}: ${paint('good', 'no findings')}`
  return `${where}: ${paint('bad', `${fresh.length} finding${fresh.length === 1 ? '' : 's'}`)}`
}

function countLine(report: Report, verbose: boolean): string {
  const { pass, fail, info, 'not tested': untested, inconclusive } = countsOf(report)
  const { connections, bytes, ms, mostOpen } = report.spent
  const cost = `${connections} connections (${mostOpen} at a time), ${Math.ceil(bytes / 1_024)} KiB, ${(ms / 1_000).toFixed(1)} s`
  const why = verbose || untested + inconclusive === 0 ? '' : ' (--verbose says why)'
  return `${pass} passed, ${fail} failed, ${info} worth knowing, ${untested} not tested, ${inconclusive} unclear${why}; ${cost}`
}

function firstLine(text: string): string {
  return printableLine(text.split(/\r?\n/)[0] ?? '')
}

/** Lines of words, none longer than the width unless a word is. */
function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = []
  for (const word of printableLine(text).split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}
