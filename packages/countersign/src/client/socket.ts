/** A WebSocket that says who it is, keeps its lease alive, and comes back as the server advises. */
import type { Advice } from '../core/reasons.ts'
import { adviceAfter, type Ending } from './advice.ts'
import { pauseMs } from './backoff.ts'
import type { BaseEvent } from './base.ts'
import type { Attempt } from './carrier.ts'
import { after } from './clock.ts'
import { Connection, type Granted } from './connection.ts'
import { ConnectionFailed, OutboxOverflow, RetryLater, Unauthorized } from './errors.ts'
import { closeEvent, errorEvent, eventOf, messageEvent } from './events.ts'
import { SocketTarget } from './event-target.ts'
import { settledMs } from './memory.ts'
import { Outbox, type Sendable } from './outbox.ts'
import { Renewal } from './renewal.ts'
import { settingsOf, socketUrl, type Settings, type SocketOptions } from './socket-options.ts'
import { WakeWatch } from './wake.ts'

const lost: Ending = { code: 1006, reason: '', wasClean: false }

/**
 * As a `WebSocket`, with these differences. `open` comes when the server has accepted, and again after every
 * reconnection; `close` comes once, at the end; `reconnecting` comes in between. With `reconnect`, `send` takes messages
 * at any time and keeps a bounded number of them while there is no connection. `lease` tells of the lease.
 */
export class CountersignSocket extends SocketTarget {
  readonly #settings: Settings
  readonly #url: string
  readonly #watch: WakeWatch
  readonly #outbox: Outbox
  #binaryType: 'blob' | 'arraybuffer' = 'blob'
  #readyState: 0 | 1 | 2 | 3 = 0
  #connection: Connection | undefined = undefined
  #attempt: Attempt | undefined = undefined
  #renewal: Renewal | undefined = undefined
  /** After a sleep: nothing is sent before the server has said that we are still welcome. */
  #held = false
  /** Whether an attempt is under way. */
  #trying = false
  /** Whether the newest attempt came to an open connection: the loss of one is no `error`, as in the standard. */
  #opened = false
  /** Counts attempts: what belongs to an earlier one comes too late. */
  #serial = 0
  #abort = new AbortController()
  /** The timer of the phase: deadline of an attempt, pause before the next, or the time until a connection has held. */
  #timer: (() => void) | undefined = undefined

  /**
   * Connects.
   * @throws DOMException `SyntaxError` for a URL that is none, TypeError where there is no WebSocket to build upon
   */
  constructor(url: string | URL, options: SocketOptions) {
    super()
    this.#settings = settingsOf(options)
    this.#url = socketUrl(url)
    this.#outbox = new Outbox(this.#settings.outbox)
    const ears = {
      woke: () => this.#woke(),
      looked: (gapMs: number, now: number) => this.#looked(gapMs, now),
      online: () => this.#online(),
    }
    this.#watch = new WakeWatch(ears, this.#settings.surroundings, this.#settings)
    // Listeners are set after construction.
    queueMicrotask(() => this.#begin())
  }

  /** As given: what a carrier adds for an attempt is not in it. */
  get url(): string {
    return this.#url
  }

  get readyState(): 0 | 1 | 2 | 3 {
    return this.#readyState
  }

  get protocol(): string {
    return this.#connection?.base.protocol ?? ''
  }

  get extensions(): string {
    return this.#connection?.base.extensions ?? ''
  }

  /** Bytes that wait, for a connection or in it. */
  get bufferedAmount(): number {
    return this.#outbox.bytes + (this.#connection?.base.bufferedAmount ?? 0)
  }

  get binaryType(): 'blob' | 'arraybuffer' {
    return this.#binaryType
  }
  set binaryType(type: 'blob' | 'arraybuffer') {
    if (type !== 'blob' && type !== 'arraybuffer') return
    this.#binaryType = type
    if (this.#connection !== undefined) this.#connection.base.binaryType = type
  }

  /**
   * Sends a message, or keeps it while there is no connection. What finds no room is not sent: an `error` event with an
   * `OutboxOverflow` says so. After `close` messages are dropped, as in the standard.
   * @throws DOMException `InvalidStateError` before `open`, without `reconnect`
   */
  send(data: Sendable): void {
    if (this.#readyState > 1) return
    if (this.#readyState === 0 && !this.#settings.reconnect) {
      throw new DOMException('still connecting', 'InvalidStateError')
    }
    this.#watch.look()
    if (this.#readyState === 1 && !this.#held) this.#connection?.base.send(data)
    else if (!this.#outbox.put(data)) this.#error(new OutboxOverflow('no room for a message', 1))
  }

  /**
   * Closes, for good.
   * @throws DOMException `InvalidAccessError` for a code other than 1000 and 3000 to 4999, `SyntaxError` for a reason of
   * more than 123 bytes
   */
  close(code?: number, reason?: string): void {
    if (code !== undefined && code !== 1000 && !(code >= 3000 && code <= 4999)) {
      throw new DOMException('this code may not be sent', 'InvalidAccessError')
    }
    if (reason !== undefined && new TextEncoder().encode(reason).length > 123) {
      throw new DOMException('the reason is too long', 'SyntaxError')
    }
    if (this.#readyState > 1) return
    const open = this.#readyState === 1
    this.#readyState = 2
    this.#renewal?.stop()
    if (open) this.#connection?.close(code ?? (reason === undefined ? undefined : 1000), reason)
    else {
      this.#leave()
      queueMicrotask(() => this.#finish(lost))
    }
  }

  /** Shows a fresh credential now, without waiting for its time. @returns whether the lease was renewed */
  renew(): Promise<boolean> {
    return this.#renewal?.renew() ?? Promise.resolve(false)
  }

  /** Begins an attempt as soon as that is allowed. */
  #begin(): void {
    const { memory, clock, pauses } = this.#settings
    if (this.#readyState !== 0) return
    if (memory.stopped !== undefined) {
      this.#finish(memory.stopped)
      return
    }
    const waitMs = this.#watch.offline ? pauses.maxMs : memory.notBeforeMs - clock.now()
    if (waitMs > 0) this.#in(waitMs, () => void this.#connect())
    else void this.#connect()
  }

  async #connect(): Promise<void> {
    const { carrier, protocols, memory, attemptMs } = this.#settings
    const serial = ++this.#serial
    this.#trying = true
    this.#opened = false
    this.#abort = new AbortController()
    const { signal } = this.#abort
    this.#in(attemptMs, () => this.#dropped('retry'))
    try {
      const ask = { purpose: 'connect' as const, refused: memory.why, signal }
      const attempt = await carrier({ url: this.#url, protocols }, ask)
      if (serial !== this.#serial) return
      if (memory.hasRefused(attempt.credential)) throw new Unauthorized('this credential was refused before')
      this.#open(attempt)
    } catch (error) {
      if (serial === this.#serial) this.#unprepared(error)
    }
  }

  #open(attempt: Attempt): void {
    const binaryType = this.#binaryType
    this.#attempt = attempt
    const ears = {
      accepted: (granted: Granted) => this.#accepted(granted),
      message: ({ data, origin = '' }: BaseEvent) => void this.dispatchEvent(messageEvent(data, origin)),
      expiring: () => this.#renewal?.asked(),
      unanswered: (error: Error) => this.#error(error),
      ended: (ending: Ending) => this.#ended(ending),
    }
    try {
      this.#connection = new Connection(attempt, ears, { ...this.#settings, binaryType })
    } catch {
      // What was thrown may show the URL, and comes again however often we try.
      this.#stop(lost, new ConnectionFailed('URL, subprotocol or page do not allow this socket'))
    }
  }

  /** No credential could be had. */
  #unprepared(error: unknown): void {
    const { memory, clock } = this.#settings
    if (error instanceof Unauthorized) {
      this.#stop({ code: 3000, reason: memory.why ?? 'missing_credential', wasClean: false })
      return
    }
    this.#error(error instanceof Error ? error : new Error('no credential'))
    if (error instanceof RetryLater) memory.waitUntil(clock.now() + error.afterMs)
    this.#failed(lost, 'back_off', error instanceof RetryLater ? error.afterMs : undefined)
  }

  #accepted(granted: Granted): void {
    const { carrier, protocols, renewLease, memory, clock } = this.#settings
    const connection = this.#connection
    if (connection === undefined) return
    memory.accepted()
    this.#opened = true
    this.#in(settledMs, () => memory.settled())
    const target = { url: this.#url, protocols }
    const tell = (granted: Granted): void => void this.dispatchEvent(eventOf('lease', granted))
    const missed = (): void => this.#woke()
    const options = { carrier, target, renewLease, memory, clock, granted: tell, missed }
    this.#renewal = new Renewal(connection, options, granted)
    this.#held = false
    this.#readyState = 1
    this.#flush()
    this.dispatchEvent(new Event('open'))
    if (granted.leaseMs !== undefined) tell(granted)
  }

  #flush(): void {
    for (const message of this.#outbox.take()) this.#connection?.base.send(message)
  }

  #ended(ending: Ending): void {
    const { memory } = this.#settings
    const attempt = this.#attempt
    this.#leave()
    if (this.#readyState === 2) {
      this.#finish(ending)
      return
    }
    const advice = this.#settings.adviceAfter(ending) ?? adviceAfter(ending)
    if (advice !== 'new_credential') {
      this.#failed(ending, advice)
      return
    }
    const stillGood = ending.reason === 'lease_expired' && attempt?.outlivesLease === true
    const reason = ending.reason === '' ? 'invalid_credential' : ending.reason
    this.#failed(ending, memory.refused(stillGood ? undefined : attempt?.credential, reason))
  }

  /** An attempt came to nothing or a connection is gone: what now is in the advice. */
  #failed(ending: Ending, advice: Advice, afterMs?: number): void {
    const { memory, clock, random, pauses, reconnect } = this.#settings
    this.#leave()
    if (advice === 'stop' || advice === 'fix') {
      this.#stop(ending)
      return
    }
    if (advice !== 'new_credential') memory.failed()
    const failures = Math.max(0, memory.failures - 1)
    const delayMs = pauseMs(advice, { failures, afterMs, random }, pauses)
    // Whoever opens the next socket: not before the pause that the server asked for is over.
    if (advice !== 'new_credential' && advice !== 'retry') memory.waitUntil(clock.now() + delayMs)
    if (!reconnect) {
      this.#finish(ending)
      return
    }
    this.#readyState = 0
    const { code, reason } = ending
    this.#in(delayMs, () => this.#begin())
    this.dispatchEvent(eventOf('reconnecting', { code, reason, advice, delayMs }))
  }

  /** The connection is not to be trusted, or an attempt takes too long. */
  #dropped(advice: Advice): void {
    this.#leave()
    if (this.#readyState === 2) this.#finish(lost)
    else this.#failed(lost, advice)
  }

  #woke(): void {
    const renewal = this.#renewal
    if (this.#readyState !== 1 || renewal === undefined || this.#held) return
    this.#held = true
    void renewal.renew().then((good) => {
      if (renewal !== this.#renewal || this.#readyState !== 1) return
      this.#held = false
      if (good) this.#flush()
      else this.#dropped('retry')
    })
  }

  /** A nap that was too short to be noticed may have been too long for the lease. */
  #looked(gapMs: number, now: number): void {
    if (this.#renewal?.outslept(gapMs, now) === true) this.#woke()
  }

  #online(): void {
    const { random, pauses } = this.#settings
    if (this.#readyState === 1) this.#woke()
    else if (this.#readyState === 0 && !this.#trying) {
      // A whole building may come online at once.
      this.#in(random() * pauses.minMs, () => this.#begin())
    }
  }

  /** Lets go of connection, attempt and timers. */
  #leave(): void {
    this.#serial++
    this.#trying = false
    this.#abort.abort()
    this.#timer?.()
    this.#renewal?.stop()
    this.#connection?.drop()
    this.#renewal = this.#connection = this.#attempt = undefined
  }

  /** Ends, and lets nobody who shares the memory try again. */
  #stop(ending: Ending, error?: Error): void {
    this.#leave()
    this.#settings.memory.stop(ending)
    this.#finish(ending, error)
  }

  #finish({ code, reason, wasClean, status }: Ending, error?: Error): void {
    if (this.#readyState === 3) return
    const deliberate = this.#readyState === 2
    this.#readyState = 3
    this.#leave()
    this.#watch.stop()
    const unsent = this.#outbox.take().length
    if (unsent > 0) this.#error(new OutboxOverflow('messages were not sent', unsent))
    if (error !== undefined) this.#error(error)
    else if (code === 1006 && !deliberate && !this.#opened)
      this.#error(new ConnectionFailed('no connection', status))
    this.dispatchEvent(closeEvent(code, reason, wasClean))
  }

  #error(error: Error): void {
    this.dispatchEvent(errorEvent(error))
  }

  #in(ms: number, run: () => void): void {
    this.#timer?.()
    this.#timer = after(this.#settings.clock, ms, run)
  }
}
