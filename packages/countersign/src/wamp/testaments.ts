/** Testaments: what is published for a session once it has gone (WAMP, advanced profile, testaments). */
import type { Dict } from './messages.ts'

/** When a testament is due. Sessions are never frozen, so one moment serves both: `detached` first. */
export type TestamentScope = 'detached' | 'destroyed'

/** One publication to come. */
export interface Testament {
  readonly topic: string
  readonly args: readonly unknown[]
  readonly kwargs: Dict
  /** Options of the PUBLISH; `acknowledge` has nobody to acknowledge to. */
  readonly options: Dict
}

/** The testaments of one session, each scope in the order in which they were made. */
export class Testaments {
  readonly #scopes: Record<TestamentScope, Testament[]> = { detached: [], destroyed: [] }

  /** How many there are. */
  get size(): number {
    return this.#scopes.detached.length + this.#scopes.destroyed.length
  }

  /** Adds one behind those of its scope. */
  add(scope: TestamentScope, testament: Testament): void {
    this.#scopes[scope].push(testament)
  }

  /** Drops all of one scope. */
  flush(scope: TestamentScope): void {
    this.#scopes[scope] = []
  }

  /** All, in the order in which they are published. */
  inOrder(): readonly Testament[] {
    return [...this.#scopes.detached, ...this.#scopes.destroyed]
  }
}

/** `scope` of the two procedures: absent means `destroyed`, anything unknown is no scope. */
export function scopeOf(given: unknown): TestamentScope | undefined {
  if (given === undefined || given === null) return 'destroyed'
  return given === 'detached' || given === 'destroyed' ? given : undefined
}
