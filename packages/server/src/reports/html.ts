/** The report as one file of HTML: a manager reads its top, an engineer acts on the rest. No script, nothing from elsewhere. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Report } from '../audit/audit.ts'
import { severityNames } from '../audit/check.ts'
import { html, type Html } from '../server/pages/html.ts'
import { countsOf, findingsOf, groupsOf, type Listed } from './findings.ts'
import { checksSection } from './html-checks.ts'
import { contents, findingsSection } from './html-findings.ts'
import { bare } from './json.ts'
import { printableText } from './printable.ts'

/** What the page needs beside the report. */
export interface HtmlOptions {
  readonly version: string
  /** Fingerprints of findings that are known already: they are marked, and stay. */
  readonly known: ReadonlySet<string>
}

const styles = ['../server/pages/base.css', './report.css', './report-media.css']

/** The document, as text. */
export function toHtml(report: Report, options: HtmlOptions): string {
  const style = styles.map((file) => readFileSync(new URL(file, import.meta.url), 'utf8')).join('\n')
  const hash = createHash('sha256').update(style).digest('base64')
  const findings = findingsOf(report)
  const groups = groupsOf(findings)
  const where = bare(report.endpoint.url)
  const head = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<meta name="color-scheme" content="light dark" />
<meta name="referrer" content="no-referrer" />
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'" />
`
  const body = html`<title>Audit of ${where}</title>
    ${{ html: `<style>${style}</style>` }}
    </head>
    <body>
      <main class="report">
        ${top(report, findings)}
        ${summary(report, findings)}
        ${contents(groups)} ${findingsSection(groups, options)} ${checksSection(report)}
        ${aboutSection(report, options)}
      </main>
    </body>
    </html> `
  return head + body.html
}

function top(report: Report, findings: readonly Listed[]): Html {
  const { endpoint, startedAt, unreachable, stopped, loginTroubles } = report
  return html`<header class="report-top">
    <p class="report-kind">WebSocket audit</p>
    <h1>${bare(endpoint.url)}</h1>
    <p class="report-when">
      ${protocolNames[endpoint.protocol]} ·
      <time datetime="${startedAt}">${startedAt.slice(0, 16).replace('T', ' ')} UTC</time>
    </p>
    <p class="verdict verdict-${verdictTone(report, findings)}">${verdict(report, findings)}</p>
    ${[unreachable, stopped, ...loginTroubles].map((text) =>
      text === undefined
        ? undefined
        : html`<p class="trouble"><strong>Incomplete:</strong> ${printableText(text)}.</p>`,
    )}
  </header>`
}

const protocolNames: Readonly<Record<Report['endpoint']['protocol'], string>> = {
  plain: 'plain WebSocket',
  'socket.io': 'Socket.IO',
  wamp: 'WAMP',
  'graphql-transport-ws': 'GraphQL (graphql-transport-ws)',
  'graphql-ws': 'GraphQL (graphql-ws, the older protocol)',
}

/** Green is said only of what was tested, and to its end. */
function verdictTone(report: Report, findings: readonly Listed[]): 'bad' | 'weak' | 'ok' {
  if (report.unreachable !== undefined) return 'bad'
  if (findings.length > 0)
    return findings.some(({ severity }) => severity === 'critical' || severity === 'high') ? 'bad' : 'weak'
  const isWhole = report.stopped === undefined && report.loginTroubles.length === 0
  return isWhole && report.results.some(({ outcome }) => outcome.kind !== 'not tested') ? 'ok' : 'weak'
}

/** One sentence for whoever reads no further. */
function verdict(report: Report, findings: readonly Listed[]): string {
  if (report.unreachable !== undefined) return 'The target did not answer; nothing could be tested.'
  const tested = report.results.filter(({ outcome }) => outcome.kind !== 'not tested').length
  if (tested === 0) return 'No check could be made.'
  if (findings.length === 0) return `None of the ${tested} checks that could be made found a weakness.`
  const [worst] = findings
  const many = findings.length === 1 ? 'One weakness was found' : `${findings.length} weaknesses were found`
  return `${many}, the worst of them ${worst?.severity ?? ''}: ${lowerFirst(worst?.check.title ?? '')}.`
}

function lowerFirst(text: string): string {
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}`
}

function summary(report: Report, findings: readonly Listed[]): Html {
  const counts = countsOf(report)
  const cells: readonly (readonly [label: string, count: number, kind: string])[] = [
    ...severityNames.map(
      (severity) =>
        [
          severity,
          findings.filter((finding) => finding.severity === severity).length,
          `severity-${severity}`,
        ] as const,
    ),
    ['passed', counts.pass, 'passed'],
    ['not tested', counts['not tested'] + counts.inconclusive, 'untested'],
  ]
  return html`<section aria-labelledby="summary">
    <h2 id="summary">At a glance</h2>
    <dl class="tally">
      ${cells.map(
        ([label, count, kind]) =>
          html`<div class="tally-cell ${count > 0 ? kind : 'none'}">
            <dt>${label}</dt>
            <dd>${count}</dd>
          </div>`,
      )}
    </dl>
  </section>`
}

function aboutSection({ spent }: Report, { version }: HtmlOptions): Html {
  return html`<section aria-labelledby="about">
    <h2 id="about">How this was tested</h2>
    <p>
      From outside, as clients of the configuration’s identities. A check fails on an identity or on data that
      was obtained, or on an effect that was seen from another socket, never because a handshake was answered
      with 101. “Not tested” means that something was missing, and is no pass. Secrets are masked in every
      exchange.
    </p>
    <p class="quiet">
      ${spent.connections} connections, at most ${spent.mostOpen} at a time; ${Math.ceil(spent.bytes / 1_024)}
      KiB; ${(spent.ms / 1_000).toFixed(1)} s. Countersign audit ${version}.
    </p>
  </section>`
}
