/** What several meta procedures ask for in the same way. */
import { idOf } from './ids.ts'
import { isDict } from './messages.ts'
import { answer, badArguments, refuse, type MetaAnswer, type MetaCall, type MetaHost } from './meta-host.ts'
import type { Session } from './session.ts'
import { isUri, matchOf, type Match } from './uri.ts'

/** `reason` among the keyword arguments. @returns `undefined` for what is no URI */
export function reasonOf({ kwargs }: MetaCall, otherwise: string): string | undefined {
  const reason = kwargs['reason'] ?? otherwise
  return typeof reason === 'string' && isUri(reason, 'loose') ? reason : undefined
}

/** ERROR of a reason that is no URI: clients drop their connection on one. */
export const badReason: MetaAnswer = refuse('wamp.error.invalid_uri')

/** Answers `lookup`: URI or pattern, and options with its `match`. @param idAt the id of what stands there */
export function lookedUp(
  { args: [uri, options] }: MetaCall,
  idAt: (uri: string, match: Match) => number | undefined,
): MetaAnswer {
  const match = matchOf(isDict(options) ? (options['match'] ?? undefined) : undefined)
  if (typeof uri !== 'string' || match === undefined) return badArguments
  return answer(idAt(uri, match) ?? null)
}

/** Where things with an id are found that sessions hold: subscriptions, registrations. */
export interface Holdings<T> {
  /** ERROR where there is none of this id. */
  readonly none: MetaAnswer
  find(host: MetaHost, id: number): T | undefined
  holds(one: T, session: Session): boolean
  /** Takes it from a session, and tells its client. */
  revoke(host: MetaHost, held: { readonly one: T; readonly session: Session }, reason: string): void
  /** URI that the client is told unless the caller names one. */
  readonly reason: string
}

/** Answers by what the first argument, an id, stands for. */
export function found<T>(
  holdings: Holdings<T>,
  { host, call }: { readonly host: MetaHost; readonly call: MetaCall },
  tell: (one: T) => MetaAnswer,
): MetaAnswer {
  const id = idOf(call.args[0])
  if (id === undefined) return badArguments
  const one = holdings.find(host, id)
  return one === undefined ? holdings.none : tell(one)
}

/** Takes something from one session: an id, the session's id, and a `reason`, as Crossbar.io has it. */
export function takenAway<T>(holdings: Holdings<T>, host: MetaHost, call: MetaCall): MetaAnswer {
  const id = idOf(call.args[0])
  const holder = idOf(call.args[1])
  const reason = reasonOf(call, holdings.reason)
  if (id === undefined || holder === undefined) return badArguments
  if (reason === undefined) return badReason
  const one = holdings.find(host, id)
  const session = host.session(holder)
  if (one === undefined) return holdings.none
  if (session === undefined || !holdings.holds(one, session)) return refuse('wamp.error.no_such_session')
  holdings.revoke(host, { one, session }, reason)
  return answer()
}
