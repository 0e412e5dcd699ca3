/** How an audit ends a process, for scripts. */
import type { Report } from '../audit/audit.ts'
import type { Severity } from '../audit/check.ts'
import { findingsOf, isAtLeast, isUntested } from './findings.ts'

/** Exit codes of `countersign audit`. */
export const auditExits = { clean: 0, findings: 1, usage: 2, unreachable: 3, incomplete: 4 } as const

/** One of the exit codes. */
export type AuditExit = (typeof auditExits)[keyof typeof auditExits]

/** What each code means, in the words of `--help`. */
export const auditExitMeanings: readonly (readonly [code: AuditExit, meaning: string])[] = [
  [auditExits.clean, 'no finding at or above --fail-on'],
  [auditExits.findings, 'findings at or above --fail-on'],
  [auditExits.usage, 'the command line or the configuration is wrong, or the target is out of scope'],
  [auditExits.unreachable, 'the target does not answer'],
  [auditExits.incomplete, 'stopped before its end, an identity could not log in, or nothing was tested'],
]

/** What decides beside the report. */
export interface ExitOptions {
  readonly failOn: Severity
  /** Fingerprints of findings that are known already. */
  readonly known: ReadonlySet<string>
}

/** Findings weigh more than an early end: what was found stays found. Where nothing was tested, nothing is clean. */
export function exitOf(report: Report, { failOn, known }: ExitOptions): AuditExit {
  if (report.unreachable !== undefined) return auditExits.unreachable
  const isNew = findingsOf(report).some(
    ({ severity, fingerprint }) => isAtLeast(severity, failOn) && !known.has(fingerprint),
  )
  if (isNew) return auditExits.findings
  const whole = report.stopped === undefined && report.loginTroubles.length === 0 && !isUntested(report)
  return whole ? auditExits.clean : auditExits.incomplete
}
