/** The report as one file of HTML: a manager reads its top, an engineer acts on the rest. No script, nothing from elsewhere. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Report, Result } from '../audit/audit.ts'
import { severityNames, type Outcome, type Severity } from '../audit/check.ts'
import type { Exchange } from '../audit/exchange.ts'
import { html, type Html } from '../server/pages/html.ts'
import { countsOf, findingsOf, sayingOf, type Listed } from './findings.ts'
import { bare } from './json.ts'

/** What the page needs beside the report. */
export interface HtmlOptions {
  readonly version: string
  /** Fingerprints of findings that are known already: they are marked, and stay. */
  readonly known: ReadonlySet<string>
}

const styles = ['../server/pages/base.css', './report.css']

/** The document, as text. */
export function toHtml(report: Report, options: HtmlOptions): string {
  const style = styles.map((file) => readFileSync(new URL(file, import.meta.url), 'utf8')).join('\n')
  const hash = createHash('sha256').update(style).digest('base64')
  const findings = findingsOf(report)
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
        ${findings.length === 0 ? undefined : findingsSection(findings, options)}
        ${checksSection(report)} ${aboutSection(report, options)}
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
    <p class="verdict verdict-${findings.length > 0 || unreachable !== undefined ? 'bad' : 'ok'}">
      ${verdict(report, findings)}
    </p>
    ${[unreachable, stopped, ...loginTroubles].map((text) =>
      text === undefined ? undefined : html`<p class="trouble"><strong>Incomplete:</strong> ${text}.</p>`,
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

/** One sentence for whoever reads no further. */
function verdict(report: Report, findings: readonly Listed[]): string {
  if (report.unreachable !== undefined) return 'The target did not answer; nothing could be tested.'
  const tested = report.results.filter(({ outcome }) => outcome.kind !== 'not tested').length
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

function findingsSection(findings: readonly Listed[], options: HtmlOptions): Html {
  return html`<section aria-labelledby="findings">
    <h2 id="findings">Findings</h2>
    <ol class="findings">
      ${findings.map((finding, index) => html`<li>${findingCard(finding, index + 1, options)}</li>`)}
    </ol>
  </section>`
}

function findingCard(finding: Listed, number: number, { known }: HtmlOptions): Html {
  const { check, severity, confidence, says, subject, exchanges, fingerprint } = finding
  return html`<article class="finding" aria-labelledby="finding-${number}">
    <header>
      <p class="badges">
        ${badge(severity)}<span class="quiet">confidence ${confidence}</span>${
          known.has(fingerprint) ? html`<span class="quiet">known before</span>` : undefined
        }
      </p>
      <h3 id="finding-${number}">${check.id} · ${check.title}</h3>
    </header>
    <p class="says">Seen: ${says}.</p>
    <h4>Why it matters</h4>
    <p>${check.why}</p>
    <h4>What to do</h4>
    <p>${check.remedy.text}</p>
    ${remedy('ws', check.remedy.ws)} ${remedy('Socket.IO', check.remedy.socketIo)}
    ${remedy('Countersign', check.remedy.countersign)}
    ${exchanges.length === 0 ? undefined : html`<h4>Evidence</h4>`}
    ${exchanges.map((exchange) => evidence(exchange))}
    <p class="refs">
      ${check.cwe.map(
        (id) =>
          html`<a href="https://cwe.mitre.org/data/definitions/${id}.html" rel="noreferrer">CWE-${id}</a> `,
      )}
      · ASVS 5.0 ${check.asvs.join(', ')}${subject === undefined ? undefined : html` · ${subject}`} ·
      <span class="fingerprint">fingerprint ${fingerprint.slice(0, 12)}</span>
    </p>
  </article>`
}

function remedy(title: string, code: string): Html {
  return html`<details class="remedy">
    <summary>With ${title}</summary>
    <pre tabindex="0"><code>${code}</code></pre>
  </details>`
}

function evidence(exchange: Exchange): Html {
  return html`<ol class="exchange" tabindex="0" aria-label="Exchange">
    ${exchange.map(
      ({ atMs, from, text }) =>
        html`<li class="from-${from}">
          <span class="who">${from}</span><span class="at">${atMs} ms</span>
          <pre>${text}</pre>
        </li>`,
    )}
  </ol>`
}

function badge(severity: Severity): Html {
  return html`<span class="badge severity-${severity}">${severity}</span>`
}

const outcomeWords: Readonly<Record<Outcome['kind'], string>> = {
  pass: 'pass',
  fail: 'fail',
  info: 'worth knowing',
  'not tested': 'not tested',
  inconclusive: 'unclear',
}

function checksSection(report: Report): Html | undefined {
  if (report.results.length === 0) return undefined
  return html`<section aria-labelledby="checks">
    <h2 id="checks">Every check</h2>
    <div class="table-frame" tabindex="0" role="region" aria-labelledby="checks">
      <table>
        <thead>
          <tr>
            <th scope="col">Check</th>
            <th scope="col">Outcome</th>
            <th scope="col">What was seen</th>
          </tr>
        </thead>
        <tbody>
          ${report.results.map(row)}
        </tbody>
      </table>
    </div>
  </section>`
}

function row(result: Result): Html {
  const { check, outcome } = result
  const kind = outcome.kind.replace(' ', '-')
  return html`<tr>
    <th scope="row"><span class="check-id">${check.id}</span> ${check.title}</th>
    <td><span class="outcome outcome-${kind}">${outcomeWords[outcome.kind]}</span></td>
    <td>${sayingOf(result)}</td>
  </tr>`
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
