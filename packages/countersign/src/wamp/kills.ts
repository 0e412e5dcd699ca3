/** Whom the meta API has killed, so that nobody of them comes back by what a transport remembers. */
import type { Remembered } from '../core/remembered.ts'

/** Whoever is remembered, as far as a kill looks at it. */
export type RememberedWho = Pick<Remembered, 'principal' | 'realm'>

/** Whether a kill was meant for somebody who is remembered. */
export type IsMeant = (who: RememberedWho) => boolean

/** Whom a kill is meant for: on one realm, all of a name, all of a role, or all. */
export interface Killed {
  readonly realm: string
  readonly by: 'authid' | 'authrole' | 'all'
  /** The name or the role; of all it says nothing. */
  readonly value: string
}

/** Reads a kill. Somebody of several roles is meant by each of them: which one a session would have is not known yet. */
function meantBy({ realm, by, value }: Killed): IsMeant {
  return (who) => {
    if (who.realm !== realm) return false
    if (by === 'all') return true
    const { claims, id, roles } = who.principal
    return by === 'authid' ? (claims['authid'] ?? id) === value : roles.includes(value)
  }
}

/** Kills that are looked back upon. Whoever has been judged for longer than that counts as meant. */
const maxRecent = 1_000

/**
 * The kills of a router, in their order. Whoever is judged by what was remembered takes a `mark` first and is held against
 * every later kill at the end: what the judge was told may be forgotten by then.
 */
export class Kills {
  #count = 0
  readonly #recent: IsMeant[] = []
  readonly #listeners: Set<(isMeant: IsMeant) => void> = new Set()

  /** How many there were. */
  get mark(): number {
    return this.#count
  }

  /** One more: everybody who listens is told. */
  add(killed: Killed): void {
    const isMeant = meantBy(killed)
    this.#count++
    this.#recent.push(isMeant)
    if (this.#recent.length > maxRecent) this.#recent.shift()
    for (const listener of this.#listeners) listener(isMeant)
  }

  /** Whether somebody was killed since a mark was taken. */
  since(mark: number, who: RememberedWho): boolean {
    const later = this.#count - mark
    if (later === 0) return false
    if (later > this.#recent.length) return true
    return this.#recent.slice(-later).some((isMeant) => isMeant(who))
  }

  /** Tells a listener of each kill, before the sessions end. @returns a function that takes it away */
  listen(listener: (isMeant: IsMeant) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}
