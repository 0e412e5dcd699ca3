/** The guard: carriers, methods, origins and limits behind one question, `knock`. The one thing that an adapter holds. */
import { answersOf } from './answers.ts'
import type { Hiding } from './carrier.ts'
import { drive, isThenable, type Turn } from './drive.ts'
import { MisuseError } from './errors.ts'
import type { HelloCredential } from './credential.ts'
import type { Handshake } from './handshake.ts'
import type { GuessLimiter } from './guess.ts'
import { createIssuer } from './issue.ts'
import type { Issuer } from './issue-options.ts'
import { entryOf } from './journal-entry.ts'
import {
  admit,
  admitHello,
  refuse,
  rejudge,
  rejudgeHello,
  type Decision,
  type Gatekeeper,
  type RefusalStyle,
  type Refused,
} from './knock.ts'
import { Leases } from './leases.ts'
import type { Lease } from './lease.ts'
import { limitsOf, type LimitOptions, type Limits } from './limits.ts'
import type { Method } from './method.ts'
import { Pool } from './pool.ts'
import type { AllowList, Answers, JournalEntry, Ports } from './ports.ts'
import { Rate } from './rate.ts'
import { reasons, type Reason } from './reasons.ts'
import { renewing, sameHolder } from './renewal.ts'
import type { MaybePromise } from './records.ts'
import { markOf, type RevokeOptions } from './revocation.ts'
import { placesOfMethods, type Places } from './search.ts'
import { deny, type Accept, type Verdict } from './verdict.ts'

/** What a guard is made of. The front door builds this from options; see `GuardOptions` there. */
export interface GuardSettings {
  readonly name: string
  readonly audience: string
  /** Methods in the order in which they are asked whether a credential is theirs. */
  readonly accept: readonly Method[]
  /** Origins that may connect; a present `Origin` that is not among them is refused at every door. */
  readonly origins: AllowList | undefined
  /** Hosts that this server answers to; `undefined`: any well-formed one. */
  readonly hosts: AllowList | undefined
  readonly refusals: RefusalStyle
  /** Close codes that stand in for those of the table; checked by whoever builds the settings. */
  readonly closeCodes: Partial<Readonly<Record<Reason, number>>>
  readonly dangerouslyAllowCleartext: boolean
  readonly limits: LimitOptions | undefined
  /** The unit by which sources are counted: an address, or the subnet that one host commonly owns. */
  readonly sourceOf: (address: string) => string
}

/** Decides who may speak, and keeps every decision until its lease ends. */
export class Guard implements Gatekeeper {
  readonly name: string
  readonly audience: string
  readonly refusals: RefusalStyle
  readonly limits: Limits
  /**
   * Where credentials are looked for, each place once: adapters build challenges from it, pages explain by
   * it.
   */
  readonly places: Places
  /** The waiting room before acceptance; adapters enter it, status pages read it. */
  readonly pool: Pool
  /** Makes credentials for those whom the application has authenticated itself. */
  readonly issue: Issuer
  /** Slows guessing. A login form beside the guard asks it as well, so that both count the same tries. */
  readonly guesses: GuessLimiter
  readonly #settings: GuardSettings
  readonly #ports: Ports
  readonly #answers: Answers
  readonly #leases: Leases
  readonly #rate: Rate
  readonly #unsubscribe: () => void
  #closed = false

  /**
   * @throws MisuseError when parts do not fit together: nothing is accepted, a name that is no realm,
   * ambient credentials without an Origin rule, limits that are no numbers
   */
  constructor(settings: GuardSettings, ports: Ports) {
    checkName(settings.name)
    this.#settings = settings
    this.#ports = ports
    this.name = settings.name
    this.audience = settings.audience
    this.refusals = settings.refusals
    this.limits = limitsOf(settings.limits)
    this.places = placesOfMethods(settings.accept)
    checkAmbient(this.places, settings.origins)
    this.pool = new Pool(this.limits.pool)
    this.#rate = new Rate(this.limits.handshakesPerSecond, 100_000)
    this.guesses = ports.guesses
    this.#answers = answersOf(ports, settings.sourceOf)
    this.#leases = new Leases(ports.platform.clock, (lease) => this.#leaseEnded(lease))
    this.issue = createIssuer(ports, {
      audience: settings.audience,
      guard: settings.name,
      limits: this.limits,
    })
    this.#unsubscribe = ports.bus.subscribe((news) => void this.#leases.revoke(news))
  }

  /** What adapters remove from a request before anyone else sees it. */
  get hiding(): Hiding {
    return this.places.hiding
  }

  /**
   * Judges one connection attempt. Never throws and never rejects. Check RFC 6455 §4.2.1 first: a malformed
   * request must not spend a ticket. An `accepted` lease is the caller's: hold and open it, or `leave` it.
   */
  knock(handshake: Handshake): MaybePromise<Turn<Decision>> {
    try {
      const now = this.now()
      const reason = this.#refuseEarly(handshake, now)
      if (reason !== undefined)
        return { kind: 'done', value: this.#journalled(handshake, refuse(this, handshake, { reason })) }
      return this.#watch(handshake, drive(admit(this, handshake, now), this.#answers))
    } catch (error) {
      this.failed(error)
      return { kind: 'done', value: refuse(this, handshake, deny('internal')) }
    }
  }

  /**
   * What `knock` looks at before any credential, for protocols that bring theirs in messages of their own: shutdown, host,
   * origin, rate. Refuse by HTTP what it names; otherwise take a place in the pool and `join` once the opening is there.
   * @param web `false`: the transport knows neither `Host` nor `Origin`, and no browser can speak it (RawSocket)
   */
  greet(handshake: Handshake, web: boolean = true): Refused | undefined {
    try {
      const reason = this.#refuseEarly(handshake, this.now(), web)
      return reason === undefined ? undefined : this.refusal(handshake, reason)
    } catch (error) {
      this.failed(error)
      return refuse(this, handshake, deny('internal'))
    }
  }

  /**
   * Judges an opening (WAMP HELLO) on a connection that `greet` has let pass. Never throws and never rejects; its
   * challenges are the peer's turns. An `accepted` lease is the caller's, as with `knock`.
   */
  join(handshake: Handshake, hello: HelloCredential): MaybePromise<Turn<Decision>> {
    try {
      const now = this.now()
      return this.#watch(handshake, drive(admitHello(this, handshake, { hello, now }), this.#answers))
    } catch (error) {
      this.failed(error)
      return { kind: 'done', value: refuse(this, handshake, deny('internal')) }
    }
  }

  /** A refusal of this guard's own, for adapters: deadline passed, pool full, message too big. */
  refusal(handshake: Handshake, reason: Reason): Refused {
    return this.#journalled(handshake, refuse(this, handshake, { reason }))
  }

  /**
   * Extends a lease by a fresh credential, presented as in a handshake or, where the guard awaits a first message, as
   * `message`. The subject, realm, method and provider must be those of the lease; roles may change.
   * @returns the reason of a refusal, or `undefined` when refreshed
   */
  async refresh(leaseId: string, handshake: Handshake, message?: string): Promise<Reason | undefined> {
    const lease = this.#leases.find(leaseId)
    if (lease === undefined) return 'forbidden'
    const now = this.now()
    const early = this.#refuseEarly(handshake, now)
    if (early !== undefined) return early
    return await this.#takeOver(lease, await this.#rejudge(handshake, now, message))
  }

  /**
   * As `refresh`, on the live connection itself, by an opening whose challenges the peer answers. Never throws and never
   * rejects. Leave the turn when the connection goes.
   * @returns turns of the peer, then the reason of a refusal, or `undefined` when refreshed
   */
  rejoin(
    leaseId: string,
    handshake: Handshake,
    hello: HelloCredential,
  ): MaybePromise<Turn<Reason | undefined>> {
    const lease = this.#leases.find(leaseId)
    if (lease === undefined) return { kind: 'done', value: 'forbidden' }
    try {
      const opening = { hello, now: this.now() }
      const turn = drive(rejudgeHello(this, handshake, opening), this.#answers)
      return renewing(turn, (verdict) => this.#takeOver(lease, verdict))
    } catch (error) {
      this.failed(error)
      return { kind: 'done', value: 'internal' }
    }
  }

  async #takeOver(lease: Lease, verdict: Verdict): Promise<Reason | undefined> {
    if (verdict.kind === 'deny') return verdict.reason
    if (!sameHolder(lease, verdict)) return 'forbidden'
    try {
      return await this.#renew(lease, verdict)
    } catch (error) {
      this.failed(error)
      return 'internal'
    }
  }

  async #rejudge(handshake: Handshake, now: number, message: string | undefined): Promise<Verdict> {
    let turn = await drive(rejudge(this, handshake, now), this.#answers)
    if (turn.kind === 'peer' && message !== undefined) turn = await turn.answer({ text: message, now })
    if (turn.kind === 'done') return turn.value
    // A challenge cannot be answered here: there is no peer to show it to.
    turn.leave(deny('missing_credential'))
    return deny('missing_credential')
  }

  /** Open leases: of one subject, or all. */
  leases(subject?: string): readonly Lease[] {
    return this.#leases.list(subject)
  }

  /** Revokes: writes the mark durably, then ends every lease that it names, here and wherever the bus reaches. */
  async revoke(options: RevokeOptions, reason: 'revoked' | 'logged_out' = 'revoked'): Promise<void> {
    const mark = markOf(options, reason, this.now())
    await this.#ports.records.putMark(mark)
    this.#ports.bus.publish(mark)
    this.#record({ kind: 'revoked', detail: mark.kind })
    if (mark.kind === 'session') await this.#ports.records.endSessions(mark.value)
    if (mark.kind === 'apiKey') await this.#ports.records.endApiKey(mark.value)
  }

  /**
   * Ends every lease with `shutting_down`, sends away whoever waits for acceptance, and refuses from now on. Sockets and
   * stores are their owners' to close.
   */
  close(): void {
    this.#closed = true
    this.#unsubscribe()
    this.#leases.close()
    this.pool.close()
  }

  /** Code of the close frame that says this reason, the guard's own before the table's; 1008 where neither has one. */
  closeCode(reason: Reason): number {
    return this.#settings.closeCodes[reason] ?? reasons[reason].close ?? 1008
  }

  /** The guard's clock, ms since the epoch: adapters measure waiting by it. */
  now(): number {
    return this.#ports.platform.clock.now()
  }

  /** See `Gatekeeper`. */
  mayCarryBearer(handshake: Handshake): boolean {
    return handshake.secure || this.#settings.dangerouslyAllowCleartext || isLoopback(handshake.remoteAddress)
  }

  /** See `Gatekeeper`. */
  register(accepted: Accept): Lease {
    const now = this.now()
    const id = accepted.lease ?? this.#ports.platform.random(16)
    const { warnMs, graceMs, maxLeaseMs, jitter } = this.limits
    const neverAfterMs = Math.min(accepted.neverAfterMs, now + maxLeaseMs)
    const lifeMs = Math.max(0, Math.min(accepted.untilMs, neverAfterMs) - now)
    const untilMs = now + Math.floor(lifeMs * (1 - jitter * fraction(id)))
    const lease = this.#leases.add({ id, untilMs, neverAfterMs, warnMs, graceMs, grantedAtMs: now }, accepted)
    // An attempt that was being judged while the guard closed.
    if (this.#closed) lease.apply({ kind: 'ended', reason: 'shutting_down' }, now)
    return lease
  }

  /** See `Gatekeeper`. */
  failed(error: unknown): void {
    this.#record({
      kind: 'error',
      reason: 'internal',
      detail: error instanceof Error ? error.name : typeof error,
    })
  }

  /** Looks for a mark before and after: one that is written in between finds either the old grant or the new one. */
  async #renew(lease: Lease, verdict: Accept): Promise<Reason | undefined> {
    if ((await this.#ports.records.findMark(verdict.grant, lease.id)) !== undefined) return 'revoked'
    lease.renew(verdict, this.now())
    const mark = await this.#ports.records.findMark(verdict.grant, lease.id)
    if (mark !== undefined) lease.apply({ kind: 'ended', reason: mark.reason }, this.now())
    return lease.ended ? (lease.reason ?? 'forbidden') : undefined
  }

  /**
   * What costs no lookup, cheapest first. Host before Origin: a page of a rebound name brings an Origin that
   * fits it.
   */
  #refuseEarly(handshake: Handshake, now: number, web: boolean = true): Reason | undefined {
    if (this.#closed) return 'shutting_down'
    const reason = web ? this.#refuseWeb(handshake) : undefined
    if (reason !== undefined) return reason
    if (!this.#rate.allows(this.#settings.sourceOf(handshake.remoteAddress), now)) return 'overloaded'
    return undefined
  }

  #refuseWeb(handshake: Handshake): Reason | undefined {
    const { hosts, origins } = this.#settings
    if (handshake.host === undefined) return 'protocol_violation'
    if (hosts !== undefined && !hosts.allows(handshake.host)) return 'wrong_host'
    if (handshake.origin !== undefined && origins?.allows(handshake.origin) !== true)
      return 'forbidden_origin'
    return undefined
  }

  /** Journals the decision, whenever it falls. */
  #watch(handshake: Handshake, turn: MaybePromise<Turn<Decision>>): MaybePromise<Turn<Decision>> {
    if (isThenable(turn)) return turn.then((value) => this.#watch(handshake, value))
    if (turn.kind === 'done') {
      this.#journalled(handshake, turn.value)
      return turn
    }
    return {
      kind: 'peer',
      say: turn.say,
      answer: (heard) => this.#watch(handshake, turn.answer(heard)),
      leave: (value) => turn.leave(value),
    }
  }

  #journalled<D extends Decision>(handshake: Handshake, decision: D): D {
    const { remoteAddress, origin } = handshake
    if (decision.kind === 'refused')
      this.#record({ kind: 'refused', reason: decision.reason, remoteAddress, origin })
    else {
      const { lease, method } = decision
      this.#record({
        kind: 'accepted',
        method,
        subject: lease.principal.id,
        lease: lease.id,
        remoteAddress,
        origin,
      })
    }
    return decision
  }

  /** Told by the registry once for each lease, whatever ended it. */
  #leaseEnded(lease: Lease): void {
    const { method, id } = lease.principal
    this.#record({ kind: 'ended', method, subject: id, lease: lease.id, reason: lease.reason })
  }

  /** A journal that throws breaks its contract, but must neither open a door nor stop the process. */
  #record(entry: Partial<JournalEntry> & Pick<JournalEntry, 'kind'>): void {
    try {
      this.#ports.journal.record(entryOf(entry, this.now(), this.name))
    } catch {
      // There is no second journal to tell.
    }
  }
}

/** The name becomes a realm in `WWW-Authenticate`: found out at construction, not at the first refusal. */
function checkName(name: string): void {
  if (/^[\x20-\x7e]{1,128}$/.test(name)) return
  throw new MisuseError('invalid_option', 'name: 1 to 128 characters of visible ASCII and blanks')
}

/** Ambient credentials without an Origin rule invite cross-site hijacking: refused at construction. */
function checkAmbient(places: Places, origins: AllowList | undefined): void {
  const ambient = places.ambient[0]
  if (ambient === undefined || origins !== undefined) return
  throw new MisuseError(
    'invalid_option',
    `origins: needed because ${ambient.carrier.key} is sent by browsers unasked`,
  )
}

/** Cleartext to this very machine is read by nobody on the way. */
function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1' || address.startsWith('::ffff:127.')
}

/** A number in [0, 1) drawn from a random id: the same for the same lease. */
function fraction(id: string): number {
  return ((id.charCodeAt(id.length - 1) * 31 + id.charCodeAt(id.length - 2)) % 97) / 97
}
