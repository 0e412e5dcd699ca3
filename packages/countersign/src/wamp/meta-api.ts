/** Procedures that the router itself answers, in one table. */
import { isThenable } from '../core/drive.ts'
import type { MaybePromise } from '../core/records.ts'
import { idOf } from './ids.ts'
import { noDict, type Call, type ErrorMessage, type Result } from './messages.ts'
import {
  answer,
  badArguments,
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

/**
 * The answer to a CALL of one of the router's own procedures, for its caller. It has been authorized like any other. A
 * promise, which never rejects, only where an authorizer has to be asked.
 * @param host `undefined`: nothing is answered here
 */
export function answerMeta(
  host: MetaHost | undefined,
  caller: Session,
  message: Call,
): MaybePromise<Result | ErrorMessage> {
  const procedure = procedures.get(message.procedure)
  if (host === undefined || procedure === undefined) {
    return messageOf(message.request, refuse('wamp.error.no_such_procedure'))
  }
  const told = procedure(host, metaCallOf(caller, message))
  if (!isThenable(told)) return messageOf(message.request, told)
  return told.then((late) => messageOf(message.request, late))
}

function messageOf(request: number, told: MetaAnswer): Result | ErrorMessage {
  if (told.kind === 'error') return errorOf({ of: 'call', request }, told.error)
  return { kind: 'result', request, details: noDict, payload: payloadOf(told.args, told.kwargs) }
}
