/** One connection: from an attempt to its end, with what is said in between about credentials. */
import type { Clock } from '../core/ports.ts'
import type { Ending } from './advice.ts'
import type { BaseEvent, BaseSocket, BaseSocketClass } from './base.ts'
import type { Attempt, Talk } from './carrier.ts'
import { after } from './clock.ts'
import { UnanswerableChallenge } from './errors.ts'
import { parseFrame, type ServerFrame } from './frames.ts'

/** What a lease is known to be. */
export interface Granted {
  readonly lease: string | undefined
  readonly leaseMs: number | undefined
}

/** How a renewal in band came out. */
export type Renewed =
  | { readonly kind: 'renewed'; readonly granted: Granted }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'silent' }

/** Who hears of a connection. */
export interface ConnectionEars {
  /** The server has accepted; messages may be sent. Called at most once, before any message. */
  accepted(granted: Granted): void
  message(event: BaseEvent): void
  /** The server wants a fresh credential. */
  expiring(): void
  /** What the server wants answered is not; the connection may be over. */
  unanswered(error: UnanswerableChallenge): void
  /** It is over. Called exactly once unless the connection was dropped. */
  ended(ending: Ending): void
}

/** What a connection is lent. */
export interface ConnectionOptions {
  readonly base: BaseSocketClass
  readonly clock: Clock
  readonly binaryType: string
  /** A refused browser is let in and closed at once: until then an open socket is not taken for an accepted one. */
  readonly probationMs: number
}

/** An `error` without a `close` behind it counts as one after this: WebKit does so with mixed content. */
const closeOverdueMs = 1_000
/** A server that has refused closes by itself; ours takes 0.9 s at most. */
const refusalOverdueMs = 2_000
/** A closing handshake that is not answered. */
const closingOverdueMs = 10_000
/** How long an answer to a renewal may take. */
const renewalMs = 10_000

/** Says nothing about itself to a log: the URL in it may hold a credential. */
export class Connection {
  readonly #base: BaseSocket
  readonly #clock: Clock
  readonly #ears: ConnectionEars
  #talk: Talk | undefined
  #status: number | undefined = undefined
  #refusal: string | undefined = undefined
  #accepted = false
  #over = false
  #renewal: ((renewed: Renewed) => void) | undefined = undefined
  #overdue: (() => void) | undefined = undefined
  #probation: { readonly stop: () => void; readonly accept: () => void } | undefined = undefined

  /** @throws whatever the base throws at a URL or a subprotocol that it does not take; it may show them */
  constructor(attempt: Attempt, ears: ConnectionEars, options: ConnectionOptions) {
    const { base, clock, binaryType, probationMs } = options
    this.#ears = ears
    this.#clock = clock
    this.#talk = attempt.talk
    const socket = new base(attempt.url, [...attempt.protocols])
    this.#base = socket
    socket.binaryType = binaryType
    const granted = { lease: attempt.lease, leaseMs: attempt.leaseMs }
    socket.addEventListener('open', () => this.#opened(granted, probationMs))
    socket.addEventListener('message', (event) => this.#heard(event))
    socket.addEventListener('error', (event) => this.#failed(event.message))
    socket.addEventListener('close', (event) => this.#closed(event))
  }

  get base(): BaseSocket {
    return this.#base
  }

  /** Whether the lease is renewed on the socket itself. */
  get renewsInBand(): boolean {
    return this.#talk?.replies === true
  }

  /** Shows a fresh credential on the open socket. One at a time. */
  renew(talk: Talk): Promise<Renewed> {
    this.#talk = talk
    return new Promise((resolve) => {
      const giveUp = after(this.#clock, renewalMs, () => this.#settleRenewal({ kind: 'silent' }))
      this.#renewal = (renewed) => {
        giveUp()
        resolve(renewed)
      }
      this.#base.send(talk.first)
    })
  }

  /** Begins the closing handshake. */
  close(code: number | undefined, reason: string | undefined): void {
    this.#expectClose(closingOverdueMs)
    if (code === undefined) this.#base.close()
    else this.#base.close(code, reason)
  }

  /** Lets go of it: nothing is heard of it any more. */
  drop(): void {
    this.#finish()
    // Bases that are still connecting report that as an error, which nobody hears.
    this.#base.close()
  }

  #opened(granted: Granted, probationMs: number): void {
    if (this.#over) return
    if (this.#talk !== undefined) this.#base.send(this.#talk.first)
    if (this.#talk?.replies === true) return
    const accept = (): void => {
      stop()
      this.#accept(granted)
    }
    const stop = after(this.#clock, probationMs, accept)
    this.#probation = { stop, accept }
  }

  #accept(granted: Granted): void {
    this.#probation = undefined
    this.#accepted = true
    this.#ears.accepted(granted)
  }

  #heard(event: BaseEvent): void {
    if (this.#over) return
    const frame = this.renewsInBand ? parseFrame(event.data) : undefined
    if (frame === undefined || !this.#takes(frame)) {
      // Where acceptance is not told, the application's first word tells it; where it is, nobody else speaks before.
      this.#probation?.accept()
      if (this.#accepted) this.#ears.message(event)
    }
  }

  /** @returns whether the frame was for us: where nobody waits for an answer, it is the application's text */
  #takes(frame: ServerFrame): boolean {
    if (frame.kind === 'auth_expiring') {
      this.#ears.expiring()
      return true
    }
    if (this.#accepted && this.#renewal === undefined) return false
    if (frame.kind === 'challenge') this.#answer(frame.method, frame.extra)
    else if (frame.kind === 'auth_ok') this.#granted(frame)
    else if (this.#accepted) this.#settleRenewal({ kind: 'refused', reason: frame.reason })
    else {
      this.#refusal = frame.reason
      this.#expectClose(refusalOverdueMs)
    }
    return true
  }

  #granted({ lease, leaseMs, extra }: Granted & { readonly extra: unknown }): void {
    if (this.#talk?.confirms?.(extra) === false)
      this.#mistrust(new UnanswerableChallenge('the server proves nothing'))
    else if (this.#accepted) this.#settleRenewal({ kind: 'renewed', granted: { lease, leaseMs } })
    else this.#accept({ lease, leaseMs })
  }

  #answer(method: unknown, extra: unknown): void {
    const answered = this.#talk?.answer?.(method, extra) ?? Promise.reject(new Error('no answer'))
    answered.then(
      (text) => {
        if (!this.#over) this.#base.send(text)
      },
      (error: unknown) => {
        const known = error instanceof UnanswerableChallenge
        // Of others the words are not known: they may hold a secret.
        const told = known ? error : new UnanswerableChallenge('no answer')
        if (!this.#accepted) this.#mistrust(told)
        else if (!this.#over) {
          this.#ears.unanswered(told)
          this.#settleRenewal({ kind: 'silent' })
        }
      },
    )
  }

  /** The server asks for what we cannot do, or is not who it should be, however often we come. */
  #mistrust(error: UnanswerableChallenge): void {
    if (this.#over) return
    this.#ears.unanswered(error)
    this.#end({ code: 1002, reason: 'unanswerable_challenge', wasClean: false })
  }

  #settleRenewal(renewed: Renewed): void {
    const settle = this.#renewal
    this.#renewal = undefined
    settle?.(renewed)
  }

  /** The package `ws` tells the status of a refused upgrade, and nothing else of the message is used. */
  #failed(message: unknown): void {
    if (this.#over) return
    const status = /^Unexpected server response: (\d{3})$/.exec(String(message))?.[1]
    if (status !== undefined) this.#status = Number(status)
    this.#expectClose(closeOverdueMs)
  }

  #expectClose(withinMs: number): void {
    this.#overdue ??= after(this.#clock, withinMs, () =>
      this.#end({ code: 1006, reason: '', wasClean: false }),
    )
  }

  #closed({ code = 1006, reason = '', wasClean = false }: BaseEvent): void {
    this.#end({ code, reason, wasClean, status: this.#status })
  }

  #end(ending: Ending): void {
    if (this.#over) return
    this.#finish()
    this.#base.close()
    // What the server said outlives a close that was lost on its way.
    const refused = this.#refusal !== undefined && ending.code === 1006
    this.#ears.ended(refused ? { code: 3000, reason: this.#refusal ?? '', wasClean: false } : ending)
  }

  #finish(): void {
    this.#over = true
    this.#overdue?.()
    this.#probation?.stop()
    this.#settleRenewal({ kind: 'silent' })
  }
}
