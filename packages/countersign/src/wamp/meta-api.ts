/** Procedures that the router itself answers, in one table. */
import { noDict, type Call, type Result } from './messages.ts'
import {
  answer,
  badArguments,
  idOf,
  metaCallOf,
  refuse,
  type MetaAnswer,
  type MetaHost,
  type MetaProcedure,
} from './meta-host.ts'
import { registrationProcedures } from './meta-registrations.ts'
import { sessionProcedures } from './meta-sessions.ts'
import { subscriptionProcedures } from './meta-subscriptions.ts'
import { testamentProcedures } from './meta-testaments.ts'
import { ownPrefix } from './realm-rules.ts'
import { errorOf } from './refusals.ts'
import type { Session } from './session.ts'
import { payloadOf } from './values.ts'

/**
 * Forgets authorizers' decisions that were kept: `x_countersign.authorization.purge`, of the session whose id is the
 * argument, or all.
 */
const purge: MetaProcedure = (host, { args: [id] }) => {
  if (id === undefined || id === null) {
    host.purge(undefined)
    return answer()
  }
  const session = host.session(idOf(id) ?? 0)
  if (idOf(id) === undefined) return badArguments
  if (session === undefined) return refuse('wamp.error.no_such_session')
  host.purge(session)
  return answer()
}

const procedures: ReadonlyMap<string, MetaProcedure> = new Map(
  Object.entries({
    ...sessionProcedures,
    ...subscriptionProcedures,
    ...registrationProcedures,
    ...testamentProcedures,
    [`${ownPrefix}authorization.purge`]: purge,
  }),
)

/** Answers a CALL of one of the router's own procedures. It has been authorized like any other. */
export function answerMeta(host: MetaHost | undefined, caller: Session, message: Call): void {
  const procedure = procedures.get(message.procedure)
  const of = { of: 'call', request: message.request } as const
  if (host === undefined || procedure === undefined) {
    caller.send(errorOf(of, 'wamp.error.no_such_procedure'))
    return
  }
  const told = procedure(host, metaCallOf(caller, message))
  caller.send(told.kind === 'error' ? errorOf(of, told.error) : resultOf(message, told))
}

function resultOf({ request }: Call, { args, kwargs }: Extract<MetaAnswer, { kind: 'result' }>): Result {
  return { kind: 'result', request, details: noDict, payload: payloadOf(args, kwargs) }
}
