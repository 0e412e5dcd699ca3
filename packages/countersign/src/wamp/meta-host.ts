/** What the meta API needs of its realm, and the shape of its answers. */
import type { MaybePromise } from '../core/records.ts'
import type { Broker } from './broker.ts'
import type { Dealer } from './dealer.ts'
import type { Killed } from './kills.ts'
import { noDict, type Call, type Dict } from './messages.ts'
import type { Session } from './session.ts'
import type { UriCheck } from './uri.ts'

/** How a session is ended by the meta API. */
export interface Kill {
  /** URI of its GOODBYE. */
  readonly reason: string
  readonly message: string | undefined
  /** Neither testaments nor meta events follow. */
  readonly quiet: boolean
}

/** A realm, as its meta procedures see it. */
export interface MetaHost {
  readonly broker: Broker
  readonly dealer: Dealer
  readonly uriCheck: UriCheck
  readonly maxTestaments: number
  readonly maxHeldBytes: number
  /** The session of this id. */
  session(id: number): Session | undefined
  /** All sessions, in the order in which they joined. The router's own is not among them. */
  sessions(): Iterable<Session>
  /** Ends a session, and forgets whoever was remembered for its client. */
  kill(session: Session, how: Kill): void
  /** Forgets on every transport whom a kill is meant for, also those who have no session now. */
  forget(whom: Omit<Killed, 'realm'>): void
  /** Forgets decisions that authorizers allowed to be kept: of one session, or all. */
  purge(session: Session | undefined): void
}

/** One call of a meta procedure, its arguments as values of anyone's making. */
export interface MetaCall {
  readonly caller: Session
  readonly args: readonly unknown[]
  readonly kwargs: Dict
}

/** What becomes RESULT or ERROR. */
export type MetaAnswer =
  | { readonly kind: 'result'; readonly args: readonly unknown[]; readonly kwargs: Dict }
  | { readonly kind: 'error'; readonly error: string }

/**
 * One meta procedure. Total: arguments of a wrong type are an answer as well. A promise, which never rejects, only where
 * an authorizer has to be asked.
 */
export type MetaProcedure = (host: MetaHost, call: MetaCall) => MaybePromise<MetaAnswer>

/** The arguments of a CALL for a meta procedure. */
export function metaCallOf(caller: Session, { payload }: Call): MetaCall {
  return { caller, args: payload.args(), kwargs: payload.kwargs() }
}

/** A result with these positional values. */
export function answer(...args: readonly unknown[]): MetaAnswer {
  return { kind: 'result', args, kwargs: noDict }
}

/** An error. */
export function refuse(error: string): MetaAnswer {
  return { kind: 'error', error }
}

/** ERROR of arguments that are not what the procedure takes. */
export const badArguments: MetaAnswer = refuse('wamp.error.invalid_argument')
