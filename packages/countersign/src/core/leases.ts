/** Every lease of a guard: found by id, by subject and by what it rests upon; ticked by one wheel. */
import { Lease, type Granted, type LeaseTerms } from './lease.ts'
import type { LeaseEvent } from './lease-life.ts'
import type { AddressRules, Clock, Revocation } from './ports.ts'
import type { Mark } from './records.ts'
import { Wheel } from './wheel.ts'

/** One timer of this period serves all leases: an end is told that late at most, though nothing passes after it. */
export const wheelTickMs = 50

/** Registry of leases. A lease is in it from `add` until it ends. */
export class Leases {
  readonly #clock: Clock
  readonly #addresses: AddressRules
  readonly #wheel: Wheel<Lease>
  readonly #byId = new Map<string, Lease>()
  /** A subject's only lease stands for itself; a `Set` is made for the second. */
  readonly #bySubject = new Map<string, Lease | Set<Lease>>()
  readonly #ended: (lease: Lease) => void
  #stopTimer: (() => void) | undefined

  /**
   * @param addresses how blocks of addresses are read
   * @param ended told once for each lease, when it ends
   */
  constructor(clock: Clock, addresses: AddressRules, ended: (lease: Lease) => void) {
    this.#clock = clock
    this.#addresses = addresses
    this.#ended = ended
    this.#wheel = new Wheel<Lease>(wheelTickMs, clock.now(), (lease, now) =>
      lease.apply({ kind: 'tick' }, now),
    )
  }

  /** How many leases are registered. */
  get size(): number {
    return this.#byId.size
  }

  /** Registers a lease that is not open yet: a revocation from now on finds it. */
  add(terms: LeaseTerms, granted: Granted): Lease {
    const lease = new Lease(terms, granted, this)
    this.#byId.set(lease.id, lease)
    const subject = lease.grant.subject
    const held = this.#bySubject.get(subject)
    if (held === undefined) this.#bySubject.set(subject, lease)
    else if (held instanceof Set) held.add(lease)
    else this.#bySubject.set(subject, new Set([held, lease]))
    this.#stopTimer ??= this.#clock.every(wheelTickMs, () => this.#tick())
    return lease
  }

  /** The lease of this id, if it has not ended. */
  find(id: string): Lease | undefined {
    return this.#byId.get(id)
  }

  /** Leases of one subject, or all. */
  list(subject?: string): readonly Lease[] {
    if (subject === undefined) return [...this.#byId.values()]
    const held = this.#bySubject.get(subject)
    if (held === undefined) return []
    return held instanceof Set ? [...held] : [held]
  }

  /** Ends every lease that the news names, or tells it when it will. @returns how many */
  revoke(news: Revocation): number {
    const covers = news.kind === 'address' ? this.#addresses.test(news.value) : nowhere
    const around = { now: this.#clock.now(), covers }
    const hit = this.#among(news).filter((lease) => names(news, lease, around))
    for (const lease of hit) this.enforce(lease, news)
    return hit.length
  }

  /** Does to one lease what a mark that names it says. */
  enforce(lease: Lease, mark: Mark): void {
    const now = this.#clock.now()
    lease.apply(endingOf(mark, now), now)
  }

  #among(news: Revocation): readonly Lease[] {
    if (news.kind === 'subject') return this.list(news.value)
    const lease = news.kind === 'lease' ? this.find(news.value) : undefined
    return lease === undefined ? this.list() : [lease]
  }

  /** Ends all leases and stops the timer. */
  close(): void {
    const now = this.#clock.now()
    for (const lease of this.list()) lease.apply({ kind: 'ended', reason: 'shutting_down' }, now)
    this.#endTimer()
  }

  /** Clock of the registry. */
  now(): number {
    return this.#clock.now()
  }

  /** A lease tells its registry that its state has changed. Called by `Lease.apply` alone. */
  settled(lease: Lease): void {
    this.#wheel.set(lease)
    if (!lease.ended) return
    this.#remove(lease)
    this.#ended(lease)
  }

  /** The timer ends here, not with the last lease: where connections come and go it would be set for each. */
  #tick(): void {
    this.#wheel.advance(this.#clock.now())
    if (this.#byId.size === 0) this.#endTimer()
  }

  #endTimer(): void {
    this.#stopTimer?.()
    this.#stopTimer = undefined
  }

  #remove(lease: Lease): void {
    if (this.#byId.get(lease.id) === lease) this.#byId.delete(lease.id)
    const subject = lease.grant.subject
    const held = this.#bySubject.get(subject)
    if (held === lease) this.#bySubject.delete(subject)
    else if (held instanceof Set && held.delete(lease) && held.size === 0) this.#bySubject.delete(subject)
  }
}

/** What a mark does to a lease that it names. */
function endingOf({ reason, enforceAtMs }: Mark, now: number): LeaseEvent {
  return enforceAtMs > now ? { kind: 'doomed', reason, endsAtMs: enforceAtMs } : { kind: 'ended', reason }
}

/** What a revocation is compared by besides the lease. */
interface Around {
  readonly now: number
  /** Whether an address lies in the block that is named. */
  readonly covers: (address: string) => boolean
}

/** Whether a revocation names this lease. */
function names(news: Revocation, lease: Lease, around: Around): boolean {
  const { kind, value } = news
  const { grant } = lease
  const { covers, now } = around
  if (kind === 'lease') return lease.id === value
  if (kind === 'session') return grant.session === value
  // What says that it was issued in the future, by a clock that is ahead, is no newer than anything.
  if (news.sparesNewer && grant.issuedAtMs > news.atMs && grant.issuedAtMs <= now) return false
  if (kind === 'role') return grant.roles.includes(value)
  if (kind === 'address') return covers(lease.remoteAddress)
  if (kind === 'origin') return lease.origin === value
  return kind === 'issuedBefore' || grant[kind] === value
}

function nowhere(): boolean {
  return false
}
