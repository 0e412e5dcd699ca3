/** What coupling a web application's sessions to its sockets looks like, whichever library keeps the sessions. */
import type { Guard } from '../core/guard.ts'
import type { Lease } from '../core/lease.ts'
import type { ApplicationCheck, ApplicationVisitor, Clock } from '../core/ports.ts'

/** Sessions of the web application, and the sockets that rest upon them. `D` is what a session holds. */
export interface CoupledSessions<D> {
  /**
   * For `applicationSession({ from, check })`: whose session a cookie's value is. Rejects until `couple` was called: a
   * socket must not open that nothing would end.
   */
  readonly check: ApplicationCheck
  /**
   * Ends the sockets of this guard with their sessions from now on. Call it once for each guard that accepts by `check`.
   * @returns a function that ends the coupling
   */
  couple(guard: Guard): () => void
  /**
   * The session behind a lease as it is now, not as it was when the socket opened; whatever has changed acts on its
   * sockets before this answers.
   * @returns `undefined` when it is gone, and the lease ended
   * @throws OutageError when the store cannot tell
   */
  current(lease: Lease): Promise<D | undefined>
}

/** How sessions are looked at again while sockets rest upon them. */
export interface WatchOptions {
  /**
   * How often each session with open sockets is looked up again, ms, for what other processes change in the same store:
   * 100 to 3,600,000; 0: never. @default 5000
   */
  readonly recheckEveryMs?: number
  /**
   * How long sockets stay open that could not be looked after because the store was out of reach, ms, at least two
   * intervals; then they end with `internal`. `Infinity`: for ever. @default 60,000 or four intervals
   */
  readonly staleMs?: number
  /** How many look-ups may run at a time, 1 to 1,000. @default 16 */
  readonly maxConcurrent?: number
  /** @default Node's */
  readonly clock?: Clock
}

/** A session that was found, and who is behind it. */
export interface FoundSession<D> {
  readonly data: D
  /** Its `session` is left out: the watch names sessions. */
  readonly visitor: ApplicationVisitor
}

/**
 * Looks a session up.
 * @param handle what the store knows it by. Secret, as a rule
 * @param lease one of those that rest upon it
 * @param known who was behind it when it was last seen
 * @returns `undefined` when it is gone or belongs to nobody
 * @throws when the store cannot tell
 */
export type LoadSession<D> = (
  handle: string,
  lease: Lease,
  known: ApplicationVisitor | undefined,
) => Promise<FoundSession<D> | undefined>
