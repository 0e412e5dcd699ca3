/** Rows of the audit bench: what was known and found, and what the scans cost. */
import type { Report } from '../../packages/server/src/audit/audit.ts'
import type { Row, Target } from '../rig/report.ts'

/** What a row counts. */
export interface Count {
  readonly known: number
  readonly found: number
  /** Findings where there is nothing to find. */
  readonly falsely: number
}

/** A row with its targets; those of its scans apply where they are default scans. */
export function rowOf(
  table: string,
  name: string,
  given: {
    readonly count: Count
    readonly reports: readonly Report[]
    readonly isDefault?: boolean
    readonly note?: string
  },
): Row {
  const { count, reports, isDefault = false, note } = given
  const spent = reports.map((report) => report.spent)
  const costs: readonly Target[] = [
    { figure: 'seconds', bound: 60, sense: 'at most' },
    { figure: 'sockets', bound: 20, sense: 'at most' },
  ]
  return {
    bench: 'audit',
    table,
    name,
    figures: {
      known: count.known,
      found: count.found,
      false: count.falsely,
      seconds: Math.max(0, ...spent.map(({ ms }) => ms)) / 1_000,
      sockets: Math.max(0, ...spent.map(({ mostOpen }) => mostOpen)),
      connections: Math.max(0, ...spent.map(({ connections }) => connections)),
      KiB: Math.max(0, ...spent.map(({ bytes }) => bytes)) / 1_024,
    },
    targets: [
      { figure: 'found', bound: count.known, sense: 'at least' },
      { figure: 'false', bound: 0, sense: 'at most' },
      ...(isDefault ? costs : []),
    ],
    ...(note === undefined ? {} : { note }),
  }
}
