/** Sessions and the sockets that rest upon them: whatever is learnt of a session acts on its leases at once. */
import { MisuseError, OutageError } from '../core/errors.ts'
import type { Guard } from '../core/guard.ts'
import type { Lease } from '../core/lease.ts'
import type { ApplicationVisitor } from '../core/ports.ts'
import type { MaybePromise } from '../core/records.ts'
import type { FoundSession, LoadSession, WatchOptions } from './coupled-sessions.ts'
import { endLease, followVisitor } from './lease-following.ts'
import { SessionEntries, type SessionEntry } from './session-entries.ts'
import { netSettings, SessionNet, type NetSettings } from './session-net.ts'

/** A store that does not answer within this, ms, is out of reach. */
const lookTimeoutMs = 5_000

/** A session without sockets is forgotten after this, ms: longer than any attempt is judged. */
const idleMs = 30_000

/** What a watch is made of. */
export interface WatchSettings<D> {
  readonly load: LoadSession<D>
  /** Public name of what the store knows a session by. */
  readonly idOf: (handle: string) => string
  readonly options: WatchOptions
}

/** Knows whose sessions the open sockets are, and keeps the sockets true to them. */
export class SessionWatch<D> {
  readonly #load: LoadSession<D>
  readonly #settings: NetSettings
  readonly #entries: SessionEntries
  readonly #guards = new Set<Guard>()
  readonly #net: SessionNet
  #stopNet: (() => void) | undefined
  /** Questions are numbered as they are asked, news as it comes. */
  #asked = 0
  /** Whether the journal knows that the store is out of reach: it is told once, not for each session. */
  #outage = false

  /** @throws MisuseError for options out of range */
  constructor({ load, idOf, options }: WatchSettings<D>) {
    this.#load = load
    this.#settings = netSettings(options)
    this.#entries = new SessionEntries(idOf)
    this.#net = new SessionNet(this.#settings, {
      size: () => this.#entries.size,
      look: () => this.#lookAtNext(),
      sweep: () => this.#sweep(),
    })
  }

  /** Looks after the sockets of this guard from now on. @returns a function that ends it */
  couple(guard: Guard): () => void {
    this.#guards.add(guard)
    this.#stopNet ??= this.#net.start()
    return () => {
      this.#guards.delete(guard)
      if (this.#guards.size > 0) return
      this.#stopNet?.()
      this.#stopNet = undefined
    }
  }

  /**
   * Judges a value that was shown. What is told of the session while it is being found counts, and once more when the
   * lease is registered: a session that ends at any step of this leaves no socket open.
   * @param find answers `undefined` where the value proves nothing, which says nothing about the session either
   * @throws MisuseError when no guard is coupled; OutageError when the store cannot tell
   */
  async admit(
    handle: string,
    find: () => MaybePromise<FoundSession<D> | undefined>,
  ): Promise<ApplicationVisitor | undefined> {
    if (this.#guards.size === 0) throw new MisuseError('missing_port', 'sessions: couple(guard) comes first')
    const entry = this.#entries.open(handle, this.#now())
    entry.judging++
    const asked = ++this.#asked
    try {
      const found = await inTime(find)
      if (found === undefined) return undefined
      this.#learn(entry, asked, found.visitor)
      const { visitor } = entry
      if (entry.destroyed || visitor === undefined) return undefined
      entry.subject = visitor.subject
      // The lease is registered before this: nothing but microtasks is between here and there.
      setImmediate(() => this.#settle(entry, visitor.subject))
      return { ...visitor, session: entry.id }
    } finally {
      entry.judging--
      entry.usedAtMs = this.#now()
      if (entry.subject === undefined && entry.judging === 0) this.#entries.drop(entry)
    }
  }

  /** See `CoupledSessions.current`. */
  async current(lease: Lease): Promise<D | undefined> {
    const entry = this.#entries.ofId(lease.grant.session)
    if (entry === undefined || lease.ended) return undefined
    const found = await this.#look(entry, lease)
    return lease.ended || found?.visitor.subject !== lease.principal.id ? undefined : found.data
  }

  /** The application has destroyed this session: its sockets end now, and no attempt that is under way opens one. */
  destroyed(handle: string): void {
    const entry = this.#entries.ofHandle(handle)
    if (entry === undefined || entry.destroyed) return
    entry.destroyed = true
    this.#learn(entry, ++this.#asked, undefined)
    // The mark is for guards elsewhere that share the records.
    for (const guard of this.#guards)
      guard.revoke({ session: entry.id }, 'logged_out').catch((error: unknown) => guard.failed(error))
  }

  /** The application has destroyed all sessions. */
  cleared(): void {
    for (const entry of this.#entries.all()) this.destroyed(entry.handle)
  }

  /** Whether sockets rest upon this session, or are about to. */
  knows(handle: string): boolean {
    return this.#entries.ofHandle(handle) !== undefined
  }

  /** The application has written this session down. @param visitor who is behind it now */
  stored(handle: string, visitor: ApplicationVisitor | undefined): void {
    const entry = this.#entries.ofHandle(handle)
    if (entry !== undefined) this.#learn(entry, ++this.#asked, visitor)
  }

  /**
   * The application has moved the end of this session, ms since the epoch; `undefined`: it has none. That says nothing
   * about the rest of it, so answers that are under way still count.
   */
  extended(handle: string, expiresAtMs: number | undefined): void {
    const entry = this.#entries.ofHandle(handle)
    if (entry?.visitor === undefined) return
    const { expiresAtMs: _former, ...visitor } = entry.visitor
    this.#know(entry, expiresAtMs === undefined ? visitor : { ...visitor, expiresAtMs })
  }

  /** What the store knows the session behind a lease by; `undefined` where it is over. */
  handleOf(lease: Lease): string | undefined {
    return lease.ended ? undefined : this.#entries.ofId(lease.grant.session)?.handle
  }

  /** Something about this subject, or this session, has changed: looks now instead of in a while. Never rejects. */
  async recheck(what: { readonly subject: string } | { readonly session: string }): Promise<void> {
    const meant =
      'session' in what
        ? [what.session]
        : [...this.#guards].flatMap((guard) => guard.leases(what.subject).map(({ grant }) => grant.session))
    const due = [...new Set(meant)].map((id) => this.#entries.ofId(id)).filter((entry) => entry !== undefined)
    const look = async (): Promise<void> => {
      for (let entry = due.pop(); entry !== undefined; entry = due.pop()) await this.#lookQuietly(entry)
    }
    await Promise.all(Array.from({ length: this.#settings.maxConcurrent }, look))
  }

  async #look(entry: SessionEntry, lease: Lease): Promise<FoundSession<D> | undefined> {
    const asked = ++this.#asked
    const found = await inTime(() => this.#load(entry.handle, lease, entry.visitor))
    this.#outage = false
    this.#learn(entry, asked, found?.visitor)
    return found
  }

  async #lookAtNext(): Promise<void> {
    const entry = this.#entries.next()
    if (entry !== undefined) await this.#lookQuietly(entry)
  }

  async #lookQuietly(entry: SessionEntry): Promise<void> {
    const lease = this.#leasesOf(entry, entry.subject)[0]?.lease
    if (lease === undefined) return
    try {
      await this.#look(entry, lease)
    } catch (error) {
      if (!this.#outage) for (const guard of this.#guards) guard.failed(error)
      this.#outage = true
    }
  }

  /** Takes over an answer, unless a newer one was there before it. */
  #learn(entry: SessionEntry, asked: number, visitor: ApplicationVisitor | undefined): void {
    if (asked < entry.applied) return
    entry.applied = asked
    entry.seenAtMs = this.#now()
    this.#know(entry, entry.destroyed ? undefined : visitor)
  }

  #know(entry: SessionEntry, visitor: ApplicationVisitor | undefined): void {
    entry.visitor = visitor
    const untilMs = visitor === undefined ? entry.untilMs : (visitor.expiresAtMs ?? Infinity)
    const moved = untilMs !== entry.untilMs
    entry.untilMs = untilMs
    this.#settle(entry, entry.subject, moved)
  }

  /** Holds every lease of a session against what is known of it. @param moved its end is another one */
  #settle(entry: SessionEntry, subject: string | undefined, moved = false): void {
    const { visitor } = entry
    for (const { guard, lease } of this.#leasesOf(entry, subject)) {
      if (visitor?.subject === lease.principal.id) followVisitor(guard, lease, { visitor, moved })
      else endLease(guard, lease, entry.untilMs <= guard.now() ? 'lease_expired' : 'logged_out')
    }
  }

  /** Forgets what nobody uses, and ends what could not be looked after for too long. */
  #sweep(): void {
    const now = this.#now()
    const { recheckEveryMs, staleMs } = this.#settings
    for (const entry of this.#entries.all()) {
      const held = this.#leasesOf(entry, entry.subject)
      if (held.length === 0 && entry.judging === 0 && now - entry.usedAtMs > idleMs) this.#entries.drop(entry)
      else if (recheckEveryMs > 0 && now - entry.seenAtMs > staleMs)
        for (const { guard, lease } of held) endLease(guard, lease, 'internal')
    }
  }

  #leasesOf(
    entry: SessionEntry,
    subject: string | undefined,
  ): readonly { readonly guard: Guard; readonly lease: Lease }[] {
    if (subject === undefined) return []
    return [...this.#guards].flatMap((guard) =>
      guard
        .leases(subject)
        .filter((lease) => lease.grant.session === entry.id)
        .map((lease) => ({ guard, lease })),
    )
  }

  #now(): number {
    return this.#settings.clock.now()
  }
}

/** @throws OutageError when there is no answer in time; what `find` throws passes through */
async function inTime<T>(find: () => MaybePromise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new OutageError('records_unavailable', 'sessions: no answer in time')),
      lookTimeoutMs,
    ).unref()
  })
  try {
    return await Promise.race([find(), late])
  } finally {
    clearTimeout(timer)
  }
}
