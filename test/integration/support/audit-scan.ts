/** Scans of running programs, as the command makes them: what was found, and what it cost. */
import { expect } from 'vitest'
import { audit, type Report } from '../../../packages/server/src/audit/audit.ts'
import type { AuditOptions } from '../../../packages/server/src/audit/options.ts'

/** The findings of a report, one line each. */
export function findingsOf({ results }: Report): readonly string[] {
  return results.flatMap(({ check, outcome }) =>
    outcome.kind === 'fail' ? outcome.findings.map(({ says }) => `${check.id} ${says}`) : [],
  )
}

/** A default scan, whose result must be nothing at all, and which keeps to what is promised of every scan. */
export async function expectClean(url: string, options: AuditOptions): Promise<Report> {
  const report = await audit(url, options)
  expect(report).toMatchObject({ stopped: undefined, unreachable: undefined, loginTroubles: [] })
  expect(findingsOf(report)).toEqual([])
  expect(report.spent.ms).toBeLessThanOrEqual(60_000)
  expect(report.spent.mostOpen).toBeLessThanOrEqual(20)
  expect(tested(report).length).toBeGreaterThan(8)
  return report
}

/** Ids of the checks whose preconditions were met. */
export function tested({ results }: Report): readonly string[] {
  return results.filter(({ outcome }) => outcome.kind !== 'not tested').map(({ check }) => check.id)
}
