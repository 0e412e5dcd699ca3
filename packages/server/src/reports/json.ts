/** The report as JSON: everything that was found out, for programs. */
import type { Report, Result } from '../audit/audit.ts'
import { countsOf, findingsOf, sayingOf } from './findings.ts'

/** The report as a value of JSON; the form is described in the guide and grows by new members only. */
export function toJson(report: Report, known: ReadonlySet<string> = new Set()): object {
  const { endpoint, startedAt, spent, stopped, unreachable, loginTroubles } = report
  return {
    tool: 'countersign audit',
    format: 1,
    target: report.target,
    endpoint: { url: bare(endpoint.url), protocol: endpoint.protocol, origin: endpoint.origin },
    startedAt,
    spent,
    ...(stopped === undefined ? {} : { stopped }),
    ...(unreachable === undefined ? {} : { unreachable }),
    ...(loginTroubles.length === 0 ? {} : { loginTroubles }),
    counts: countsOf(report),
    findings: findingsOf(report).map(
      ({ check, fingerprint, says, severity, confidence, subject, exchanges }) => ({
        check: check.id,
        title: check.title,
        says,
        severity,
        confidence,
        cwe: check.cwe,
        asvs: check.asvs,
        ...(subject === undefined ? {} : { subject }),
        fingerprint,
        isNew: !known.has(fingerprint),
        exchanges,
      }),
    ),
    checks: report.results.map(resultOf),
  }
}

function resultOf(result: Result): object {
  const { check, outcome, ms } = result
  return {
    id: check.id,
    title: check.title,
    safety: check.safety,
    outcome: outcome.kind,
    says: sayingOf(result),
    ms,
  }
}

/** An address without its query, where secrets travel. */
export function bare(url: URL): string {
  return `${url.origin === 'null' ? `${url.protocol}//${url.host}` : url.origin}${url.pathname}`
}
