/** The findings of the page: a check once, with everything that it found. */
import type { Severity } from '../audit/check.ts'
import type { Exchange } from '../audit/exchange.ts'
import { html, type Html } from '../server/pages/html.ts'
import { decidingLine, type Group, type Listed } from './findings.ts'
import { printableText } from './printable.ts'

/** Fewer groups are seen without a list of them. */
const leastForContents = 4

/** Links to the groups, where there are many. */
export function contents(groups: readonly Group[]): Html | undefined {
  if (groups.length < leastForContents) return undefined
  return html`<nav class="contents" aria-labelledby="contents">
    <h2 id="contents">Findings in short</h2>
    <ol>
      ${groups.map(
        ({ check, severity, findings }) =>
          html`<li>
            ${badge(severity)}
            <span
              ><a href="#${check.id}">${check.title}</a>${
                findings.length > 1 ? html` <span class="quiet">${findings.length} times</span>` : undefined
              }</span
            >
          </li>`,
      )}
    </ol>
  </nav>`
}

/** The section of all groups. */
export function findingsSection(
  groups: readonly Group[],
  options: { readonly known: ReadonlySet<string> },
): Html | undefined {
  if (groups.length === 0) return undefined
  return html`<section aria-labelledby="findings">
    <h2 id="findings">Findings</h2>
    <ol class="findings">
      ${groups.map((group) => html`<li>${groupCard(group, options.known)}</li>`)}
    </ol>
  </section>`
}

function groupCard({ check, severity, findings }: Group, known: ReadonlySet<string>): Html {
  const { id, title, why, remedy, cwe, asvs } = check
  return html`<article class="finding" id="${id}" aria-labelledby="title-${id}">
    <header>
      <p class="badges">
        ${badge(severity)}<span class="check-id">${id}</span>
        <span class="quiet"
          >${cwe.map(
            (one) =>
              html`<a href="https://cwe.mitre.org/data/definitions/${one}.html" rel="noreferrer"
                >CWE-${one}</a
              > `,
          )}
          · ASVS 5.0 ${asvs.join(', ')}</span
        >
      </p>
      <h3 id="title-${id}">${title}</h3>
    </header>
    <p>${why}</p>
    <h4>${findings.length === 1 ? 'What was seen' : `What was seen, ${findings.length} times`}</h4>
    <ol class="seen">
      ${findings.map((finding) => html`<li>${seen(finding, severity, known)}</li>`)}
    </ol>
    <h4>What to do</h4>
    <p>${remedy.text}</p>
    ${codeOf('ws', remedy.ws)} ${codeOf('Socket.IO', remedy.socketIo)}
    ${codeOf('Countersign', remedy.countersign)}
  </article>`
}

function seen(finding: Listed, worst: Severity, known: ReadonlySet<string>): Html {
  const { severity, confidence, says, subject, exchanges, fingerprint } = finding
  return html`<p class="says">${upperFirst(printableText(says))}.</p>
    <p class="quiet">
      ${severity === worst ? undefined : html`${badge(severity)} · `}confidence
      ${confidence}${subject === undefined || says.includes(subject) ? undefined : html` · ${printableText(subject)}`}
      · fingerprint
      <span class="fingerprint">${fingerprint.slice(0, 12)}</span>${
        known.has(fingerprint) ? html` · <strong>known before</strong>` : undefined
      }
    </p>
    ${
      exchanges.length === 0
        ? undefined
        : html`<details class="evidence" open>
            <summary>Evidence</summary>
            ${exchanges.map((exchange) => evidence(exchange, says))}
          </details>`
    }`
}

function codeOf(title: string, code: string): Html {
  return html`<details class="remedy">
    <summary>With ${title}</summary>
    <pre tabindex="0"><code>${code}</code></pre>
  </details>`
}

function evidence(exchange: Exchange, says: string): Html {
  const deciding = decidingLine(exchange)
  return html`<ol class="exchange" tabindex="0" aria-label="Exchange: ${printableText(says)}">
    ${exchange.map(
      ({ atMs, from, text }, index) =>
        html`<li class="from-${from}${index === deciding ? ' decides' : ''}">
          <span class="who">${from}</span><span class="at">${atMs} ms</span>
          <pre>${printableText(text)}</pre>
          ${index === deciding ? html`<span class="mark">this decides</span>` : undefined}
        </li>`,
    )}
  </ol>`
}

function badge(severity: Severity): Html {
  return html`<span class="badge severity-${severity}">${severity}</span>`
}

function upperFirst(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`
}
