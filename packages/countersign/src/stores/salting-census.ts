/** Which saltings are in use, counted as secrets come and go. */
import type { Salting } from '../core/records.ts'

/** Answers in time that does not depend on how many secrets there are: unknown names must not be told by the clock. */
export class SaltingCensus {
  /** By name, in the order in which they were first used. */
  readonly #inUse = new Map<string, { readonly salting: Salting | undefined; count: number }>()

  /** A secret with this salting has come. */
  add(salting: Salting | undefined): void {
    const name = nameOf(salting)
    const known = this.#inUse.get(name)
    if (known === undefined) this.#inUse.set(name, { salting, count: 1 })
    else known.count++
  }

  /** Takes back one `add`. */
  remove(salting: Salting | undefined): void {
    const name = nameOf(salting)
    const known = this.#inUse.get(name)
    if (known === undefined) return
    known.count--
    if (known.count === 0) this.#inUse.delete(name)
  }

  /** The first `most` of them; `undefined` stands for unsalted. */
  list(most: number): readonly (Salting | undefined)[] {
    const listed: (Salting | undefined)[] = []
    for (const { salting } of this.#inUse.values()) {
      if (listed.length >= most) break
      listed.push(salting)
    }
    return listed
  }
}

/** Numbers first: they have no colon, so that no two saltings share a name. */
function nameOf(salting: Salting | undefined): string {
  return salting === undefined ? 'unsalted' : `${salting.iterations}:${salting.keylen}:${salting.salt}`
}
