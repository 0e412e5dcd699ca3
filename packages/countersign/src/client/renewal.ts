/** Keeps a lease alive: at four fifths of it, when the server asks, and after a sleep. */
import type { Clock } from '../core/ports.ts'
import type { Ask, Attempt, Carrier, Target } from './carrier.ts'
import { after } from './clock.ts'
import type { Connection, Granted } from './connection.ts'
import { Unauthorized } from './errors.ts'
import type { CredentialMemory } from './memory.ts'

/** What a lease is renewed with outside the socket. */
export interface RenewAsk {
  /** Its id, where server or issuer said it. */
  readonly lease: string | undefined
  readonly signal: AbortSignal
}

/**
 * Renews a lease without the socket, for instance by `POST /countersign/leases/{id}/refresh` (see `renewLeaseAt`).
 * @returns how long the lease lasts from now on, ms
 */
export type RenewLease = (ask: RenewAsk) => Promise<number>

/** What renewal is lent. */
export interface RenewalOptions {
  readonly carrier: Carrier
  readonly target: Target
  readonly renewLease: RenewLease | undefined
  readonly memory: CredentialMemory
  readonly clock: Clock
  /** The lease is longer now. */
  readonly granted: (granted: Granted) => void
  /** The time to renew has come too late: we slept past the end. */
  readonly missed: () => void
}

/** A lease is renewed when this much of it is over. */
const dueAt = 0.8
/** The shortest pause before a renewal by our own clock, ms. */
const leastMs = 200
/** What a server, or somebody's text that looks like it, asks for comes no sooner after the last renewal than this, ms. */
const askedMs = 5_000
/** Ends are told in whole seconds. */
const movedMs = 1_000
/** Renewal outside the socket, and the asking for a credential, take no longer, ms. */
const patienceMs = 10_000
/** Whoever is awake looks at the time oftener than this, ms. */
const napMs = 30_000
/** What is assumed where nothing better is known after a failure, ms. */
const unknownMs = 30_000

/** For one connection; `stop` ends it. */
export class Renewal {
  readonly #connection: Connection
  readonly #options: RenewalOptions
  #lease: string | undefined = undefined
  #untilMs: number | undefined = undefined
  /** When it is over even if seconds were rounded; never where no time at all was told. */
  #overMs = Infinity
  /** When it should have been renewed. */
  #dueMs = Infinity
  #timer: (() => void) | undefined = undefined
  #running: Promise<boolean> | undefined = undefined
  #lastMs = -Infinity
  #refused: string | undefined = undefined
  #refusals = 0
  #over = false

  constructor(connection: Connection, options: RenewalOptions, granted: Granted) {
    this.#connection = connection
    this.#options = options
    this.#take(granted, options.clock.now())
  }

  /** Whether there is a way to renew at all. */
  get possible(): boolean {
    return !this.#over && this.#refusals < 2 && (this.#inBand || this.#options.renewLease !== undefined)
  }

  /**
   * Whether we slept past the end, so that nothing is to be said before the server has said that we are still welcome.
   * Who was awake has tried to renew it in time, or cannot.
   * @param gapMs for how long nothing ran, as far as it is known
   */
  outslept(gapMs: number, now: number): boolean {
    if (now < this.#overMs) return false
    return this.possible ? this.#lastMs < this.#dueMs : gapMs >= napMs
  }

  get #isOver(): boolean {
    return this.#options.clock.now() >= this.#overMs
  }

  get #inBand(): boolean {
    return this.#connection.renewsInBand
  }

  /** The server asks. */
  asked(): void {
    const waitMs = this.#lastMs + askedMs - this.#options.clock.now()
    if (waitMs > 0) this.#schedule(waitMs)
    else void this.renew()
  }

  /** Renews now; calls at the same time share one. @returns whether the lease is good */
  renew(): Promise<boolean> {
    if (!this.possible) return Promise.resolve(false)
    this.#running ??= this.#run().finally(() => (this.#running = undefined))
    return this.#running
  }

  /** Nothing is renewed any more. */
  stop(): void {
    this.#over = true
    this.#timer?.()
  }

  /**
   * An end that a renewal did not move cannot be moved: it is not asked for again until the server asks.
   * @param sinceMs the answer was given at this instant or later; it may have been read much later
   */
  #take({ lease, leaseMs }: Granted, sinceMs: number): void {
    this.#lease = lease ?? this.#lease
    if (leaseMs === undefined || !Number.isFinite(leaseMs)) return
    const untilMs = sinceMs + leaseMs
    const moved = this.#untilMs === undefined || untilMs > this.#untilMs + movedMs
    this.#untilMs = untilMs
    this.#overMs = leaseMs < movedMs ? Infinity : untilMs + movedMs
    this.#dueMs = sinceMs + leaseMs * dueAt
    this.#timer?.()
    if (moved && this.possible) this.#schedule(leaseMs * dueAt)
  }

  #schedule(ms: number): void {
    this.#timer?.()
    this.#timer = after(this.#options.clock, Math.max(leastMs, ms), () => {
      if (this.outslept(0, this.#options.clock.now())) this.#options.missed()
      else void this.renew()
    })
  }

  async #run(): Promise<boolean> {
    this.#lastMs = this.#options.clock.now()
    const patience = new AbortController()
    const giveUp = after(this.#options.clock, patienceMs, () => patience.abort())
    const aborted = new Promise<undefined>((resolve) => {
      patience.signal.addEventListener('abort', () => resolve(undefined))
    })
    try {
      const granted = await Promise.race([this.#ask(patience.signal), aborted])
      if (this.#over) return false
      if (granted !== undefined) return this.#renewed(granted)
    } catch (error) {
      // Nobody is logged in any more: what holds now ends when it ends.
      if (error instanceof Unauthorized) this.#refusals = 2
    } finally {
      giveUp()
    }
    this.#again()
    return false
  }

  #renewed(granted: Granted): boolean {
    this.#refused = undefined
    this.#refusals = 0
    this.#take(granted, this.#lastMs)
    this.#options.granted(granted)
    return !this.#isOver
  }

  /** Later each time as long as there is time: at four fifths of what is left. */
  #again(): void {
    if (!this.possible) return
    const leftMs = this.#untilMs === undefined ? unknownMs : this.#untilMs - this.#options.clock.now()
    if (leftMs > leastMs) this.#schedule(leftMs * dueAt)
  }

  /** @returns `undefined`: not renewed */
  async #ask(signal: AbortSignal): Promise<Granted | undefined> {
    const { renewLease, carrier, target, memory } = this.#options
    if (!this.#inBand) {
      const leaseMs = await renewLease?.({ lease: this.#lease, signal })
      return leaseMs === undefined ? undefined : { lease: this.#lease, leaseMs }
    }
    const ask: Ask = { purpose: 'renew', refused: this.#refused, signal }
    const attempt: Attempt = await carrier(target, ask)
    if (signal.aborted || this.#over || attempt.talk === undefined) return undefined
    if (memory.hasRefused(attempt.credential)) throw new Unauthorized('this credential was refused before')
    const renewed = await this.#connection.renew(attempt.talk)
    if (renewed.kind === 'renewed') return renewed.granted
    if (renewed.kind === 'refused') {
      memory.keep(attempt.credential)
      this.#refused = renewed.reason
      this.#refusals++
    }
    return undefined
  }
}
