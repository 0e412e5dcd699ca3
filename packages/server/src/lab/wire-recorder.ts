/**
 * What a door's socket server saw and said, line by line, for the page that shows it. Only sockets whose URL carries
 * `probe=<id>` are recorded; secrets are masked before anything is kept.
 */
import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { findParameter } from 'countersign/wire'
import { FrameReader, type Frame } from './frame-reader.ts'
import { bytesOf, listenIn } from './listen-in.ts'
import { mask } from './browser/mask.ts'
import { hearAnswer, hearBody } from './poll-bodies.ts'
import { isSocketIo, packetsIn, socketIoLine } from './socket-io-lines.ts'
import { wampLine } from './wamp-lines.ts'

/** One line of an exchange. */
export interface WireLine {
  readonly from: 'client' | 'server'
  readonly text: string
  /** Whether this line decided the outcome. */
  readonly deciding: boolean
  /** When it passed, ms since the epoch. */
  readonly at_ms: number
}

// Bounds of what is kept, for whoever opens sockets in a loop: the oldest exchange makes room, long ones are
// cut.
const maxExchanges = 1_000
const maxLines = 80
const maxLineLength = 400
/** What decides comes last: it is kept where other lines have filled the exchange. */
const maxDeciding = 8

/** Keeps the last exchanges by probe id. */
export class WireRecorder {
  readonly #exchanges = new Map<string, WireLine[]>()

  /** The lines of one exchange; empty when the id is unknown. */
  lines(probe: string): readonly WireLine[] {
    return this.#exchanges.get(probe) ?? []
  }

  /** Call first in the `upgrade` event, before the guard hides anything. */
  watch(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const add = this.#adderFor(request)
    if (add === undefined) return
    for (const line of requestLines(request)) add('client', line, false)
    const read = readingOf(request)
    watchClient(socket, head, (frame) => add('client', read(frame).text, false))
    watchServer(socket, add, read)
  }

  /** Call first in the `request` event: what Engine.IO polls is recorded, other requests are not. */
  watchPoll(request: IncomingMessage, response: ServerResponse): void {
    const add = isSocketIo(request.url ?? '') ? this.#adderFor(request) : undefined
    if (add === undefined) return
    for (const line of requestLines(request)) add('client', line, false)
    hearBody(request, (body) => {
      for (const packet of packetsIn(body)) add('client', packet, false)
    })
    hearAnswer(response, (status, body) => {
      // Once a packet has said why, polls that come afterwards decide nothing any more.
      add('server', statusLine(status), status >= 400 && !add.decided())
      const packets = status === 200 ? packetsIn(body).map(socketIoLine) : []
      for (const { text, deciding } of packets) add('server', text, deciding)
    })
  }

  /** Adds lines to the exchange that the request names; `undefined` where it names none. */
  #adderFor({ url = '' }: IncomingMessage): Add | undefined {
    const probe = findParameter(url, ['probe'])
    if (probe.kind !== 'found' || !/^[\w-]{1,64}$/.test(probe.value)) return undefined
    const exchange = this.#begin(probe.value)
    const add = (from: WireLine['from'], text: string, deciding: boolean): void => {
      const line = { from, text: mask(text).slice(0, maxLineLength), deciding, at_ms: Date.now() }
      if (standsIn(exchange, line)) return
      if (exchange.length < maxLines + (deciding ? maxDeciding : 0)) exchange.push(line)
    }
    return Object.assign(add, { decided: () => exchange.some(({ deciding }) => deciding) })
  }

  /** One id may name several sockets, one after the other: their lines follow each other. */
  #begin(probe: string): WireLine[] {
    const exchange = this.#exchanges.get(probe) ?? []
    this.#exchanges.set(probe, exchange)
    const oldest = this.#exchanges.keys().next().value
    if (this.#exchanges.size > maxExchanges && oldest !== undefined) this.#exchanges.delete(oldest)
    return exchange
  }
}

/** Adds lines to an exchange, and knows whether one of them has decided it. */
interface Add {
  (from: WireLine['from'], text: string, deciding: boolean): void
  decided(): boolean
}

/** Messages that differ by their numbers alone, of which a case may send hundreds. */
const numbered = /^(?:(?:tick|PUBLISH|EVENT) |42\["tick",)/

/** Of numbered messages the first stays, and the latest of the others: it takes the place of the one before. */
function standsIn(exchange: WireLine[], line: WireLine): boolean {
  if (!numbered.test(line.text)) return false
  const shape = shapeOf(line)
  const at = exchange.findLastIndex((one) => one.text.startsWith('… ') && shapeOf(one) === shape)
  const like = exchange.some((one) => shapeOf(one) === shape)
  if (!like) return false
  if (at < 0) exchange.push({ ...line, text: `… ${line.text}` })
  else exchange[at] = { ...line, text: `… ${line.text}` }
  return true
}

function shapeOf({ from, text }: WireLine): string {
  return `${from} ${text.replace(/^… /, '').replace(/-?\d+/g, '0')}`
}

/** A frame as a line, and whether it decides when it is the server's. */
type Reading = (frame: Frame) => Omit<WireLine, 'from' | 'at_ms'>

const readFrame: Reading = ({ kind, text }) => ({ text, deciding: kind === 'close' })

/** Where a message has said why, the close behind it decides nothing any more. */
function readWamp(): Reading {
  let decided = false
  return (frame) => {
    const line = frame.kind === 'text' ? wampLine(frame.text) : undefined
    if (line === undefined) return { text: frame.text, deciding: frame.kind === 'close' && !decided }
    decided ||= line.deciding
    return line
  }
}

/** Engine.IO closes without a code: what there is to say was said in a packet. */
const readSocketIo: Reading = ({ kind, text }) =>
  kind === 'text' ? socketIoLine(text) : { text, deciding: false }

function readingOf(request: IncomingMessage): Reading {
  if (isSocketIo(request.url ?? '')) return readSocketIo
  return speaksWamp(request) ? readWamp() : readFrame
}

function speaksWamp({ headers }: IncomingMessage): boolean {
  return headers['sec-websocket-protocol']?.includes('wamp.2.') ?? false
}

/** What a reader of the exchange has a use for; browsers send a page of others. */
const shownHeaders = new Set([
  'host',
  'origin',
  'cookie',
  'authorization',
  'upgrade',
  'sec-websocket-protocol',
  'sec-websocket-version',
])

/** From the raw headers: names as they were written, repeated ones repeated. */
function requestLines(request: IncomingMessage): readonly string[] {
  const lines = [`${request.method ?? ''} ${request.url ?? ''} HTTP/${request.httpVersion}`]
  for (let at = 0; at + 1 < request.rawHeaders.length; at += 2) {
    const name = request.rawHeaders[at] ?? ''
    if (shownHeaders.has(name.toLowerCase())) lines.push(`${name}: ${request.rawHeaders[at + 1] ?? ''}`)
  }
  return lines
}

/** Listens beside the WebSocket library; what came with the handshake comes first. */
function watchClient(socket: Duplex, head: Buffer, use: (frame: Frame) => void): void {
  const reader = new FrameReader(use)
  if (head.length > 0) reader.push(head)
  socket.on('data', (chunk: Buffer) => reader.push(chunk))
}

/** Everything that the server writes passes `write` or `end`; the first block is the HTTP answer. */
function watchServer(
  socket: Duplex,
  add: (from: 'server', text: string, deciding: boolean) => void,
  read: Reading,
): void {
  const reader = new FrameReader((frame) => {
    const { text, deciding } = read(frame)
    add('server', text, deciding)
  })
  let answered = false
  const see = ([chunk]: readonly unknown[]): void => {
    const bytes = bytesOf(chunk)
    if (bytes === undefined) return
    if (answered) {
      reader.push(bytes)
      return
    }
    answered = true
    for (const [index, line] of answerLines(bytes).entries())
      add('server', line, index === 0 && !line.includes(' 101 '))
  }
  listenIn(socket, 'write', see)
  listenIn(socket, 'end', see)
}

/** The status in our own words, whatever the server's were, and the fields that explain it. */
function answerLines(bytes: Buffer): readonly string[] {
  const head = bytes.toString('latin1').split('\r\n\r\n', 1)[0] ?? ''
  const [status = '', ...fields] = head.split('\r\n')
  const code = Number(status.split(' ')[1])
  const kept = fields.filter((line) => /^(www-authenticate|retry-after|sec-websocket-protocol):/i.test(line))
  return [statusLine(code), ...kept]
}

function statusLine(code: number): string {
  return `HTTP/1.1 ${code} ${STATUS_CODES[code] ?? ''}`
}
