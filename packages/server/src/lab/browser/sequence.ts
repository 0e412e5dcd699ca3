import { make } from './dom.ts'
import { mask } from './mask.ts'
import { getJson } from './site.ts'
import type { TracePart } from './trace.ts'

interface Line {
  readonly text: string
  readonly deciding: boolean
}

interface Message {
  readonly with: 'site' | 'socket'
  readonly way: 'there' | 'back'
  readonly lines: Line[]
}

/** Draws what passed between browser, site and socket server, as the server saw it; secrets were masked there. */
export async function drawSequence(parts: readonly TracePart[]): Promise<HTMLElement> {
  if (parts.length === 0) return make('p', 'muted', 'Run the case to see what passes on the wire.')
  const found: WireLine[] = []
  for (const part of parts)
    found.push(...(part.kind === 'socket' ? await socketLines(part.probe) : siteLines(part)))
  // The lab and its browser are on one machine, by one clock.
  const messages = group(withOneDecision(found).toSorted((one, other) => one.atMs - other.atMs))
  if (messages.length === 0)
    return make('p', 'muted', 'Nothing passed here: TLS or another page did the talking.')
  return draw(messages)
}

function siteLines({ kind, lines }: Extract<TracePart, { kind: 'site' | 'frame' }>): readonly WireLine[] {
  return lines.map(({ from, text, deciding = kind === 'frame' && from === 'site', atMs }) => ({
    partner: kind === 'site' ? 'site' : 'socket',
    there: from === 'browser',
    text,
    deciding,
    atMs,
  }))
}

async function socketLines(probe: string): Promise<readonly WireLine[]> {
  try {
    const { lines } = await getJson(`/lab/wire?probe=${encodeURIComponent(probe)}`)
    return Array.isArray(lines) ? withDecision(lines.flatMap(readLine)) : []
  } catch {
    return []
  }
}

interface WireLine {
  readonly partner: Message['with']
  readonly there: boolean
  readonly text: string
  readonly deciding: boolean
  /** ms since the epoch */
  readonly atMs: number
}

function readLine(line: unknown): readonly WireLine[] {
  if (typeof line !== 'object' || line === null || !('text' in line) || !('from' in line)) return []
  const deciding = 'deciding' in line && line.deciding === true
  const atMs = 'at_ms' in line ? Number(line.at_ms) : 0
  return [
    {
      partner: 'socket',
      there: line.from === 'client',
      text: plainTarget(mask(String(line.text))),
      deciding,
      atMs,
    },
  ]
}

/** The probe is the lab's own instrument and no part of the exchange that is shown, nor is what keeps polls from caches. */
function plainTarget(line: string): string {
  return line
    .replace(/([?&])(?:probe=[\w-]+|ticks=1|t=[\w-]+)/g, (_all, mark) => (mark === '?' ? '?' : ''))
    .replace('?&', '?')
    .replace(/\?(?= HTTP)/, '')
}

/** The first word of an application, or a router's. */
const greeting = /^Hello .+!$|^WELCOME |^42\["greeting",/

/** Begins a handshake. Polls of Socket.IO do not: one follows the other. */
const knocks = /^GET (?!\/socket\.io\/).* HTTP\/1\.1$/

/** An ordinary farewell decides nothing, nor does a 401 that the browser answered: then the first frame back did. */
function withDecision(lines: readonly WireLine[]): readonly WireLine[] {
  const lastKnock = lines.findLastIndex(({ there, text }) => there && knocks.test(text))
  const decided = lines.map((line, index) =>
    index < lastKnock || line.text === 'close 1000' ? { ...line, deciding: false } : line,
  )
  if (decided.some(({ deciding }) => deciding)) return decided
  const renewed = decided.findLastIndex(({ there, text }) => !there && text.includes('auth_ok'))
  const greeted = decided.findIndex(({ there, text }) => !there && greeting.test(text))
  const welcome = renewed < 0 ? greeted : renewed
  return decided.map((line, index) => (index === welcome ? { ...line, deciding: true } : line))
}

/** Where an answer of the site decided, the welcome of the socket before it did not. */
function withOneDecision(lines: readonly WireLine[]): readonly WireLine[] {
  const bySite = lines.some(({ partner, deciding }) => partner === 'site' && deciding)
  return bySite ? lines.map((one) => (one.partner === 'socket' ? { ...one, deciding: false } : one)) : lines
}

/** Joins lines that went the same way into one message, but keeps frames apart from headers. */
function group(lines: readonly WireLine[]): readonly Message[] {
  const messages: Message[] = []
  let inHead = false
  for (const { partner, there, text, deciding } of lines) {
    const way = there ? 'there' : 'back'
    const last = messages.at(-1)
    const startsHead = /^(?:[A-Z]+ \S+(?: HTTP\/\d|$)|HTTP\/\d)/.test(text)
    const same = last?.way === way && last.with === partner
    const joins = same && (partner === 'site' || (inHead && !startsHead && isHeader(text)))
    if (startsHead) inHead = true
    else if (!isHeader(text)) inHead = false
    if (joins) last.lines.push({ text, deciding })
    else messages.push({ with: partner, way, lines: [{ text, deciding }] })
  }
  return messages
}

const isHeader = (text: string): boolean => /^[\w-]+: /.test(text)

function draw(messages: readonly Message[]): HTMLElement {
  const parties = ['Browser', 'Site', 'Socket server'].map((name) => make('span', '', name))
  const head = make('div', 'sequence__parties', ...parties)
  head.setAttribute('aria-hidden', 'true')
  return make('div', 'sequence', head, make('ol', 'sequence__messages', ...messages.map(drawMessage)))
}

function drawMessage(message: Message): HTMLElement {
  const partner = message.with === 'site' ? 'the site' : 'the socket server'
  const words = message.way === 'there' ? `The browser to ${partner}: ` : `From ${partner}: `
  const lines = message.lines.map(({ text, deciding }, index) =>
    make(
      deciding ? 'strong' : 'span',
      deciding ? 'sequence__deciding' : '',
      text,
      index < message.lines.length - 1 && !deciding ? '\n' : '',
    ),
  )
  const item = make(
    'li',
    'sequence__message',
    make('span', 'visually-hidden', words),
    make('pre', 'sequence__text', ...lines),
    make('span', 'sequence__arrow'),
  )
  item.dataset['way'] = message.way
  item.dataset['with'] = message.with
  return item
}
