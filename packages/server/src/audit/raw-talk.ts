/** A connection on which anything may be written, byte by byte: for requests that no handshake is. */
import type { Socket } from 'node:net'
import { readHead, type Head } from './answer.ts'
import { dial, type TlsOptions } from './dial.ts'
import { Recorder, type Exchange } from './exchange.ts'
import type { VisitNeeds } from './visit.ts'

const maxKeptBytes = 262_144

/** One raw connection. Whoever opens one leaves it. */
export class RawTalk {
  readonly #socket: Socket | undefined
  readonly #recorder: Recorder
  readonly #startedAt = performance.now()
  #heard: Buffer = Buffer.alloc(0)
  #endedAtMs: number | undefined
  #wakes: (() => void)[] = []

  /** Connects. A connection that fails is over at once. @throws BudgetSpent, OutOfScope, Unresolved */
  static async open(needs: VisitNeeds, url: URL, tls: TlsOptions = {}): Promise<RawTalk> {
    const recorder = new Recorder(needs.masking)
    const dialled = await dial(needs, url, tls)
    if (dialled.kind === 'failed') recorder.add('note', `no connection: ${dialled.why} (${dialled.detail})`)
    return new RawTalk(needs, recorder, dialled.kind === 'connected' ? dialled.socket : undefined)
  }

  private constructor(needs: VisitNeeds, recorder: Recorder, socket: Socket | undefined) {
    this.#recorder = recorder
    this.#socket = socket
    if (socket === undefined || socket.destroyed) {
      this.#endedAtMs = 0
      return
    }
    socket.on('data', (chunk: Buffer) => {
      if (!needs.budget.spend(chunk.length)) socket.destroy()
      if (this.#heard.length < maxKeptBytes) this.#heard = Buffer.concat([this.#heard, chunk])
      this.#wake()
    })
    socket.once('end', () => this.#end())
    socket.once('close', () => this.#end())
  }

  /** Whether there was a connection at all. */
  get connected(): boolean {
    return this.#socket !== undefined
  }

  /** Whether the target has not closed it. */
  get live(): boolean {
    return this.#endedAtMs === undefined
  }

  /** When the target closed, milliseconds after the connection; `undefined` while it has not. */
  get endedAtMs(): number | undefined {
    return this.#endedAtMs
  }

  /** Everything that came back, as far as it is kept. */
  get heard(): Buffer {
    return this.#heard
  }

  get exchange(): Exchange {
    return this.#recorder.exchange
  }

  /** Writes, and says in the evidence what it is. */
  write(bytes: string | Uint8Array, saying?: string): void {
    this.#recorder.add('scanner', saying ?? String(bytes).trimEnd())
    if (this.#socket?.writable === true) this.#socket.write(bytes)
  }

  /** Puts what came back into the evidence. */
  hears(text: string): void {
    this.#recorder.add('target', text)
  }

  note(text: string): void {
    this.#recorder.add('note', text)
  }

  /** Waits for the head of an HTTP answer. @returns `undefined` for none in time, and for what is none */
  async head(withinMs: number): Promise<Head | undefined> {
    const until = performance.now() + withinMs
    for (;;) {
      const head = readHead(this.#heard)
      if (typeof head !== 'string') {
        const fields = head.headers.map(([name, value]) => `${name}: ${value}`)
        this.#recorder.add('target', [`HTTP/1.1 ${head.status}`, ...fields].join('\n'))
        return head
      }
      const left = until - performance.now()
      if (head === 'garbage' || left <= 0 || !this.live) return undefined
      await this.#news(left)
    }
  }

  /** Waits for the target to close. @returns whether it did in time */
  async closed(withinMs: number): Promise<boolean> {
    const until = performance.now() + withinMs
    while (this.live) {
      const left = until - performance.now()
      if (left <= 0) return false
      await this.#news(left)
    }
    return true
  }

  /** Cuts the connection. */
  leave(): void {
    this.#socket?.destroy()
  }

  #end(): void {
    if (this.#endedAtMs !== undefined) return
    this.#endedAtMs = Math.round(performance.now() - this.#startedAt)
    this.#recorder.add('target', 'closed the connection')
    this.#wake()
  }

  #wake(): void {
    for (const wake of this.#wakes.splice(0)) wake()
  }

  async #news(withinMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, withinMs)
      this.#wakes.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }
}
