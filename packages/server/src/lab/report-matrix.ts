/** The browser matrix as values, and as the Markdown page that the documentation shows. Pure: nothing is driven here. */
import type { Need } from './browser/case.ts'
import { describeOutcome, expectedIn, type CaseResult, type Engine, type LabCase } from './cases.ts'
import { doorSheets } from './cases/doors.ts'

/** What was measured in one browser, or why nothing was. */
export interface EngineRun {
  readonly engine: Engine
  /** `Chromium 156.0.8078.79`; `undefined`: not installed. */
  readonly version: string | undefined
  /** Why nothing was measured at all; `undefined` when something was. */
  readonly trouble: string | undefined
  /** What this browser could not be given, and why; cases that need it were not run. */
  readonly lacks: Readonly<Partial<Record<Need, string>>>
  readonly results: readonly CaseResult[]
}

/** One case in one browser. */
export type MatrixCell =
  | {
      readonly kind: 'measured'
      readonly expected: string
      readonly measured: string
      readonly agrees: boolean
      readonly ms: number
      readonly note: string
    }
  | { readonly kind: 'not-run'; readonly why: string }

/** One case in all browsers. */
export interface MatrixRow {
  readonly id: string
  readonly door: string
  readonly title: string
  readonly expected: string
  readonly why: string
  /** Browsers that are expected to differ, and the reason. */
  readonly differs: readonly { readonly engine: Engine; readonly expected: string; readonly why: string }[]
  readonly cells: Readonly<Partial<Record<Engine, MatrixCell>>>
}

/** The whole matrix. JSON. */
export interface LabMatrix {
  /** ISO 8601. */
  readonly measuredAt: string
  /** Version of this program. */
  readonly program: string
  readonly engines: readonly Omit<EngineRun, 'results'>[]
  readonly rows: readonly MatrixRow[]
  /** Cases that were measured, over all browsers. */
  readonly measured: number
  readonly disagreements: readonly { readonly id: string; readonly engine: Engine }[]
  /** Whether every measured case showed what was expected, and every installed browser could be measured. */
  readonly agrees: boolean
}

/** Names of the columns. WebKitGTK is not Safari: they share the engine, not the network layer. */
export const engineTitles: Readonly<Record<Engine, string>> = {
  chromium: 'Chromium',
  firefox: 'Firefox',
  webkit: 'WebKitGTK',
}

/** Puts runs together. */
export function matrixOf(
  cases: readonly LabCase[],
  runs: readonly EngineRun[],
  about: { readonly measuredAt: string; readonly program: string },
): LabMatrix {
  const rows = cases.map((one) => rowOf(one, runs))
  const results = runs.flatMap(({ engine, results }) => results.map((result) => ({ engine, result })))
  const disagreements = results
    .filter(({ result }) => !result.agrees)
    .map(({ engine, result }) => ({ id: result.id, engine }))
  const broken = runs.some(({ version, trouble }) => version !== undefined && trouble !== undefined)
  return {
    ...about,
    engines: runs.map(({ engine, version, trouble, lacks }) => ({ engine, version, trouble, lacks })),
    rows,
    measured: results.length,
    disagreements,
    agrees: disagreements.length === 0 && !broken && results.length > 0,
  }
}

function rowOf(one: LabCase, runs: readonly EngineRun[]): MatrixRow {
  const differing = runs.flatMap(({ engine }) => {
    const difference = one.differs[engine]
    return difference === undefined
      ? []
      : [{ engine, expected: describeOutcome(difference.expected), why: difference.why }]
  })
  return {
    id: one.id,
    door: one.door,
    title: one.title,
    expected: describeOutcome(one.expected),
    why: one.why,
    differs: differing,
    cells: Object.fromEntries(runs.map((run) => [run.engine, cellOf(one, run)])),
  }
}

function cellOf(one: LabCase, run: EngineRun): MatrixCell {
  const result = run.results.find(({ id }) => id === one.id)
  if (result === undefined) return { kind: 'not-run', why: whyNotRun(one, run) }
  return {
    kind: 'measured',
    expected: describeOutcome(expectedIn(one, run.engine)),
    measured: describeOutcome(result.measured),
    agrees: result.agrees,
    ms: result.ms,
    note: result.note,
  }
}

/** The browser itself, what it could not be given, or the choice of cases. */
function whyNotRun(one: LabCase, run: EngineRun): string {
  if (run.trouble !== undefined) return run.trouble
  return (one.needs === undefined ? undefined : run.lacks[one.needs]) ?? 'was left out of the run'
}

/** The page. */
export function writeMatrix(matrix: LabMatrix): string {
  const doors = [...new Set(matrix.rows.map(({ door }) => door))]
  return [
    '# Browser matrix',
    '',
    `Measured on ${matrix.measuredAt.slice(0, 10)} by \`countersign lab --report\`, version ${matrix.program}: real browsers without a window, each in a fresh profile, against the running lab.`,
    summaryOf(matrix),
    '',
    '| browser | version | measured |',
    '| --- | --- | --- |',
    ...matrix.engines.map((one) => writeEngine(one, matrix)),
    '',
    'WebKitGTK shares its engine with Safari, not its network layer: read nothing about Safari out of that column.',
    ...doors.flatMap((door) => writeDoor(door, matrix)),
    '',
  ].join('\n')
}

function summaryOf({ measured, disagreements }: LabMatrix): string {
  if (measured === 0) return 'Nothing was measured.'
  if (disagreements.length === 0) return `All ${measured} measurements show what is expected.`
  const list = disagreements.map(({ id, engine }) => `${id} in ${engineTitles[engine]}`).join(', ')
  return `${disagreements.length} of ${measured} measurements differ from what is expected: ${list}.`
}

function writeEngine(one: LabMatrix['engines'][number], matrix: LabMatrix): string {
  const cells = matrix.rows.filter(({ cells }) => cells[one.engine]?.kind === 'measured').length
  const remarks = [one.trouble ?? `${cells} of ${matrix.rows.length} cases`, ...lackWords(one)]
  return tableRow([engineTitles[one.engine], one.version ?? 'missing', remarks.join('; ')])
}

/** What could not be given, once for each reason. */
export function lackWords({ lacks }: Pick<EngineRun, 'lacks'>): readonly string[] {
  return [...new Set(Object.values(lacks))]
}

/** A heading, a table and remarks. */
function writeDoor(door: string, matrix: LabMatrix): readonly string[] {
  const rows = matrix.rows.filter((row) => row.door === door)
  const name = doorSheets.find(({ id }) => id === door)?.name ?? ''
  const titles = matrix.engines.map(({ engine }) => engineTitles[engine])
  const remarks = rows.flatMap((row) => remarksOn(row, matrix))
  return [
    '',
    `## ${door} ${name}`,
    '',
    tableRow(['case', 'expected', ...titles]),
    tableRow(['---', '---', ...titles.map(() => '---')]),
    ...rows.map((row) =>
      tableRow([
        row.title,
        row.expected,
        ...matrix.engines.map(({ engine }) => writeCell(row.cells[engine])),
      ]),
    ),
    ...(remarks.length === 0 ? [] : ['', ...remarks]),
  ]
}

/** A sign and a word, never a sign alone. */
function writeCell(cell: MatrixCell | undefined): string {
  if (cell === undefined || cell.kind === 'not-run') return '– not run'
  return cell.agrees ? `✓ ${cell.measured}` : `✗ ${cell.measured}`
}

/** Below a table: expected differences with their reason, then what was not run or went otherwise. */
function remarksOn(row: MatrixRow, matrix: LabMatrix): readonly string[] {
  const differences = row.differs.map(
    ({ engine, expected, why }) =>
      `- *${row.title}*: ${engineTitles[engine]} is expected to differ (${expected}). ${why}`,
  )
  const notes = matrix.engines.flatMap(({ engine }) => {
    const cell = row.cells[engine]
    if (cell?.kind === 'not-run')
      return [`- *${row.title}*: not run in ${engineTitles[engine]}: ${cell.why}.`]
    if (cell === undefined || cell.agrees) return []
    return [
      `- *${row.title}*: ${engineTitles[engine]} was expected to show “${cell.expected}”.${cell.note === '' ? '' : ` ${cell.note}`}`,
    ]
  })
  return [...differences, ...notes].map((line) => line.replace(/\.\.$/, '.').replaceAll('|', '\\|'))
}

function tableRow(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
}
