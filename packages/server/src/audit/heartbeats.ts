/** What a target does to find out whether its peers are still there, as a peer sees it that never answers. */
import type { Dialect } from './dialects/dialect.ts'
import type { Visit } from './visit.ts'

/** When a target asked a peer that does not answer: pings of WebSocket, and those that its protocol has of its own. */
export class Heartbeats {
  readonly #visit: Visit
  readonly #dialect: Dialect
  readonly #asked: number[] = []

  constructor(visit: Visit, dialect: Dialect) {
    this.#visit = visit
    this.#dialect = dialect
  }

  /** Listens for a while, or until the socket is closed. Everything else that is said is dropped. */
  async listen(withinMs: number): Promise<void> {
    const until = performance.now() + withinMs
    for (;;) {
      const message = await this.#visit.next(Math.max(0, until - performance.now()))
      if (message === undefined) return
      const heard = this.#dialect.read(message)
      if (heard.kind === 'control' && heard.answer !== undefined) this.#asked.push(this.#visit.ageMs)
    }
  }

  /** Ages of the visit, in order. */
  get atMs(): readonly number[] {
    return [...this.#asked, ...this.#visit.pingsAtMs].toSorted((one, other) => one - other)
  }
}

/** What follows from a peer that was kept although it answered nothing. */
export type Neglect =
  | { readonly kind: 'never asked' }
  | { readonly kind: 'kept'; readonly pings: number }
  /** Two intervals are longer than it was waited for. */
  | { readonly kind: 'too early'; readonly says: string }

/** Judges what was seen of a peer that is still there after a while. A target has two intervals to notice. */
export function neglectOf(atMs: readonly number[], waitedMs: number): Neglect {
  const [first, second] = atMs
  if (first === undefined) return { kind: 'never asked' }
  const waited = `${waitedMs / 1_000} s`
  const longer = 'a larger deadPeerMs would tell'
  if (second === undefined)
    return { kind: 'too early', says: `one ping within ${waited}, after ${first} ms: ${longer}` }
  const intervalMs = second - first
  if (first + 2 * intervalMs > waitedMs)
    return {
      kind: 'too early',
      says: `pings come every ${intervalMs} ms, and two intervals were not over after ${waited}: ${longer}`,
    }
  return { kind: 'kept', pings: atMs.length }
}
