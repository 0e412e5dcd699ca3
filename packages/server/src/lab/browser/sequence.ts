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
  const messages: Message[] = []
  for (const part of parts) {
    const found = part.kind === 'socket' ? await socketMessages(part.probe) : lineMessages(part)
    messages.push(...found)
  }
  if (messages.length === 0)
    return make('p', 'muted', 'Nothing passed here: TLS or another page did the talking.')
  return draw(messages)
}

function lineMessages({ kind, lines }: Extract<TracePart, { kind: 'site' | 'frame' }>): readonly Message[] {
  const seen = lines.map(({ from, text }) => ({
    there: from === 'browser',
    text,
    deciding: kind === 'frame' && from === 'site',
  }))
  return group(kind === 'site' ? 'site' : 'socket', seen)
}

async function socketMessages(probe: string): Promise<readonly Message[]> {
  try {
    const { lines } = await getJson(`/lab/wire?probe=${encodeURIComponent(probe)}`)
    return Array.isArray(lines) ? group('socket', withDecision(lines.flatMap(readLine))) : []
  } catch {
    return []
  }
}

interface WireLine {
  readonly there: boolean
  readonly text: string
  readonly deciding: boolean
}

function readLine(line: unknown): readonly WireLine[] {
  if (typeof line !== 'object' || line === null || !('text' in line) || !('from' in line)) return []
  const deciding = 'deciding' in line && line.deciding === true
  // The probe is the lab's own instrument, and no part of the exchange that is shown.
  const text = mask(String(line.text)).replace(/([?&])probe=[\w-]+/, (_all, mark) =>
    mark === '?' ? '?' : '',
  )
  return [{ there: line.from === 'client', text: text.replace(/\?(?= HTTP)/, ''), deciding }]
}

/** An ordinary farewell decides nothing, nor does a 401 that the browser answered: then the first frame back did. */
function withDecision(lines: readonly WireLine[]): readonly WireLine[] {
  const lastKnock = lines.findLastIndex(({ there, text }) => there && /^GET .* HTTP\/1\.1$/.test(text))
  const decided = lines.map((line, index) =>
    index < lastKnock || line.text === 'close 1000' ? { ...line, deciding: false } : line,
  )
  if (decided.some(({ deciding }) => deciding)) return decided
  const welcome = decided.findIndex(({ there, text }) => !there && /auth_ok|^Hello .+!$|^WELCOME /.test(text))
  return decided.map((line, index) => (index === welcome ? { ...line, deciding: true } : line))
}

/** Joins lines that went the same way into one message, but keeps frames apart from headers. */
function group(partner: Message['with'], lines: readonly WireLine[]): readonly Message[] {
  const messages: Message[] = []
  let inHead = false
  for (const { there, text, deciding } of lines) {
    const way = there ? 'there' : 'back'
    const last = messages.at(-1)
    const startsHead = /^(?:[A-Z]+ \S+(?: HTTP\/\d|$)|HTTP\/\d)/.test(text)
    const joins = last?.way === way && (partner === 'site' || (inHead && !startsHead && isHeader(text)))
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
