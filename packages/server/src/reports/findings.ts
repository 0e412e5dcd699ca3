/** The findings of an audit, flat and ordered, each with a fingerprint that stays the same from run to run. */
import { createHash } from 'node:crypto'
import type { Report, Result } from '../audit/audit.ts'
import { severityNames as severities, type Check, type Finding, type Severity } from '../audit/check.ts'
import type { Exchange } from '../audit/exchange.ts'

/** How bad, as the number that code scanning sorts by (a CVSS-like scale from 0 to 10). */
export const securitySeverity: Readonly<Record<Severity, string>> = {
  critical: '9.5',
  high: '8.0',
  medium: '5.5',
  low: '3.0',
}

/** One finding of one check. */
export interface Listed extends Finding {
  readonly check: Check
  /** 64 hex digits; see `fingerprintOf`. */
  readonly fingerprint: string
}

/** All findings, worst first; equals stay in the order of the catalogue. */
export function findingsOf(report: Report): readonly Listed[] {
  const all = report.results.flatMap((result) => listedOf(report, result))
  return all.toSorted((one, other) => severities.indexOf(one.severity) - severities.indexOf(other.severity))
}

function listedOf(report: Report, { check, outcome }: Result): readonly Listed[] {
  if (outcome.kind !== 'fail') return []
  return outcome.findings.map((finding) => ({
    ...finding,
    check,
    fingerprint: fingerprintOf(report, check, finding),
  }))
}

/** The findings of one check. */
export interface Group {
  readonly check: Check
  /** Of the worst of them. */
  readonly severity: Severity
  /** Worst first. */
  readonly findings: readonly Listed[]
}

/** Findings by their check, in the order in which the checks first appear. */
export function groupsOf(findings: readonly Listed[]): readonly Group[] {
  return [...Map.groupBy(findings, ({ check }) => check).entries()].map(([check, group]) => ({
    check,
    severity: group[0]?.severity ?? 'low',
    findings: group,
  }))
}

const areaNames: Readonly<Record<string, string>> = {
  T: 'Transport',
  O: 'Handshake and origin',
  A: 'Authentication',
  Z: 'Authorization',
  I: 'Input and limits',
}

/** What a check is about: the first letter of its id says so. */
export function areaOf({ id }: Check): string {
  return areaNames[id.charAt(0)] ?? 'Other'
}

/**
 * The line of an exchange that decides: the last that is marked so. Where none is, the last that the target sent, or that
 * was noted of it; a farewell that answers the scanner's own decides nothing.
 *
 * @returns its index; -1 when there is none
 */
export function decidingLine(exchange: Exchange): number {
  const marked = exchange.findLastIndex(({ decides }) => decides === true)
  if (marked !== -1) return marked
  return exchange.findLastIndex(({ from, text }) => from !== 'scanner' && !/^closed: 1000\b/.test(text))
}

/** SHA-256 over what a finding is about: the check, the endpoint without its query, the subject. No times, no values. */
export function fingerprintOf(report: Report, check: Check, { subject = '' }: Finding): string {
  const { url, protocol, namespace, realm } = report.endpoint
  const about = [check.id, url.origin, url.pathname, protocol, namespace, realm, subject]
  return createHash('sha256').update(JSON.stringify(about)).digest('hex')
}

/** Whether a severity is at or above another. */
export function isAtLeast(severity: Severity, least: Severity): boolean {
  return severities.indexOf(severity) <= severities.indexOf(least)
}

/** How many checks ended in which way. */
export function countsOf({ results }: Report): Readonly<Record<Result['outcome']['kind'], number>> {
  const counts = { pass: 0, fail: 0, info: 0, 'not tested': 0, inconclusive: 0 }
  for (const { outcome } of results) counts[outcome.kind] += 1
  return counts
}

/** Whether no check could test anything. */
export function isUntested({ results }: Report): boolean {
  return results.every(({ outcome }) => outcome.kind === 'not tested')
}

/** What an outcome says, in one line; a failed check says its first finding. */
export function sayingOf({ outcome }: Result): string {
  if (outcome.kind === 'not tested') return `missing: ${outcome.missing}`
  if (outcome.kind !== 'fail') return outcome.says
  const [first] = outcome.findings
  const more = outcome.findings.length - 1
  return `${first?.says ?? ''}${more > 0 ? ` (and ${more} more)` : ''}`
}
