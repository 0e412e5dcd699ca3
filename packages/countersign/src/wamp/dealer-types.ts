/** What a dealer keeps: registrations, and calls that are under way. */
import type { Dict } from './messages.ts'
import type { Payload } from './payload.ts'
import type { Timer } from './ports.ts'
import type { Session } from './session.ts'
import type { Match } from './uri.ts'

/** Which callee of a shared registration gets a call (WAMP, advanced profile, shared registrations). */
export type InvocationPolicy = 'single' | 'first' | 'last' | 'roundrobin' | 'random'

/** One procedure or pattern, and everyone who answers it. */
export interface Registration {
  readonly id: number
  readonly procedure: string
  readonly match: Match
  readonly policy: InvocationPolicy
  /** When the first callee registered, ms since the epoch. */
  readonly createdAtMs: number
  /** In the order in which they registered. */
  readonly callees: Session[]
  /** Callees whose REGISTER asked for `disclose_caller`. */
  readonly disclose: Set<Session>
  /** Callees whose REGISTER asked for `forward_timeout`. */
  readonly forwardTimeout: Set<Session>
  /** Place of the callee whose turn it is, under `roundrobin`. */
  next: number
}

/** A call under way. */
export interface PendingCall {
  readonly caller: Session
  /** Request id of CALL. */
  readonly request: number
  readonly registration: Registration
  /** Who answers; another one after a rerouting. */
  callee: Session
  /** Request id of INVOCATION, in the counting of `callee`. */
  invocation: number
  /** Whether the caller may be sent progressive results. */
  readonly progressive: boolean
  /** Whether more of the arguments may follow: the last CALL said `progress`. */
  open: boolean
  /** The caller has been answered (canceled, timed out): what the callee still says is dropped. */
  answered: boolean
  timer: Timer | undefined
  readonly timeoutMs: number
  /** Kept only where a rerouting may need them again. */
  readonly again: { readonly details: Dict; readonly payload: Payload; readonly tried: Session[] } | undefined
}
