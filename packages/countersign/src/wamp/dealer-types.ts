/** What a dealer keeps: registrations, and calls that are under way. */
import type { CallWishes } from './call-options.ts'
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
  /** In the order in which they registered; never empty while the registration exists. */
  readonly callees: Session[]
  /** Callees whose REGISTER asked for `disclose_caller`; made on first use. */
  disclose: Set<Session> | undefined
  /** Callees whose REGISTER asked for `forward_timeout`; made on first use. */
  forwardTimeout: Set<Session> | undefined
  /** Place of the callee whose turn it is, under `roundrobin`. */
  next: number
}

/** Whoever wants to know of registrations, to tell the meta API. Called after the callee was answered. */
export interface DealerWatch {
  /** The first callee of a procedure or pattern has come; `registered` follows. */
  created(session: Session, registration: Registration): void
  registered(session: Session, registration: Registration): void
  unregistered(session: Session, registration: Registration): void
  /** The last callee has gone; `unregistered` came before. */
  deleted(session: Session, registration: Registration): void
}

/** A call under way: in `caller.calls` by `request`, and in `callee.invocations` by `invocation`, always in both. */
export interface PendingCall {
  readonly caller: Session
  /** Request id of CALL. */
  readonly request: number
  readonly registration: Registration
  /** The URI that was called. */
  readonly procedure: string
  /** Who answers; another one after a rerouting. */
  callee: Session
  /** Request id of INVOCATION, in the counting of `callee`. */
  invocation: number
  /** Whether the caller may be sent progressive results. */
  progressive: boolean
  /** Whether more of the arguments may follow: the last CALL said `progress`. */
  open: boolean
  /** Whether the callee was sent more than the first part of the arguments, or would have been. */
  continued: boolean
  /** Whether the caller sent CANCEL with `kill`: whatever the callee says next is the answer. */
  killed: boolean
  /** Whether the rules tell the callee who calls, though nobody asked. */
  readonly disclosed: boolean
  /** Runs where the dealer watches over the time limit. */
  timer: Timer | undefined
  /** Time limit for the next result; 0 is none. */
  readonly timeoutMs: number
  /** Details of the first INVOCATION, without `progress`: they hold for every one that continues it. */
  details: Dict
  /** What a rerouting needs; `undefined` once the call can no longer be answered by another callee. */
  again: Again | undefined
}

/** A CALL to a shared registration, as another callee would need it. */
export interface Again {
  readonly wishes: CallWishes
  readonly payload: Payload
  /** Callees that said they were unavailable. */
  readonly tried: Set<Session>
}
