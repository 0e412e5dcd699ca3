/**
 * Calls that were answered while their caller was still sending arguments. What is still under way is dropped, and neither
 * refused nor taken for a new call (WAMP, advanced profile, progressive call invocations, "Continuations on Completed
 * Calls"). Request ids need not be sequential here, hence the table of ids instead of a watermark.
 */
import type { Session } from './session.ts'

/** Ids that are remembered for one caller; beyond, the oldest is forgotten. */
export const maxLate = 1_000

/** The table of ids, for all callers of a dealer. */
export class LateCalls {
  readonly #ids: Map<Session, Set<number>> = new Map()

  /** More of this call may still come. */
  add(caller: Session, request: number): void {
    const ids = this.#ids.get(caller) ?? new Set()
    this.#ids.set(caller, ids)
    ids.add(request)
    if (ids.size <= maxLate) return
    for (const oldest of ids) {
      ids.delete(oldest)
      return
    }
  }

  /**
   * Whether a CALL is the rest of one that was answered, hence dropped.
   * @param more whether it says that more follows; the last one frees the id
   */
  takes(caller: Session, request: number, more: boolean): boolean {
    const ids = this.#ids.get(caller)
    if (ids === undefined || !ids.has(request)) return false
    if (more) return true
    ids.delete(request)
    if (ids.size === 0) this.#ids.delete(caller)
    return true
  }

  /** The caller has left. */
  forget(caller: Session): void {
    this.#ids.delete(caller)
  }

  /** Callers about whom something is remembered. */
  get size(): number {
    return this.#ids.size
  }
}
