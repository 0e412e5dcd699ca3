/** Which shapes of challenges are in use, counted as secrets come and go. */
import type { Salting, ScramDerivation } from '../core/records.ts'

/** Answers in time that does not depend on how many secrets there are: unknown names must not be told by the clock. */
export class Census<S> {
  readonly #nameOf: (shape: S) => string
  /** By name, in the order in which they were first used. */
  readonly #inUse = new Map<string, { readonly shape: S; count: number }>()

  /** @param nameOf the same text for equal shapes, and for no others */
  constructor(nameOf: (shape: S) => string) {
    this.#nameOf = nameOf
  }

  /** A secret of this shape has come. */
  add(shape: S): void {
    const name = this.#nameOf(shape)
    const known = this.#inUse.get(name)
    if (known === undefined) this.#inUse.set(name, { shape, count: 1 })
    else known.count++
  }

  /** Takes back one `add`. */
  remove(shape: S): void {
    const name = this.#nameOf(shape)
    const known = this.#inUse.get(name)
    if (known === undefined) return
    known.count--
    if (known.count === 0) this.#inUse.delete(name)
  }

  /** The first `most` of them. */
  list(most: number): readonly S[] {
    const listed: S[] = []
    for (const { shape } of this.#inUse.values()) {
      if (listed.length >= most) break
      listed.push(shape)
    }
    return listed
  }
}

/** Saltings; `undefined` stands for unsalted. Numbers first: they have no colon, so that no two saltings share a name. */
export function saltingCensus(): Census<Salting | undefined> {
  return new Census((salting) =>
    salting === undefined ? 'unsalted' : `${salting.iterations}:${salting.keylen}:${salting.salt}`,
  )
}

/** How SCRAM keys were derived. */
export function derivationCensus(): Census<ScramDerivation> {
  return new Census(({ kdf, iterations, memory, saltBytes }) =>
    [kdf, iterations, memory, saltBytes].join(':'),
  )
}
