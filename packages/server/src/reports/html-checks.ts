/** Every check of the page, by what it is about. */
import type { Report, Result } from '../audit/audit.ts'
import type { Outcome } from '../audit/check.ts'
import { html, type Html } from '../server/pages/html.ts'
import { areaOf, sayingOf } from './findings.ts'
import { printableText } from './printable.ts'

const words: Readonly<Record<Outcome['kind'], string>> = {
  pass: 'pass',
  fail: 'fail',
  info: 'worth knowing',
  'not tested': 'not tested',
  inconclusive: 'unclear',
}

/** The table. */
export function checksSection(report: Report): Html | undefined {
  if (report.results.length === 0) return undefined
  const areas = [...Map.groupBy(report.results, ({ check }) => areaOf(check)).entries()]
  return html`<section aria-labelledby="checks">
    <h2 id="checks">Every check</h2>
    <div class="table-frame" tabindex="0" role="region" aria-label="Table of the checks">
      <table>
        <thead>
          <tr>
            <th scope="col">Check</th>
            <th scope="col">Outcome</th>
            <th scope="col">What was seen</th>
          </tr>
        </thead>
        ${areas.map(([area, results]) => areaOfTable(area, results))}
      </table>
    </div>
  </section>`
}

function areaOfTable(area: string, results: readonly Result[]): Html {
  return html`<tbody>
    <tr class="area">
      <th scope="rowgroup" colspan="3">${area}</th>
    </tr>
    ${results.map(row)}
  </tbody>`
}

function row(result: Result): Html {
  const { check, outcome } = result
  const title = html`<span class="check-id">${check.id}</span> ${check.title}`
  return html`<tr>
    <th scope="row">${outcome.kind === 'fail' ? html`<a href="#${check.id}">${title}</a>` : title}</th>
    <td><span class="outcome outcome-${outcome.kind.replace(' ', '-')}">${words[outcome.kind]}</span></td>
    <td>${printableText(sayingOf(result))}</td>
  </tr>`
}
