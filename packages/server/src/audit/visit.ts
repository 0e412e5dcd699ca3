/** One connection attempt of an audit, from the handshake to the end: everything on it can be varied, everything is recorded. */
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { headerOf, maxHeadBytes, readHead, type Header } from './answer.ts'
import { dial, type DialFailure, type Lines, type TlsOptions } from './dial.ts'
import { Recorder, type Exchange } from './exchange.ts'
import { closePayload, FrameReader, opcodes, writeFrame, type FrameOptions, type Inbound } from './frames.ts'
import type { Masking } from './masking.ts'
import { acceptOf, writeHead } from './opening-head.ts'

/** How a handshake is made. Only what differs from a good client's needs to be said. */
export interface Attempt {
  readonly url: URL
  /** `Origin` fields, one each; an empty list sends none. */
  readonly origins: readonly string[]
  /** @default the URL's host */
  readonly host?: string
  readonly subprotocols?: readonly string[]
  /** Further fields. */
  readonly headers?: readonly Header[]
  /** Offers permessage-deflate without context takeover (RFC 7692). */
  readonly offersDeflate?: boolean
  /** `Sec-WebSocket-Version`; `undefined` as a value leaves it out. @default '13' */
  readonly version?: string | undefined
  /** Leaves pings unanswered. */
  readonly ignoresPings?: boolean
  readonly tls?: TlsOptions
}

/** What came back for the handshake. */
export type Answer =
  | {
      readonly kind: 'answered'
      readonly status: number
      readonly headers: readonly Header[]
      readonly body: string
    }
  | { readonly kind: 'failed'; readonly why: DialFailure['why'] | 'garbage'; readonly detail: string }

/** How an open socket ended. */
export interface Ending {
  /** The code of a close frame; 1006 without one. */
  readonly code: number
  readonly reason: string
  /** The target flooded the scanner, or sent what is no WebSocket. */
  readonly why?: string
  readonly atMs: number
}

/** A message from the target. */
export type Message = Extract<Inbound, { readonly kind: 'text' | 'binary' }>

const maxQueued = 2_000
const maxQueuedBytes = 4_194_304
const maxPingsKept = 100
const maxBodyBytes = 8_192
/** How long the body of a refusal is waited for, milliseconds. */
const bodyPatienceMs = 400
/** How long a close handshake is waited for before the connection is cut, milliseconds. */
const partingMs = 300

/** What a visit needs beside its connection. */
export interface VisitNeeds extends Lines {
  readonly masking: Masking
}

/** A connection on which a handshake was tried. Whoever opens one leaves it. */
export class Visit {
  readonly answer: Answer
  readonly attempt: Attempt
  readonly #socket: Socket | undefined
  readonly #recorder: Recorder
  readonly #queue: Message[] = []
  readonly #startedAt = performance.now()
  #queuedBytes = 0
  #pongs = 0
  readonly #pingsAtMs: number[] = []
  readonly #wakes: (() => void)[] = []
  #ending: Ending | undefined

  /** Connects and shakes hands. Never throws for what a target does. @throws BudgetSpent, OutOfScope, Unresolved */
  static async open(needs: VisitNeeds, attempt: Attempt): Promise<Visit> {
    const recorder = new Recorder(needs.masking)
    const dialled = await dial(needs, attempt.url, attempt.tls)
    if (dialled.kind === 'failed') {
      recorder.add('note', `no connection: ${dialled.why} (${dialled.detail})`)
      return new Visit({ needs, attempt, recorder }, undefined, { answer: dialled, rest: undefined })
    }
    const { socket } = dialled
    const key = randomBytes(16).toString('base64')
    const head = writeHead(attempt, key)
    recorder.add('scanner', head.trimEnd())
    const shaken = await shake(needs, socket, head)
    if (shaken.answer.kind === 'answered') {
      const { status, headers, body } = shaken.answer
      const fields = headers.map(([name, value]) => `${name}: ${value}`)
      recorder.add('target', [`HTTP/1.1 ${status}`, ...fields].join('\n'))
      if (body !== '') recorder.add('target', body)
      if (status === 101 && headerOf(headers, 'sec-websocket-accept') !== acceptOf(key))
        recorder.add('note', 'Sec-WebSocket-Accept does not belong to the key that was sent')
    } else recorder.add('note', `no answer to the handshake: ${shaken.answer.why} (${shaken.answer.detail})`)
    return new Visit({ needs, attempt, recorder }, socket, shaken)
  }

  private constructor(
    { needs, attempt, recorder }: { needs: VisitNeeds; attempt: Attempt; recorder: Recorder },
    socket: Socket | undefined,
    { answer, rest }: Shaken,
  ) {
    this.answer = answer
    this.attempt = attempt
    this.#recorder = recorder
    if (socket === undefined || answer.kind === 'failed' || answer.status !== 101) {
      socket?.destroy()
      this.#end(1006, '', answer.kind === 'failed' ? answer.why : undefined)
      return
    }
    this.#socket = socket
    const extensions = headerOf(answer.headers, 'sec-websocket-extensions') ?? ''
    const reader = new FrameReader(attempt.offersDeflate === true && /permessage-deflate/i.test(extensions))
    const read = (chunk: Buffer): void => {
      if (!needs.budget.spend(chunk.length)) this.#cut('the bytes of the audit are used')
      else
        for (const inbound of reader.read(chunk)) {
          if (this.#ending !== undefined) return
          this.#hear(inbound)
        }
    }
    socket.on('data', read)
    socket.once('close', () => this.#end(1006, ''))
    if (socket.destroyed) this.#end(1006, '')
    if (rest !== undefined && rest.length > 0) read(rest)
    socket.resume()
  }

  /** Whether the target answered 101. It says nothing about acceptance: servers refuse behind it, too. */
  get opened(): boolean {
    return this.answer.kind === 'answered' && this.answer.status === 101
  }

  /** Whether both sides can still speak. */
  get live(): boolean {
    return this.#ending === undefined
  }

  get ending(): Ending | undefined {
    return this.#ending
  }

  get exchange(): Exchange {
    return this.#recorder.exchange
  }

  /** Pongs that came back. */
  get pongs(): number {
    return this.#pongs
  }

  /** When the first pings of the target came: ages of the visit, at most 100. */
  get pingsAtMs(): readonly number[] {
    return this.#pingsAtMs
  }

  /** Milliseconds since the handshake was answered. */
  get ageMs(): number {
    return Math.round(performance.now() - this.#startedAt)
  }

  /** A line for the evidence that nobody sent. */
  note(text: string): void {
    this.#recorder.add('note', text)
  }

  /** Hides a value in the evidence. */
  hide(secret: string): void {
    this.#recorder.hide(secret)
  }

  /** A message by which one is judged, for the evidence. */
  mark(message: Message): void {
    if (message.kind === 'text') this.#recorder.mark(message.text)
  }

  /** Sends one message. */
  send(data: string | Uint8Array): void {
    const isText = typeof data === 'string'
    this.#recorder.add('scanner', isText ? data : `${data.length} bytes, binary`)
    this.#write(
      writeFrame({
        opcode: isText ? opcodes.text : opcodes.binary,
        payload: isText ? Buffer.from(data) : data,
      }),
    )
  }

  /** Sends one frame, however wrong, and says in the evidence what it is. */
  sendFrame(options: FrameOptions, saying: string): void {
    this.#recorder.add('scanner', saying)
    this.#write(writeFrame(options))
  }

  /** Sends many frames at once; the evidence has one line for them. */
  sendFrames(frames: readonly FrameOptions[], saying: string): void {
    this.#recorder.add('scanner', saying)
    this.#write(Buffer.concat(frames.map(writeFrame)))
  }

  /** Sends a ping and waits for a pong. @returns how long it took, milliseconds; `undefined` for none in time */
  async pinged(withinMs: number): Promise<number | undefined> {
    const before = this.#pongs
    const from = performance.now()
    this.#write(writeFrame({ opcode: opcodes.ping, payload: Buffer.from('audit') }))
    while (this.#pongs === before) {
      const left = from + withinMs - performance.now()
      if (this.#ending !== undefined || left <= 0) return undefined
      await this.#news(left)
    }
    return performance.now() - from
  }

  /** Stops reading, as a slow peer does. */
  stopReading(): void {
    this.#socket?.pause()
  }

  /** Reads on. */
  readOn(): void {
    this.#socket?.resume()
  }

  /** The next message; `undefined` when none comes in time, or none can come any more. */
  async next(withinMs: number): Promise<Message | undefined> {
    const until = performance.now() + withinMs
    for (;;) {
      const message = this.#queue.shift()
      if (message !== undefined) {
        this.#queuedBytes -= sizeOf(message)
        return message
      }
      const left = until - performance.now()
      if (this.#ending !== undefined || left <= 0) return undefined
      await this.#news(left)
    }
  }

  /** Waits for the end. @returns `undefined` when the socket is still open after that time */
  async closed(withinMs: number): Promise<Ending | undefined> {
    const until = performance.now() + withinMs
    while (this.#ending === undefined) {
      const left = until - performance.now()
      if (left <= 0) return undefined
      await this.#news(left)
    }
    return this.#ending
  }

  /** Says goodbye, and cuts the connection when the target does not answer. */
  async leave(): Promise<void> {
    if (this.#socket === undefined) return
    if (this.#ending === undefined) {
      this.#write(writeFrame({ opcode: opcodes.close, payload: closePayload(1000) }))
      this.#socket.resume()
      await this.closed(partingMs)
    }
    this.#socket.destroy()
  }

  #write(bytes: Buffer): void {
    if (this.#socket?.writable === true) this.#socket.write(bytes)
  }

  #hear(inbound: Inbound): void {
    if (this.#ending !== undefined) return
    if (inbound.kind === 'text' || inbound.kind === 'binary') {
      this.#recorder.add(
        'target',
        inbound.kind === 'text' ? inbound.text : `${inbound.bytes.length} bytes, binary`,
      )
      this.#queuedBytes += sizeOf(inbound)
      if (this.#queue.length >= maxQueued || this.#queuedBytes > maxQueuedBytes) {
        this.#cut('the target floods the scanner')
        return
      }
      this.#queue.push(inbound)
      this.#wake()
    } else if (inbound.kind === 'ping') {
      if (this.#pingsAtMs.length < maxPingsKept) this.#pingsAtMs.push(this.ageMs)
      if (this.attempt.ignoresPings !== true)
        this.#write(writeFrame({ opcode: opcodes.pong, payload: inbound.bytes }))
    } else if (inbound.kind === 'pong') {
      this.#pongs += 1
      this.#wake()
    } else if (inbound.kind === 'broken') this.#cut(`the target breaks RFC 6455: ${inbound.why}`)
    else {
      this.#write(writeFrame({ opcode: opcodes.close, payload: closePayload(1000) }))
      this.#end(inbound.code, inbound.reason)
      this.#socket?.end()
      setTimeout(() => this.#socket?.destroy(), partingMs).unref()
    }
  }

  #cut(why: string): void {
    this.#end(1006, '', why)
    this.#socket?.destroy()
  }

  #end(code: number, reason: string, why?: string): void {
    if (this.#ending !== undefined) return
    this.#ending = { code, reason, atMs: this.ageMs, ...(why === undefined ? {} : { why }) }
    if (this.#socket !== undefined)
      this.#recorder.add(
        'target',
        `closed: ${code}${reason === '' ? '' : ` ${reason}`}${why === undefined ? '' : `, ${why}`}`,
      )
    this.#wake()
  }

  /** Waits until something happens, or for a while. */
  async #news(withinMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, withinMs)
      this.#wakes.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  #wake(): void {
    for (const wake of this.#wakes.splice(0)) wake()
  }
}

function sizeOf(message: Message): number {
  return message.kind === 'text' ? message.text.length : message.bytes.length
}

/** What a handshake came to, and the bytes behind the head. */
interface Shaken {
  readonly answer: Answer
  readonly rest: Buffer | undefined
}

/** Sends the head and reads the answer; a refusal's body is read as far as it comes soon. */
function shake({ budget, patienceMs }: Lines, socket: Socket, head: string): Promise<Shaken> {
  return new Promise((resolve) => {
    let bytes = Buffer.alloc(0)
    let bodyTimer: NodeJS.Timeout | undefined
    const stop = (shaken: Shaken): void => {
      clearTimeout(timer)
      clearTimeout(bodyTimer)
      socket.removeAllListeners('data').pause()
      socket.off('close', onClose)
      resolve(shaken)
    }
    const fail = (why: 'timeout' | 'reset' | 'garbage', detail: string): void =>
      stop({ answer: { kind: 'failed', why, detail }, rest: undefined })
    const timer = setTimeout(() => fail('timeout', `no answer within ${patienceMs} ms`), patienceMs)
    const refusal = (): boolean => {
      const read = readHead(bytes)
      if (typeof read === 'string') return false
      const { status, headers, rest } = read
      const body = rest.subarray(0, maxBodyBytes).toString('utf8')
      stop({ answer: { kind: 'answered', status, headers, body }, rest: undefined })
      return true
    }
    const onClose = (): void => {
      if (!refusal())
        fail('reset', bytes.length === 0 ? 'closed without an answer' : 'closed within the answer')
    }
    socket.once('close', onClose)
    if (socket.destroyed) onClose()
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk])
      if (!budget.spend(chunk.length)) socket.destroy()
      const read = readHead(bytes)
      if (read === 'garbage') fail('garbage', 'what came back is not HTTP/1.1')
      if (typeof read === 'string') return
      const { status, headers, rest } = read
      if (status === 101) stop({ answer: { kind: 'answered', status, headers, body: '' }, rest })
      else if (rest.length >= Math.min(maxBodyBytes, Number(headerOf(headers, 'content-length') ?? Infinity)))
        refusal()
      else if (bytes.length > maxHeadBytes + maxBodyBytes) refusal()
      else bodyTimer ??= setTimeout(refusal, bodyPatienceMs)
    })
    socket.write(head)
  })
}
