/** The report as JUnit XML, for continuous integration: one test case for each check. */
import type { Report, Result } from '../audit/audit.ts'
import type { Outcome } from '../audit/check.ts'
import { countsOf, sayingOf } from './findings.ts'
import { bare } from './json.ts'
import { printableText } from './printable.ts'

/** JUnit XML. What was not tested or stayed inconclusive is skipped, with the reason. */
export function toJunit(report: Report): string {
  const counts = countsOf(report)
  const skipped = counts['not tested'] + counts.inconclusive
  const name = escapeXml(bare(report.endpoint.url))
  const errors = report.unreachable === undefined ? 0 : 1
  const totals = `tests="${report.results.length + errors}" failures="${counts.fail}" skipped="${skipped}" errors="${errors}" time="${seconds(report.spent.ms)}"`
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="countersign audit" ${totals}>`,
    `  <testsuite name="${name}" timestamp="${report.startedAt.slice(0, 19)}" ${totals}>`,
    ...(report.unreachable === undefined
      ? []
      : [
          `    <testcase classname="${name}" name="the target answers">`,
          `      <error message="${escapeXml(report.unreachable)}"/>`,
          '    </testcase>',
        ]),
    ...report.results.flatMap((result) => caseOf(result, name)),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n')
}

function caseOf(result: Result, suite: string): readonly string[] {
  const { check, ms, outcome } = result
  const open = `    <testcase classname="${suite}" name="${escapeXml(`${check.id} ${check.title}`)}" time="${seconds(ms)}"`
  const inside = insideOf(outcome, sayingOf(result))
  return inside.length === 0
    ? [`${open}/>`]
    : [`${open}>`, ...inside.map((line) => `      ${line}`), '    </testcase>']
}

function insideOf(outcome: Outcome, saying: string): readonly string[] {
  if (outcome.kind === 'fail')
    return outcome.findings.map(
      ({ says, severity, exchanges }) =>
        `<failure type="${severity}" message="${escapeXml(says)}">${escapeXml(exchanges.flatMap((exchange) => exchange.map(({ from, text }) => `${from}: ${text}`)).join('\n'))}</failure>`,
    )
  if (outcome.kind === 'pass') return []
  if (outcome.kind === 'info') return [`<system-out>${escapeXml(saying)}</system-out>`]
  return [`<skipped message="${escapeXml(`${outcome.kind}: ${saying}`)}"/>`]
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(3)
}

/** Text for XML 1.0: what it cannot hold, and every other control, becomes U+FFFD. */
export function escapeXml(text: string): string {
  return printableText(text)
    .replaceAll(/[\ufffe\uffff]/g, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
