/** Revocation marks in memory: what every acceptance and every living lease is compared with. */
import type { Caller } from '../core/handshake.ts'
import type { Grant } from '../core/principal.ts'
import { markKinds, type Mark, type MarkKind } from '../core/records.ts'
import { everything } from '../core/revocation.ts'
import { addressGroups, covers, parseRange, type AddressRange } from '../wire/range.ts'

/** Marks are kept this long, ms: longer than anything that they revoke may live. */
export const keepMarksMs: number = 400 * 86_400_000

/** Kinds that name a member of a grant, which either is the value or is not. */
const grantKinds = ['subject', 'token', 'apiKey', 'certificate', 'serial', 'issuer'] as const

/** Marks by kind and value. Without any, `find` costs one comparison. */
export class Marks {
  /** A map for each kind: a value of one kind must not be found under another. */
  readonly #byKind = Object.fromEntries(markKinds.map((kind) => [kind, new Map()])) as Readonly<
    // Every kind is there: the entries are made of their list.
    Record<MarkKind, Map<string, Mark>>
  >
  /** Blocks of addresses, read once. */
  readonly #ranges = new Map<string, AddressRange>()
  #size = 0

  /** Keeps the later one of two marks of the same kind and value. */
  put(mark: Mark): void {
    const marks = this.#byKind[mark.kind]
    const known = marks.get(mark.value)
    if (known !== undefined && known.atMs > mark.atMs) return
    marks.set(mark.value, mark)
    if (known !== undefined) return
    this.#size++
    const range = mark.kind === 'address' ? parseRange(mark.value) : undefined
    if (range !== undefined) this.#ranges.set(mark.value, range)
  }

  /** The mark that revokes this grant, this lease or what this caller was granted. */
  find(grant: Grant, lease: string, caller: Caller | undefined): Mark | undefined {
    if (this.#size === 0) return undefined
    const ended = this.#byKind.lease.get(lease) ?? this.#byKind.session.get(grant.session ?? '')
    if (ended !== undefined) return ended
    for (const kind of grantKinds) {
      const value = grant[kind]
      const mark = value === undefined ? undefined : this.#of(kind, value, grant)
      if (mark !== undefined) return mark
    }
    return (
      this.#of('issuedBefore', everything, grant) ??
      (this.#byKind.role.size === 0 ? undefined : this.#findRole(grant)) ??
      (caller === undefined ? undefined : this.#findCaller(grant, caller))
    )
  }

  /** The mark of this kind and value, if it is no older than the grant. */
  #of(kind: MarkKind, value: string, grant: Grant): Mark | undefined {
    const mark = this.#byKind[kind].get(value)
    return mark !== undefined && grant.issuedAtMs <= mark.atMs ? mark : undefined
  }

  /** A grant has many roles, and any of them may be the one that was taken back. */
  #findRole(grant: Grant): Mark | undefined {
    for (const role of grant.roles) {
      const mark = this.#of('role', role, grant)
      if (mark !== undefined) return mark
    }
    return undefined
  }

  #findCaller(grant: Grant, { origin, remoteAddress }: Caller): Mark | undefined {
    const page = origin === undefined ? undefined : this.#of('origin', origin, grant)
    if (page !== undefined || this.#ranges.size === 0) return page
    const address = addressGroups(remoteAddress)
    if (address === undefined) return undefined
    for (const [value, range] of this.#ranges) {
      const mark = covers(range, address) ? this.#of('address', value, grant) : undefined
      if (mark !== undefined) return mark
    }
    return undefined
  }

  /** Drops marks that are older than `keepMarksMs`. @returns how many */
  sweep(now: number): number {
    const before = this.#size
    for (const marks of Object.values(this.#byKind)) {
      for (const [value, mark] of marks) {
        if (mark.atMs >= now - keepMarksMs || !marks.delete(value)) continue
        this.#size--
        if (mark.kind === 'address') this.#ranges.delete(value)
      }
    }
    return before - this.#size
  }

  /** Forgets all marks. */
  clear(): void {
    for (const marks of Object.values(this.#byKind)) marks.clear()
    this.#ranges.clear()
    this.#size = 0
  }
}
