/** The report as SARIF 2.1.0 (OASIS), as code scanning services read it. */
import type { Report } from '../audit/audit.ts'
import type { Check, Severity } from '../audit/check.ts'
import type { Exchange } from '../audit/exchange.ts'
import { findingsOf, securitySeverity, type Listed } from './findings.ts'
import { bare } from './json.ts'

/** Where the target is written down: code scanning shows findings at a line of a file. */
export interface SarifPlace {
  /** Relative to the root of the repository, with slashes. */
  readonly file: string
  readonly line: number
}

/** What a SARIF log needs beside the report. */
export interface SarifOptions {
  readonly version: string
  readonly place: SarifPlace
  /** Fingerprints of a baseline; without one no result says whether it is new. */
  readonly known: ReadonlySet<string> | undefined
}

const levels: Readonly<Record<Severity, 'error' | 'warning' | 'note'>> = {
  critical: 'error',
  high: 'error',
  medium: 'warning',
  low: 'note',
}

/** A SARIF log with one run. Findings are results; the other outcomes are notifications of the invocation. */
export function toSarif(report: Report, options: SarifOptions): object {
  const findings = findingsOf(report)
  const rules = report.results.map(({ check }) => check)
  const weaknesses = [...new Set(rules.flatMap(({ cwe }) => cwe))].toSorted((one, other) => one - other)
  return {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'Countersign audit',
            informationUri: 'https://www.npmjs.com/package/@countersign/server',
            semanticVersion: options.version,
            version: options.version,
            rules: rules.map((check) => ruleOf(check, findings)),
            supportedTaxonomies: [{ name: 'CWE', index: 0 }],
          },
        },
        taxonomies: [
          {
            name: 'CWE',
            version: '4.18',
            informationUri: 'https://cwe.mitre.org/data/index.html',
            organization: 'MITRE',
            shortDescription: { text: 'The MITRE Common Weakness Enumeration' },
            taxa: weaknesses.map((id) => ({
              id: String(id),
              helpUri: `https://cwe.mitre.org/data/definitions/${id}.html`,
            })),
          },
        ],
        automationDetails: {
          id: `countersign-audit/${report.endpoint.protocol}${report.endpoint.url.pathname}`,
        },
        invocations: [invocationOf(report)],
        results: findings.map((finding) => resultOf(finding, rules, { report, options })),
        columnKind: 'utf16CodeUnits',
      },
    ],
  }
}

function ruleOf(check: Check, findings: readonly Listed[]): object {
  const worst = findings.find((finding) => finding.check.id === check.id)?.severity ?? 'medium'
  const { text, ws, socketIo, countersign } = check.remedy
  return {
    id: check.id,
    name: pascal(check.title),
    shortDescription: { text: `${check.title}.` },
    fullDescription: { text: check.why },
    help: {
      text: `${text}\n\nws:\n${ws}\n\nSocket.IO:\n${socketIo}\n\nCountersign:\n${countersign}`,
      markdown: [text, code('ws', ws), code('Socket.IO', socketIo), code('Countersign', countersign)].join(
        '\n\n',
      ),
    },
    helpUri: `https://cwe.mitre.org/data/definitions/${check.cwe[0] ?? 1385}.html`,
    defaultConfiguration: { level: levels[worst] },
    relationships: check.cwe.map((id) => ({
      target: { id: String(id), toolComponent: { name: 'CWE', index: 0 } },
      kinds: ['superset'],
    })),
    properties: {
      tags: [
        'security',
        'websocket',
        ...check.cwe.map((id) => `external/cwe/cwe-${String(id).padStart(3, '0')}`),
      ],
      precision: 'high',
      'security-severity': securitySeverity[worst],
      asvs: check.asvs,
    },
  }
}

function resultOf(
  { check, says, severity, subject, exchanges, fingerprint, confidence }: Listed,
  rules: readonly Check[],
  { report, options }: { readonly report: Report; readonly options: SarifOptions },
): object {
  const { place, known } = options
  const endpoint = bare(report.endpoint.url)
  return {
    ruleId: check.id,
    ruleIndex: rules.indexOf(check),
    level: levels[severity],
    message: { text: messageText(`${endpoint}: ${says}.`) },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: encodeURI(place.file), uriBaseId: '%SRCROOT%' },
          region: { startLine: place.line },
        },
        logicalLocations: [{ fullyQualifiedName: endpoint, kind: 'resource' }],
      },
    ],
    partialFingerprints: { 'countersignAudit/v1': fingerprint },
    ...(known === undefined ? {} : { baselineState: known.has(fingerprint) ? 'unchanged' : 'new' }),
    ...webMessages(exchanges[0], endpoint),
    properties: {
      confidence,
      ...(subject === undefined ? {} : { subject }),
      exchange: exchanges.flatMap((exchange) => exchange.map(({ from, text }) => `${from}: ${text}`)),
    },
  }
}

/** The first request and answer of the evidence, as SARIF has places for. */
function webMessages(exchange: Exchange | undefined, target: string): object {
  const request = exchange?.find(({ from }) => from === 'scanner')?.text
  const answer = exchange?.find(({ from, text }) => from === 'target' && text.startsWith('HTTP/1.1 '))?.text
  if (request === undefined || !/^[A-Z]+ \S+ HTTP\/1\.1/.test(request)) return {}
  const [method = 'GET'] = request.split(' ')
  return {
    webRequest: { protocol: 'HTTP', version: '1.1', target, method, headers: fieldsOf(request) },
    ...(answer === undefined
      ? {}
      : {
          webResponse: {
            protocol: 'HTTP',
            version: '1.1',
            statusCode: Number(answer.slice(9, 12)),
            headers: fieldsOf(answer),
          },
        }),
  }
}

function fieldsOf(head: string): Readonly<Record<string, string>> {
  const fields = head.split(/\r?\n/).slice(1)
  return Object.fromEntries(
    fields.flatMap((field) => {
      const colon = field.indexOf(':')
      return colon < 1 ? [] : [[field.slice(0, colon), field.slice(colon + 1).trim()]]
    }),
  )
}

function invocationOf(report: Report): object {
  const startMs = Date.parse(report.startedAt)
  return {
    executionSuccessful: report.unreachable === undefined && report.stopped === undefined,
    startTimeUtc: report.startedAt,
    endTimeUtc: new Date(startMs + report.spent.ms).toISOString(),
    toolExecutionNotifications: [
      ...[report.unreachable, report.stopped, ...report.loginTroubles].flatMap((text) =>
        text === undefined ? [] : [{ level: 'error', message: { text: messageText(`${text}.`) } }],
      ),
      ...report.results.flatMap(({ check, outcome }) =>
        outcome.kind === 'not tested' || outcome.kind === 'inconclusive'
          ? [
              {
                level: 'note',
                message: {
                  text: messageText(
                    `${check.id} ${outcome.kind}: ${outcome.kind === 'not tested' ? outcome.missing : outcome.says}.`,
                  ),
                },
                associatedRule: { id: check.id },
              },
            ]
          : [],
      ),
    ],
  }
}

function code(title: string, text: string): string {
  return `**${title}**\n\n\`\`\`ts\n${text}\n\`\`\``
}

/** Text in which nothing is a link: brackets of the target's are no links of ours (SARIF 2.1.0, 3.11.6). */
function messageText(text: string): string {
  return text.replaceAll(/[\\[\]]/g, (one) => `\\${one}`)
}

/** A title as one word, as SARIF recommends for names of rules; articles are left out. */
function pascal(title: string): string {
  const words =
    title
      .normalize('NFKD')
      .replaceAll(/[’']/g, '')
      .toLowerCase()
      .match(/[a-z0-9]+/g) ?? []
  return words
    .filter((word) => !/^(?:a|an|the)$/.test(word))
    .map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`)
    .join('')
}
