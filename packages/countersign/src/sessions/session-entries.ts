/** Sessions that sockets rest upon: by what the store calls them, by their public name, and in turn. */
import type { ApplicationVisitor } from '../core/ports.ts'

/** What is remembered of one session. */
export interface SessionEntry {
  /** Public name: in grants, marks and the journal. */
  readonly id: string
  /** What the store knows it by. Secret, as a rule. */
  readonly handle: string
  /** Whom it let in last: leases are found by it. */
  subject: string | undefined
  /** Who is behind it, by the newest answer; `undefined`: nobody, or it is gone. */
  visitor: ApplicationVisitor | undefined
  /** End that its leases were given, ms since the epoch. */
  untilMs: number
  /** When the store last answered. */
  seenAtMs: number
  /** When a socket last asked for it. */
  usedAtMs: number
  /** Attempts that are being judged. */
  judging: number
  /** Number of the newest question whose answer counts: older answers that come later do not. */
  applied: number
  /** The application has destroyed it: final. */
  destroyed: boolean
}

/** All entries. The order is that in which they are looked at: whoever was is last. */
export class SessionEntries {
  readonly #byHandle = new Map<string, SessionEntry>()
  readonly #byId = new Map<string, SessionEntry>()
  readonly #idOf: (handle: string) => string

  /** @param idOf the public name of a handle: another one for each, and none that leads back */
  constructor(idOf: (handle: string) => string) {
    this.#idOf = idOf
  }

  get size(): number {
    return this.#byHandle.size
  }

  /** The entry of this handle, if there is one. */
  ofHandle(handle: string): SessionEntry | undefined {
    return this.#byHandle.get(handle)
  }

  /** The entry of this public name, if there is one. */
  ofId(id: string | undefined): SessionEntry | undefined {
    return id === undefined ? undefined : this.#byId.get(id)
  }

  /** The entry of this handle; a fresh one is there from now on, so that news of its session is not missed. */
  open(handle: string, now: number): SessionEntry {
    const known = this.#byHandle.get(handle)
    if (known !== undefined) return known
    const entry: SessionEntry = {
      id: this.#idOf(handle),
      handle,
      subject: undefined,
      visitor: undefined,
      untilMs: Infinity,
      seenAtMs: now,
      usedAtMs: now,
      judging: 0,
      applied: 0,
      destroyed: false,
    }
    this.#byHandle.set(handle, entry)
    this.#byId.set(entry.id, entry)
    return entry
  }

  /** Forgets an entry. */
  drop(entry: SessionEntry): void {
    this.#byHandle.delete(entry.handle)
    this.#byId.delete(entry.id)
  }

  /** The entry that was not looked at for longest; it goes to the end. */
  next(): SessionEntry | undefined {
    const first = this.#byHandle.values().next()
    if (first.done === true) return undefined
    this.#byHandle.delete(first.value.handle)
    this.#byHandle.set(first.value.handle, first.value)
    return first.value
  }

  /** A list of all, which bears with changes while it is walked. */
  all(): readonly SessionEntry[] {
    return [...this.#byHandle.values()]
  }
}
