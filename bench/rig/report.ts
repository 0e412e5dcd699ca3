/** Figures, each beside its target, as a table for people and as JSON for programs. */
import { cpus } from 'node:os'

/** One measured thing. */
export interface Row {
  /** Command that measured it: `doors`, `memory`, … */
  readonly bench: string
  readonly name: string
  /** Every figure by its name, unit included. */
  readonly figures: Readonly<Record<string, number>>
  readonly targets: readonly Target[]
  /** Rows of one table share their columns: what is measured in other units stands in a table of its own. @default '' */
  readonly table?: string
  /** What is to be said besides, such as why nothing was measured. @default nothing */
  readonly note?: string
}

/** What one figure of a row shall reach. */
export interface Target {
  /** Name of the figure. */
  readonly figure: string
  readonly bound: number
  readonly sense: 'at least' | 'at most'
}

/** Whether a row reaches a target of its own. */
export function verdict(row: Row, target: Target): 'met' | 'missed' {
  const value = row.figures[target.figure] ?? NaN
  return (target.sense === 'at least' ? value >= target.bound : value <= target.bound) ? 'met' : 'missed'
}

/** The rows as lines of text, table by table. */
export function tablesOf(rows: readonly Row[]): string {
  const tables = [...new Set(rows.map(({ table = '' }) => table))]
  return tables
    .map((name) => {
      const lines = tableOf(rows.filter(({ table = '' }) => table === name))
      return name === '' ? lines : `${name}\n${lines}`
    })
    .join('\n\n')
}

/** Rows that share their columns. */
function tableOf(rows: readonly Row[]): string {
  const figures = [...new Set(rows.flatMap((row) => Object.keys(row.figures)))]
  const cells = [
    ['', ...figures, 'target'],
    ...rows.map((row) => [row.name, ...figures.map((name) => written(row.figures[name])), promised(row)]),
  ]
  const widths = cells[0]?.map((_cell, at) => Math.max(...cells.map((line) => line[at]?.length ?? 0))) ?? []
  return cells
    .map((line) =>
      line
        .map((cell, at) => pad(cell, widths[at] ?? 0, at > 0 && at <= figures.length))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** The rows as JSON; each target with its verdict. */
export function jsonOf(rows: readonly Row[]): string {
  const judged = rows.map((row) => ({
    ...row,
    targets: row.targets.map((target) => ({ ...target, verdict: verdict(row, target) })),
  }))
  return `${JSON.stringify({ node: process.version, cpu: cpus()[0]?.model, rows: judged }, undefined, 2)}\n`
}

function promised(row: Row): string {
  const targets = row.targets.map((target) => {
    const sign = target.sense === 'at least' ? '≥' : '≤'
    return `${target.figure} ${sign} ${target.bound}: ${verdict(row, target)}`
  })
  return [...targets, ...(row.note === undefined ? [] : [row.note])].join(', ')
}

function written(value: number | undefined): string {
  if (value === undefined) return ''
  if (!Number.isFinite(value)) return '–'
  const digits = Math.abs(value) >= 1_000 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

function pad(cell: string, width: number, right: boolean): string {
  return right ? cell.padStart(width) : cell.padEnd(width)
}
