/** Registration meta procedures (WAMP, advanced profile, registration meta API). */
import type { Registration } from './dealer-types.ts'
import type { Dict } from './messages.ts'
import { found, lookedUp, takenAway, type Holdings } from './meta-arguments.ts'
import { answer, badArguments, refuse, type MetaProcedure } from './meta-host.ts'

const registrations: Holdings<Registration> = {
  none: refuse('wamp.error.no_such_registration'),
  find: (host, id) => host.dealer.find(id),
  holds: ({ callees }, session) => callees.includes(session),
  revoke: (host, { one, session }, reason) => host.dealer.revoke(session, one, reason),
  reason: 'wamp.registration.revoked',
}

/** The procedures by name. `remove_callee` is none of the specification's: Crossbar.io has it. */
export const registrationProcedures: Readonly<Record<string, MetaProcedure>> = {
  'wamp.registration.list': (host) => answer(host.dealer.list()),
  'wamp.registration.lookup': (host, call) =>
    lookedUp(call, (procedure, match) => host.dealer.lookup(procedure, match)),
  // One id: of all that cover a procedure, a call goes to the best one alone.
  'wamp.registration.match': (host, { args: [procedure] }) =>
    typeof procedure === 'string' ? answer(host.dealer.match(procedure) ?? null) : badArguments,
  'wamp.registration.get': (host, call) =>
    found(registrations, { host, call }, (one) => answer(registrationDetails(one))),
  'wamp.registration.list_callees': (host, call) =>
    found(registrations, { host, call }, ({ callees }) => answer(callees.map(({ id }) => id))),
  'wamp.registration.count_callees': (host, call) =>
    found(registrations, { host, call }, ({ callees }) => answer(callees.length)),
  'wamp.registration.remove_callee': (host, call) => takenAway(registrations, host, call),
}

/** What is told about a registration. */
export function registrationDetails(registration: Registration): Dict {
  const { id, createdAtMs, procedure, match, policy } = registration
  return { id, created: new Date(createdAtMs).toISOString(), uri: procedure, match, invoke: policy }
}
