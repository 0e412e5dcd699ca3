/** The guard: carriers, methods, origins and limits behind one question, `knock`. The one thing that an adapter holds. */
import { answersOf } from './answers.ts'
import type { Hiding } from './carrier.ts'
import { drive, type Talk, type Turn } from './drive.ts'
import { checkWhole, MisuseError } from './errors.ts'
import type { HelloCredential } from './credential.ts'
import type { Caller, Handshake } from './handshake.ts'
import type { GuessLimiter } from './guess.ts'
import { createIssuer } from './issue.ts'
import { GuardJournal } from './guard-journal.ts'
import type { Issuer } from './issue-options.ts'
import {
  admit,
  admitHello,
  refuse,
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
import type { AddressRules, AllowList, Answers, JournalEntry, Ports } from './ports.ts'
import { Rate } from './rate.ts'
import { reasons, type Reason } from './reasons.ts'
import { Renewals } from './renewal.ts'
import type { Mark, MaybePromise } from './records.ts'
import { markOf, type RevokeOptions, type RevokeTerms } from './revocation.ts'
import { placesOfMethods, type Places } from './search.ts'
import { deny, type Accept } from './verdict.ts'

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
  /** How many connections one subject may have; `undefined`: any number. */
  readonly perSubject: SubjectCap | undefined
  /** The unit by which sources are counted: an address, or the subnet that one host commonly owns. */
  readonly sourceOf: (address: string) => string
  /** How revocations of addresses are read. */
  readonly addresses: AddressRules
}

/** How many connections one subject may have at a guard, and who gives way to one more. */
export interface SubjectCap {
  /** At least 1. */
  readonly most: number
  /** `reject`: the newcomer is refused as `too_many_connections`. `replace`: the oldest ends as `superseded`. */
  readonly whenFull: 'reject' | 'replace'
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
  readonly #journal: GuardJournal
  readonly #renewals: Renewals
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
    if (settings.perSubject !== undefined)
      checkWhole('perSubject: most', settings.perSubject.most, [1, 1_000_000])
    this.places = placesOfMethods(settings.accept)
    checkAmbient(this.places, settings.origins)
    this.#journal = new GuardJournal(ports, settings.name)
    this.pool = new Pool(this.limits.pool)
    this.#rate = new Rate(this.limits.handshakesPerSecond, 100_000)
    this.guesses = ports.guesses
    this.#answers = answersOf(ports, settings.sourceOf)
    this.#leases = new Leases(ports.platform.clock, settings.addresses, (lease) => this.#journal.ended(lease))
    this.#renewals = new Renewals(this, ports.records, this.#answers)
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
   * @param message the peer's first message, where it is there already: nothing is waited for but answers to challenges
   */
  knock(handshake: Handshake, message?: string): MaybePromise<Turn<Decision>> {
    try {
      const now = this.now()
      const reason = this.#refuseEarly(handshake, now)
      if (reason !== undefined)
        return { kind: 'done', value: this.#journal.decided(handshake, refuse(this, handshake, { reason })) }
      return this.#journal.watch(handshake, drive(admit(this, handshake, { now, message }), this.#answers))
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
      return this.#journal.watch(handshake, drive(admitHello(this, handshake, { hello, now }), this.#answers))
    } catch (error) {
      this.failed(error)
      return { kind: 'done', value: refuse(this, handshake, deny('internal')) }
    }
  }

  /** A refusal of this guard's own, for adapters: deadline passed, pool full, message too big. */
  refusal(handshake: Handshake, reason: Reason): Refused {
    return this.#journal.decided(handshake, refuse(this, handshake, { reason }))
  }

  /**
   * Extends a lease by a fresh credential, presented as in a handshake or, where the guard awaits a first message, as
   * `message`. The subject, realm, method and provider must be those of the lease; roles may change.
   * @returns the reason of a refusal, or `undefined` when refreshed
   */
  async refresh(leaseId: string, handshake: Handshake, message?: string): Promise<Reason | undefined> {
    const lease = this.#leases.find(leaseId)
    if (lease === undefined) return 'forbidden'
    const early = this.#refuseEarly(handshake, this.now())
    return early ?? (await this.#renewals.refresh(lease, handshake, message))
  }

  /**
   * As `refresh`, on the live connection itself: the peer has the word as before acceptance, and its first message is the
   * fresh credential, or the opening of a challenge. Never throws and never rejects.
   * @param handshake facts of the connection, without any credential of its own
   * @returns turns of the peer, then the reason of a refusal, or `undefined` when refreshed
   */
  reauthenticate(leaseId: string, handshake: Handshake): MaybePromise<Turn<Reason | undefined>> {
    const lease = this.#leases.find(leaseId)
    if (lease === undefined) return { kind: 'done', value: 'forbidden' }
    const early = this.#refuseEarly(handshake, this.now())
    return early === undefined ? this.#renewals.converse(lease, handshake) : { kind: 'done', value: early }
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
    return this.#renewals.rejoin(lease, handshake, hello)
  }

  /** Open leases: of one subject, or all. */
  leases(subject?: string): readonly Lease[] {
    return this.#leases.list(subject)
  }

  /**
   * Revokes: writes the mark durably, then ends every lease that it names, here and wherever the bus reaches; with a
   * margin, warns them and ends those that were not refreshed meanwhile by something issued since.
   * @throws MisuseError for anything but exactly one thing to revoke, or terms out of bounds
   */
  async revoke(
    what: RevokeOptions,
    reason: 'revoked' | 'logged_out' = 'revoked',
    terms: RevokeTerms = {},
  ): Promise<void> {
    const mark = markOf(what, { ...terms, reason, now: this.now() }, this.#settings.addresses)
    await this.#ports.records.putMark(mark)
    const sparesNewer = terms.issuedBeforeMs !== undefined || mark.kind === 'issuedBefore'
    this.#ports.bus.publish({ ...mark, sparesNewer })
    this.#journal.record({ kind: 'revoked', detail: mark.kind })
    if (mark.kind === 'session') await this.#ports.records.endSessions(mark.value)
    if (mark.kind === 'apiKey') await this.#ports.records.endApiKey(mark.value)
  }

  /** Runs a conversation over this guard's ports, for what is judged beside sockets. Throws and rejects what it does. */
  converse<T>(talk: Talk<T>): MaybePromise<Turn<T>> {
    return drive(talk, this.#answers)
  }

  /** Writes a line of the journal in this guard's name, for what happens beside sockets. Constant words only. */
  note(entry: Partial<JournalEntry> & Pick<JournalEntry, 'kind'>): void {
    this.#journal.record(entry)
  }

  /**
   * Compares every open lease with the marks in the records and ends those that one names: for marks that were written by
   * a process whose news does not reach this one.
   */
  async recheck(): Promise<void> {
    for (const lease of this.#leases.list()) {
      const mark = await this.#ports.records.findMark(lease.grant, lease.id, lease)
      if (mark !== undefined) this.enforce(lease, mark)
    }
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
  register(accepted: Accept, caller: Caller): Lease {
    const now = this.now()
    const id = accepted.lease ?? this.#ports.platform.random(16)
    const { warnMs, graceMs, maxLeaseMs, jitter } = this.limits
    const neverAfterMs = Math.min(accepted.neverAfterMs, now + maxLeaseMs)
    const lifeMs = Math.max(0, Math.min(accepted.untilMs, neverAfterMs) - now)
    const untilMs = now + Math.floor(lifeMs * (1 - jitter * fraction(id)))
    const { principal, grant } = accepted
    const terms = { id, untilMs, neverAfterMs, warnMs, graceMs, grantedAtMs: now }
    const lease = this.#leases.add(terms, { principal, grant, caller })
    // An attempt that was being judged while the guard closed.
    if (this.#closed) lease.apply({ kind: 'ended', reason: 'shutting_down' }, now)
    return lease
  }

  /** See `Gatekeeper`. Called in the turn in which the marks were compared: no two newcomers see the same room. */
  makeRoom(lease: Lease): boolean {
    const cap = this.#settings.perSubject
    if (cap === undefined) return true
    const held = this.#leases.list(lease.grant.subject)
    const over = held.length - cap.most
    if (over <= 0) return true
    if (cap.whenFull === 'reject') return false
    for (const oldest of held.filter((one) => one !== lease).slice(0, over))
      oldest.apply({ kind: 'ended', reason: 'superseded' }, this.now())
    return true
  }

  /** See `Gatekeeper`. */
  enforce(lease: Lease, mark: Mark): void {
    this.#leases.enforce(lease, mark)
  }

  /** See `Gatekeeper`. */
  failed(error: unknown): void {
    this.#journal.failed(error)
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
