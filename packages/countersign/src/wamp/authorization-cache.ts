/** Decisions of an authorizer that it allowed to be kept. */
import type { Permit } from './permit.ts'

interface Decision {
  readonly permit: Permit
  readonly atMs: number
}

/**
 * Decisions by owner (a session, an authid) and question. Bounded: the owner whose first decision is oldest goes when
 * there are too many; one owner alone starts anew.
 */
export class DecisionCache {
  readonly #ttlMs: number
  readonly #maxDecisions: number
  readonly #owners = new Map<string, Map<string, Decision>>()
  #size = 0

  constructor(options: { readonly ttlMs: number; readonly maxDecisions: number }) {
    this.#ttlMs = options.ttlMs
    this.#maxDecisions = options.maxDecisions
  }

  /** A decision that is not too old. */
  get(owner: string, question: string, now: number): Permit | undefined {
    const decision = this.#owners.get(owner)?.get(question)
    if (decision === undefined) return undefined
    // A clock that was set back must not make a decision last longer.
    const ageMs = now - decision.atMs
    return ageMs >= 0 && ageMs < this.#ttlMs ? decision.permit : undefined
  }

  /** Keeps a decision. */
  keep(owner: string, question: string, decision: Decision): void {
    while (this.#size >= this.#maxDecisions && this.#size > 0) this.#forgetOldest()
    let decisions = this.#owners.get(owner)
    if (decisions === undefined) this.#owners.set(owner, (decisions = new Map()))
    if (!decisions.has(question)) this.#size++
    decisions.set(question, decision)
  }

  /** Forgets an owner's decisions. */
  forget(owner: string): void {
    const decisions = this.#owners.get(owner)
    if (decisions === undefined) return
    this.#size -= decisions.size
    this.#owners.delete(owner)
  }

  /** Forgets all. */
  clear(): void {
    this.#owners.clear()
    this.#size = 0
  }

  #forgetOldest(): void {
    for (const owner of this.#owners.keys()) {
      this.forget(owner)
      return
    }
  }
}
