import { hasRealShape, readChallenge, signChallenge, type ChallengeExtra } from './challenge.ts'
import { Inbox, type Line } from './inbox.ts'
import { later, within } from './later.ts'
import { accepted, type Measured } from './outcome.ts'
import type { Plan, Prover } from './plan.ts'
import { randomText } from './random-text.ts'

/** What one connection attempt came to. */
export interface Knock {
  readonly measured: Measured
  /** Every text frame that came, in order; bounded. */
  readonly frames: readonly string[]
  readonly protocol: string
  /** Whom the greeting named. */
  readonly greeted: string | undefined
  readonly signature: string
  /** Whether the challenge looked like a real user's; `undefined` when none came. */
  readonly realShape: boolean | undefined
  /** Resolves when the socket closes; immediately when it never opened. */
  readonly closed: Promise<Measured>
  /** Numbered messages that have come so far. */
  readonly ticks: Ticks
  /** Whether the open socket answers, now. */
  readonly answers: () => Promise<boolean>
  /** What may be said on the open socket besides; `undefined` where this page holds none. */
  readonly line: Line | undefined
  /** Where the client can lose its connection and come back to the same socket; `undefined` where it cannot. */
  readonly path?: Path
  readonly close: () => void
}

/** The connection under a socket that outlives it. */
export interface Path {
  /** Cuts it. */
  readonly lose: () => Promise<unknown>
  /** Connects again without a credential, as the socket that was. */
  readonly comeBack: () => Promise<Measured>
}

/** The numbered messages of a socket; it grows while they come. */
export interface Ticks {
  count: number
  /** The last one's number. */
  last: number
  /** How long the lease still held when it was sent, ms, by the server's clock; `undefined` where it does not say. */
  leftMs: number | undefined
  /** When it came, by this page's clock, ms since the epoch. */
  atMs: number
}

/** No message yet. */
export function noTicks(): Ticks {
  return { count: 0, last: 0, leftMs: undefined, atMs: 0 }
}

/** Options of an attempt. */
export interface KnockOptions {
  /** Longest wait for an outcome, ms. */
  readonly patienceMs: number
  /** Messages to send behind the credential; they must come back in this order. */
  readonly behind: readonly string[]
}

const maxFrames = 50

/** How long an open socket may take to answer, ms. */
const answerMs = 3_000

/** WebKit may leave a fetch pending whose TLS handshake failed. */
const warmUpMs = 3_000

/** WebKit may fire `error` and never `close`. */
const graceAfterErrorMs = 1_500

/** Opens a socket by plan and waits until it has greeted and echoed, or is closed, or patience ends. Never throws. */
export async function knock(plan: Plan, options: KnockOptions): Promise<Knock> {
  if (plan.warmUp !== undefined) await warmUp(plan.warmUp)
  try {
    const socket = new WebSocket(plan.url, [...plan.protocols])
    return await new Attempt(socket, plan, options).settled
  } catch (error) {
    return nothing({ kind: 'unsettled', why: error instanceof Error ? error.name : 'the browser refuses' })
  }
}

/**
 * Fetches with credentials what a socket will be opened to: Chromium then offers its client certificate to the socket as
 * well. Never throws.
 */
export async function warmUp(url: string): Promise<void> {
  try {
    await fetch(url, { credentials: 'include', mode: 'no-cors', signal: AbortSignal.timeout(warmUpMs) })
  } catch {
    // No certificate, or an authority that is not trusted: the socket will tell.
  }
}

function nothing(measured: Measured): Knock {
  const closed = Promise.resolve(measured)
  const none = { frames: [], protocol: '', greeted: undefined, signature: '', realShape: undefined }
  const answers = (): Promise<boolean> => Promise.resolve(false)
  return { measured, ...none, closed, ticks: noTicks(), answers, line: undefined, close: () => undefined }
}

class Attempt {
  readonly settled: Promise<Knock>
  readonly #socket: WebSocket
  readonly #plan: Plan
  readonly #frames: string[] = []
  readonly #awaited: string[]
  readonly #closed = later<Measured>()
  readonly #outcome = later<Measured>()
  readonly #ticks = noTicks()
  readonly #questions = new Map<string, () => void>()
  readonly #inbox = new Inbox()
  #opened = false
  #greeted: string | undefined
  #signature = ''
  #challenge: ChallengeExtra | undefined

  constructor(socket: WebSocket, plan: Plan, options: KnockOptions) {
    this.#socket = socket
    this.#plan = plan
    this.#awaited = [...options.behind, `echo ${Math.random().toString(36).slice(2)}`]
    const timer = setTimeout(() => this.#giveUp(options.patienceMs), options.patienceMs)
    socket.addEventListener('open', () => this.#begin(options.behind))
    socket.addEventListener('message', ({ data }) => this.#hear(String(data)))
    socket.addEventListener('close', ({ code, reason }) => this.#end(code, reason))
    socket.addEventListener('error', () => setTimeout(() => this.#end(1006, ''), graceAfterErrorMs))
    this.settled = this.#outcome.promise.then((measured) => {
      clearTimeout(timer)
      return this.#tell(measured)
    })
  }

  #begin(behind: readonly string[]): void {
    this.#opened = true
    for (const message of [...this.#plan.first, ...behind]) this.#socket.send(message)
  }

  #hear(text: string): void {
    if (this.#hearTick(text)) return
    this.#questions.get(text)?.()
    if (this.#frames.length < maxFrames) this.#frames.push(text)
    const name = /^Hello (.+)!$/.exec(text)?.[1]
    if (name !== undefined && this.#greeted === undefined) {
      this.#greeted = name
      this.#socket.send(this.#awaited.at(-1) ?? '')
      return
    }
    if (this.#greeted !== undefined) {
      this.#hearEcho(text)
      if (text.startsWith('{')) this.#inbox.put(parseObject(text))
    } else if (text.startsWith('{"type":"auth_expiring"')) {
      // A lease that is short, or a slow machine: the warning is due before the application has said a word.
      this.#inbox.put(parseObject(text))
    } else void this.#answer(text)
  }

  #hearTick(text: string): boolean {
    const [, number, leftMs] = /^tick (\d+) (-?\d+)$/.exec(text) ?? []
    if (number === undefined) return false
    this.#ticks.count++
    this.#ticks.last = Number(number)
    this.#ticks.leftMs = Number(leftMs)
    this.#ticks.atMs = Date.now()
    return true
  }

  /** By the echo of a word of its own. */
  async #answers(): Promise<boolean> {
    if (this.#socket.readyState !== WebSocket.OPEN) return false
    const question = `still there ${randomText().slice(0, 8)}`
    const heard = later<boolean>()
    this.#questions.set(question, () => heard.resolve(true))
    this.#socket.send(question)
    const answered = await within(answerMs, heard.promise, false)
    this.#questions.delete(question)
    return answered
  }

  #hearEcho(text: string): void {
    if (text !== this.#awaited[0]) return
    this.#awaited.shift()
    if (this.#awaited.length === 0) this.#outcome.resolve(accepted)
  }

  async #answer(text: string): Promise<void> {
    const { prover } = this.#plan
    const challenge = text.startsWith('{') ? readChallenge(parseObject(text)) : undefined
    if (prover === undefined || challenge === undefined) return
    this.#challenge = challenge
    this.#signature = await signatureBy(prover, challenge)
    if (this.#socket.readyState === WebSocket.OPEN) {
      this.#socket.send(JSON.stringify({ type: 'authenticate', signature: this.#signature }))
    }
  }

  #end(code: number, reason: string): void {
    const measured = outcomeOfClose(code, reason, this.#opened)
    this.#closed.resolve(measured)
    this.#outcome.resolve(measured)
  }

  #giveUp(patienceMs: number): void {
    const what = this.#greeted === undefined ? (this.#opened ? 'open, but silent' : 'no answer') : 'no echo'
    this.#outcome.resolve({ kind: 'unsettled', why: `${what} for ${Math.round(patienceMs / 1_000)} s` })
    this.#socket.close()
  }

  #tell(measured: Measured): Knock {
    return {
      measured,
      frames: this.#frames,
      protocol: this.#socket.protocol,
      greeted: this.#greeted,
      signature: this.#signature,
      realShape: this.#challenge === undefined ? undefined : hasRealShape(this.#challenge),
      closed: this.#closed.promise,
      ticks: this.#ticks,
      answers: () => this.#answers(),
      line: {
        say: (text) => this.#socket.send(text),
        hear: (types, ms) => this.#inbox.take(types, ms),
      },
      close: () => this.#socket.close(1000),
    }
  }
}

/** What this prover answers to a challenge. */
export function signatureBy(prover: Prover, challenge: ChallengeExtra): Promise<string> | string {
  return prover.kind === 'secret' ? signChallenge(prover.secret, challenge) : prover.signature
}

function outcomeOfClose(code: number, reason: string, opened: boolean): Measured {
  if (code === 1006 || code === 1015) {
    return opened ? { kind: 'unsettled', why: 'lost after opening' } : { kind: 'failed', code }
  }
  return { kind: 'closed', code, reason }
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}
