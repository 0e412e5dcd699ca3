/** A lease on a live connection: who holds it, until when, and the gate that its end closes. */
import type { Caller } from './handshake.ts'
import {
  hardEndMs,
  nextTickMs,
  reduceLease,
  type Doom,
  type LeaseCommand,
  type LeaseEvent,
  type LeaseState,
  type Phase,
} from './lease-life.ts'
import type { Grant, Principal } from './principal.ts'
import type { Reason } from './reasons.ts'
import type { Accept } from './verdict.ts'
import type { WheelEntry } from './wheel.ts'

/**
 * How long before its last instant a lease is watched, ms: until then a message costs no look at the clock. The wheel may
 * be late by a tick, and by what the event loop is busy with.
 */
const watchMs = 1_000

/** Carries out what the reducer commands. One object serves every connection of an adapter. */
export interface LeaseHolder<C extends object> {
  /** The lease ends in `inMs`: ask for a refresh, where the protocol has words for it. */
  warn(connection: C, lease: Lease, inMs: number): void
  /** The lease has ended: deliver nothing more in either direction and close with this reason. */
  close(connection: C, lease: Lease, reason: Reason): void
  /** A fresh credential was accepted, here or out of band: `lease.principal` may have other roles. */
  renewed?(connection: C, lease: Lease): void
}

/** Settings of a lease's life. */
export interface LeaseTerms {
  readonly id: string
  /** End of validity, ms since the epoch, jitter taken off already. */
  readonly untilMs: number
  /** No refresh passes this instant: the guard's longest lease, or a certificate's expiry. */
  readonly neverAfterMs: number
  readonly warnMs: number
  readonly graceMs: number
  readonly grantedAtMs: number
}

/** What a lease is made of besides its terms. */
export interface Granted {
  readonly principal: Principal
  readonly grant: Grant
  /** Who called, and from which page. */
  readonly caller: Caller
}

interface Owner {
  /** The guard's clock, ms since the epoch. */
  now(): number
  /** Told after every change of state, before the holder is: the registry is right when the holder looks. */
  settled(lease: Lease): void
}

/**
 * One object per connection: state of the reducer, entry of the timing wheel, gate of the adapter. Fields are written
 * by `apply` alone; applications read `id`, `principal`, `untilMs`, `phase`, `ended`.
 */
export class Lease implements LeaseState, WheelEntry<Lease>, Caller {
  readonly id: string
  /** Replaced, never changed, when a refresh brings other roles; its `id` stays. */
  principal: Principal
  /** What the acceptance rests upon: compared with every revocation as long as the lease lives. */
  grant: Grant
  /** Where the connection comes from, as its handshake had it. */
  readonly remoteAddress: string
  /** The page that opened it; `undefined`: no browser. */
  readonly origin: string | undefined
  readonly grantedAtMs: number
  phase: Phase = 'pending'
  next: Lease | undefined = undefined
  previous: Lease | undefined = undefined
  slot: number = -1
  readonly #owner: Owner
  readonly #pace: Pace
  /** Why it has ended, or why and when it will: never both. */
  #why: Reason | Doom | undefined = undefined
  /** Instants as distances from the grant: small integers, which cost no object of their own. */
  #untilInMs: number
  #neverInMs: number
  #holder: LeaseHolder<object> | undefined = undefined
  #connection: object | undefined = undefined
  /** The end is near: from now on every message looks at the clock. */
  #watched = false

  constructor(terms: LeaseTerms, { principal, grant, caller }: Granted, owner: Owner) {
    this.id = terms.id
    this.principal = principal
    this.grant = grant
    this.remoteAddress = caller.remoteAddress
    this.origin = caller.origin
    this.grantedAtMs = terms.grantedAtMs
    this.#untilInMs = small(terms.untilMs - terms.grantedAtMs)
    this.#neverInMs = small(terms.neverAfterMs - terms.grantedAtMs)
    this.#pace = paceOf(terms)
    this.#owner = owner
  }

  /** The gate: once `true`, no message passes in either direction. */
  get ended(): boolean {
    return this.phase === 'ended'
  }

  /** Why it ended; `undefined` while it lives. */
  get reason(): Reason | undefined {
    return typeof this.#why === 'string' ? this.#why : undefined
  }

  /** Revoked, and when that is enforced; `undefined` for most. */
  get doom(): Doom | undefined {
    return typeof this.#why === 'string' ? undefined : this.#why
  }

  /** How long before its end the holder is warned. */
  get warnMs(): number {
    return this.#pace.warnMs
  }

  /** How long an expired lease may still speak. */
  get graceMs(): number {
    return this.#pace.graceMs
  }

  /** End of validity. */
  get untilMs(): number {
    return this.grantedAtMs + this.#untilInMs
  }

  /** No refresh passes this instant. */
  get neverAfterMs(): number {
    return this.grantedAtMs + this.#neverInMs
  }

  /** See `WheelEntry`: reckoned from the state, so that no connection holds a number more. */
  get dueMs(): number {
    const open = this.phase === 'live' || this.phase === 'due'
    const next = nextTickMs(this)
    return open && !this.#watched ? Math.min(next, hardEndMs(this) - watchMs) : next
  }

  /** Hands the connection over: commands of this lease reach it from now on. Call once, before `opened`. */
  hold<C extends object>(holder: LeaseHolder<C>, connection: C): void {
    this.#holder = holder
    this.#connection = connection
  }

  /**
   * Whether a message may pass now, in either direction. Ask at every one: the wheel turns in ticks, and between two of
   * them nothing may follow the end. A lease whose time is over ends here.
   */
  passes(): boolean {
    if (!this.over()) return true
    this.apply({ kind: 'tick' }, this.#owner.now())
    return !this.ended
  }

  /** Whether nothing may pass any more, though the wheel has perhaps not come to it yet. As `passes`, and ends nothing. */
  over(): boolean {
    return this.ended || (this.#watched && this.#owner.now() >= hardEndMs(this))
  }

  /** Opens the gate: the socket is up and bound. @returns whether it may speak, `false` when it was ended meanwhile */
  open(): boolean {
    this.apply({ kind: 'opened' }, this.#owner.now())
    return !this.ended
  }

  /**
   * The connection is gone: the lease ends without a command, because nobody is left to be told. May be
   * called again.
   */
  leave(): void {
    this.apply({ kind: 'left' }, this.#owner.now())
  }

  /**
   * Feeds one event to the reducer, writes the state down, and only then carries out what it commands: a
   * holder that closes its socket, and so leaves, finds the lease ended already.
   */
  apply(event: LeaseEvent, now: number): void {
    if (this.phase === 'ended') return
    const { state, commands } = reduceLease(this, event, now)
    this.phase = state.phase
    this.#why = state.doom
    this.#untilInMs = small(state.untilMs - this.grantedAtMs)
    this.#neverInMs = small(state.neverAfterMs - this.grantedAtMs)
    this.#watched = now >= hardEndMs(state) - watchMs
    if (state.phase === 'ended') this.#why = undefined
    for (const command of commands) if (command.kind === 'close') this.#why = command.reason
    this.#owner.settled(this)
    for (const command of commands) this.#obey(command)
  }

  /** A fresh credential of the same subject was accepted: takes over what it proves and until when. */
  renew(accepted: Accept, now: number): void {
    if (this.ended) return
    this.principal = accepted.principal
    this.grant = accepted.grant
    this.apply({ kind: 'refreshed', untilMs: accepted.untilMs, neverAfterMs: accepted.neverAfterMs }, now)
    if (this.#connection !== undefined && !this.ended) this.#holder?.renewed?.(this.#connection, this)
  }

  #obey(command: LeaseCommand): void {
    if (this.#holder === undefined || this.#connection === undefined) return
    if (command.kind === 'warn') this.#holder.warn(this.#connection, this, command.inMs)
    else this.#holder.close(this.#connection, this, command.reason)
  }
}

/** Settings that all leases of a guard share. */
type Pace = Pick<LeaseTerms, 'warnMs' | 'graceMs'>

/** The latest: leases of one guard come one after the other, and one object does for them. */
let latest: Pace = { warnMs: 0, graceMs: 0 }

function paceOf({ warnMs, graceMs }: Pace): Pace {
  if (latest.warnMs !== warnMs || latest.graceMs !== graceMs) latest = { warnMs, graceMs }
  return latest
}

/** The same number, as an integer that an object holds in place: what a subtraction of instants yields lies elsewhere. */
function small(ms: number): number {
  const whole = ms | 0
  return whole === ms ? whole : ms
}
