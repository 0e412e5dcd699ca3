/** Revocation marks in memory: what every acceptance and every living lease is compared with. */
import type { Grant } from '../core/principal.ts'
import type { Mark, MarkKind } from '../core/records.ts'

/** Marks are kept this long, ms: longer than anything that they revoke may live. */
export const keepMarksMs: number = 400 * 86_400_000

/** Kinds that name a member of a grant, which either is the value or is not. */
const grantKinds = ['subject', 'token', 'apiKey', 'certificate'] as const

/** Marks by kind and value. Without any, `find` costs one comparison. */
export class Marks {
  /** A map for each kind: a value of one kind must not be found under another. */
  readonly #byKind: Readonly<Record<MarkKind, Map<string, Mark>>> = {
    subject: new Map(),
    session: new Map(),
    token: new Map(),
    apiKey: new Map(),
    certificate: new Map(),
    role: new Map(),
    lease: new Map(),
  }
  #size = 0

  /** Keeps the later one of two marks of the same kind and value. */
  put(mark: Mark): void {
    const marks = this.#byKind[mark.kind]
    const known = marks.get(mark.value)
    if (known !== undefined && known.atMs > mark.atMs) return
    marks.set(mark.value, mark)
    if (known === undefined) this.#size++
  }

  /** The mark that revokes this grant, or this lease. */
  find(grant: Grant, lease: string): Mark | undefined {
    if (this.#size === 0) return undefined
    const ended = this.#byKind.lease.get(lease) ?? this.#byKind.session.get(grant.session ?? '')
    if (ended !== undefined) return ended
    for (const kind of grantKinds) {
      const value = grant[kind]
      const mark = value === undefined ? undefined : this.#byKind[kind].get(value)
      if (mark !== undefined && grant.issuedAtMs <= mark.atMs) return mark
    }
    return this.#byKind.role.size === 0 ? undefined : this.#findRole(grant)
  }

  /** A grant has many roles, and any of them may be the one that was taken back. */
  #findRole(grant: Grant): Mark | undefined {
    for (const role of grant.roles) {
      const mark = this.#byKind.role.get(role)
      if (mark !== undefined && grant.issuedAtMs <= mark.atMs) return mark
    }
    return undefined
  }

  /** Drops marks that are older than `keepMarksMs`. @returns how many */
  sweep(now: number): number {
    const before = this.#size
    for (const marks of Object.values(this.#byKind)) {
      for (const [value, mark] of marks) {
        if (mark.atMs < now - keepMarksMs && marks.delete(value)) this.#size--
      }
    }
    return before - this.#size
  }

  /** Forgets all marks. */
  clear(): void {
    for (const marks of Object.values(this.#byKind)) marks.clear()
    this.#size = 0
  }
}
