/** Registration meta procedures (WAMP, advanced profile, registration meta API). */
import type { Registration } from './dealer-types.ts'
import { isDict } from './features.ts'
import { idOf } from './ids.ts'
import type { Dict } from './messages.ts'
import {
  answer,
  badArguments,
  refuse,
  type MetaAnswer,
  type MetaCall,
  type MetaHost,
  type MetaProcedure,
} from './meta-host.ts'
import { isUri, matchOf } from './uri.ts'

/** The procedures by name. */
export const registrationProcedures: Readonly<Record<string, MetaProcedure>> = {
  'wamp.registration.list': (host) => answer(host.dealer.list()),
  'wamp.registration.lookup': (host, { args: [procedure, options] }) => {
    const match = matchOf(isDict(options) ? (options['match'] ?? undefined) : undefined)
    if (typeof procedure !== 'string' || match === undefined) return badArguments
    return answer(host.dealer.lookup(procedure, match) ?? null)
  },
  'wamp.registration.match': (host, { args: [procedure] }) =>
    typeof procedure === 'string' ? answer(host.dealer.match(procedure) ?? null) : badArguments,
  'wamp.registration.get': (host, call) => found(host, call, (one) => answer(registrationDetails(one))),
  'wamp.registration.list_callees': (host, call) =>
    found(host, call, ({ callees }) => answer(callees.map(({ id }) => id))),
  'wamp.registration.count_callees': (host, call) =>
    found(host, call, ({ callees }) => answer(callees.length)),
  'wamp.registration.remove_callee': removeCallee,
}

/** What is told about a registration. */
export function registrationDetails(registration: Registration): Dict {
  const { id, createdAtMs, procedure, match, policy } = registration
  return { id, created: new Date(createdAtMs).toISOString(), uri: procedure, match, invoke: policy }
}

const noSuchRegistration = refuse('wamp.error.no_such_registration')

function found(
  host: MetaHost,
  { args }: MetaCall,
  tell: (registration: Registration) => MetaAnswer,
): MetaAnswer {
  const id = idOf(args[0])
  if (id === undefined) return badArguments
  const registration = host.dealer.find(id)
  return registration === undefined ? noSuchRegistration : tell(registration)
}

/** Takes one callee off a registration, and tells it (as Crossbar.io has it). */
function removeCallee(host: MetaHost, { args, kwargs }: MetaCall): MetaAnswer {
  const id = idOf(args[0])
  const callee = idOf(args[1])
  const reason = kwargs['reason'] ?? 'wamp.registration.revoked'
  if (id === undefined || callee === undefined) return badArguments
  if (typeof reason !== 'string' || !isUri(reason, 'loose')) return refuse('wamp.error.invalid_uri')
  const registration = host.dealer.find(id)
  const session = host.session(callee)
  if (registration === undefined) return noSuchRegistration
  if (session === undefined || !registration.callees.includes(session)) {
    return refuse('wamp.error.no_such_session')
  }
  host.dealer.revoke(session, registration, reason)
  return answer()
}
