import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { defaultLimits } from '../packages/countersign/src/core/limits.ts'
import { reasons, type Advice, type Refusal } from '../packages/countersign/src/core/reasons.ts'
import { checks } from '../packages/server/src/audit/checks.ts'
import { casesOf, describeOutcome, doorSheets, type LabCase } from '../packages/server/src/lab/cases.ts'
import {
  capabilities,
  differences as frameworks,
  firstMessages,
} from '../test/countersign/adapters/differences.ts'
import { root } from './processes.ts'

/** A row of a table: its cells in Markdown. */
type Row = readonly string[]

/** Tables that pages show between `<!-- table: NAME -->` and `<!-- /table -->`, by name. */
const tables: ReadonlyMap<string, () => string> = new Map([
  ['reasons', reasonsTable],
  ['limits', limitsTable],
  ['frameworks', frameworksTable],
  ['audit', auditTable],
  ...doorSheets.map(({ id }): [string, () => string] => [`cases ${id}`, () => casesTable(casesOf(id))]),
])

const marker = /^<!-- table: (.+) -->\n[\s\S]*?^<!-- \/table -->$/gm

/**
 * A page with its tables written anew from the sources.
 *
 * @throws Error when the page asks for a table that there is none of
 */
export function withTables(page: string): string {
  return page.replaceAll(marker, (_whole, name: string) => {
    const table = tables.get(name)
    if (table === undefined) throw new Error(`no table is called ${name}`)
    return `<!-- table: ${name} -->\n\n${table()}\n\n<!-- /table -->`
  })
}

/** Names of the tables that a page shows. */
export function tablesIn(page: string): readonly string[] {
  return [...page.matchAll(marker)].map((match) => match[1] ?? '')
}

/** Names of all tables. */
export function tableNames(): readonly string[] {
  return [...tables.keys()]
}

const advices: Readonly<Record<Advice, string>> = {
  new_credential: 'never re-send the refused one; obtain another, try once more, then stop',
  stop: 'stop',
  retry: 'try again, later each time',
  wait: 'wait as told by `Retry-After`',
  back_off: 'back off',
  reconnect: 'reconnect after a random pause',
  fix: 'be repaired: the request was wrong',
}

function frameworksTable(): string {
  const rows = Object.entries(frameworks).map(([name, lacks]) => [
    name,
    ...capabilities.map((capability, index) => {
      const has = index === 0 ? `yes: ${firstMessages[name] ?? ''}` : 'yes'
      return lacks[capability] ?? has
    }),
  ])
  return table(['framework', ...capabilities], rows)
}

function auditTable(): string {
  const rows = checks.map(({ id, title, cwe, asvs, safety, needs }) => [
    `<a id="${id}"></a>${id}`,
    title,
    cwe.map((one) => `[${one}](https://cwe.mitre.org/data/definitions/${one}.html)`).join(' '),
    asvs.join(' '),
    safety,
    needs.map(({ missing }) => missing).join('; '),
  ])
  return table(['id', 'check', 'CWE', 'ASVS', 'class', 'needs'], rows)
}

function reasonsTable(): string {
  const rows = Object.entries(reasons).map(([reason, row]) => [
    `\`${reason}\``,
    httpOf(row),
    row.close === undefined ? '–' : `${row.close} \`${reason}\``,
    row.close === undefined || !row.tellBrowser ? 'HTTP' : 'close',
    row.wamp === undefined ? '–' : `\`${row.wamp}\``,
    advices[row.advice],
  ])
  return table(['reason', 'HTTP', 'close', 'a browser is told by', 'WAMP', 'the client should'], rows)
}

function httpOf({ status, body }: Refusal): string {
  if (status === undefined) return '–'
  const beside =
    status === 401 ? ' + `WWW-Authenticate`' : status === 429 || status === 503 ? ' + `Retry-After`' : ''
  return `${status} \`${body}\`${beside}`
}

const limitWords: Readonly<Record<string, string>> = {
  deadlineMs: 'from the upgrade to acceptance, ms; traffic does not extend it',
  maxBytes:
    'bytes on the raw socket before acceptance, each packet at least 64 of them; 16,384 where the guard takes JWTs',
  maxMessages: 'messages before acceptance',
  lingerMs: 'from a refusal to the end of the socket, ms',
  handshakesPerSecond: 'handshakes a second of one source',
  maxLeaseMs: 'longest life of a lease, refreshed or not, ms',
  warnMs: 'how long before its end the holder of a lease is warned, ms',
  graceMs: 'how long an expired lease may still speak, ms; never after a revocation',
  jitter: 'share of a lease’s life by which its end may be brought forward',
  'pool.total': 'sockets that wait for acceptance, talk, or still close',
  'pool.perSource': 'of them, those of one address',
  'pool.perSubnet': 'of them, those of one /64 of IPv6 (an IPv4 address is its own subnet)',
  'pool.talking': 'of them, those in the middle of a challenge-response',
  'lockout.failures': 'wrong passwords of one name from one source before it must wait',
  'lockout.firstWaitMs': 'first wait, ms; each further failure doubles it',
  'lockout.maxWaitMs': 'longest wait, ms',
  'lockout.forgetMs': 'silence after which failures are forgotten, ms',
  'lockout.maxEntries':
    'entries of each sort that are remembered: pairs, names, names with known sources, names with devices',
  'lockout.windowMs': 'time in which failures are summed up, ms; older ones fade, to a third after it',
  'lockout.identityFailures': 'failures of one name, from anywhere, that slow strangers to it down',
  'lockout.allFailures': 'failures of all names that slow all strangers down',
  'lockout.strangerFailures': 'while slowed down: failures of a stranger before it must wait',
  'lockout.strangerFirstWaitMs':
    'while slowed down: first wait of a stranger, ms; each further failure doubles it',
  'lockout.strangerMaxWaitMs': 'while slowed down: longest wait of a stranger, ms',
  'lockout.knownMs': 'how long a success makes a source known to a name, ms',
  'lockout.maxPerIdentity': 'sources known to one name, and devices of it that have failures',
  'lockout.deviceFailures': 'failures of one device cookie in all, after which it is worth nothing',
}

function limitsTable(): string {
  const rows = Object.entries(defaultLimits).flatMap(([name, value]) =>
    typeof value === 'number'
      ? [limitRow(name, value)]
      : Object.entries(value).map(([inner, number]) => limitRow(`${name}.${inner}`, Number(number))),
  )
  return table(['limit', 'default', 'bounds'], rows)
}

function limitRow(name: string, value: number): Row {
  const words = limitWords[name]
  if (words === undefined) throw new Error(`the limit ${name} has no words in tools/docs-tables.ts`)
  return [`\`${name}\``, value.toLocaleString('en'), words]
}

function casesTable(cases: readonly LabCase[]): string {
  const rows = cases.map((one) => [
    `<a id="${one.id.split('.')[1] ?? ''}"></a>${one.title}`,
    [describeOutcome(one.expected), ...differences(one)].join('; '),
    one.why,
  ])
  return table(['case', 'outcome', 'why'], rows)
}

const engineNames: Readonly<Record<string, string>> = {
  chromium: 'Chromium',
  firefox: 'Firefox',
  webkit: 'WebKitGTK',
}

function differences(one: LabCase): readonly string[] {
  return Object.entries(one.differs).map(
    ([engine, { expected, why }]) =>
      `**${engineNames[engine] ?? engine}: ${describeOutcome(expected)}** (${why.replace(/\.$/, '')})`,
  )
}

function table(head: Row, rows: readonly Row[]): string {
  const line = (cells: Row): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')
}

/** Writes the tables of every page under `docs/`. */
function writeAll(): void {
  for (const name of readdirSync(join(root, 'docs'), { recursive: true })) {
    if (!String(name).endsWith('.md')) continue
    const path = join(root, 'docs', String(name))
    const text = readFileSync(path, 'utf8')
    const next = withTables(text)
    if (next !== text) writeFileSync(path, next)
  }
}

if (import.meta.main) writeAll()
