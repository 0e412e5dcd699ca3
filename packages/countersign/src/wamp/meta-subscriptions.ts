/** Subscription meta procedures (WAMP, advanced profile, subscription meta API; event history). */
import { isThenable } from '../core/drive.ts'
import type { MaybePromise } from '../core/records.ts'
import type { ErrorUri, StoredEvent, Subscription } from './broker-types.ts'
import { idOf } from './ids.ts'
import type { Dict } from './messages.ts'
import { found, lookedUp, takenAway, type Holdings } from './meta-arguments.ts'
import {
  answer,
  badArguments,
  refuse,
  type MetaAnswer,
  type MetaCall,
  type MetaHost,
  type MetaProcedure,
} from './meta-host.ts'

const subscriptions: Holdings<Subscription> = {
  none: refuse('wamp.error.no_such_subscription'),
  find: (host, id) => host.broker.find(id),
  holds: ({ sessions }, session) => sessions.has(session),
  revoke: (host, { one, session }, reason) => host.broker.revoke(session, one, reason),
  reason: 'wamp.subscription.revoked',
}

/** The procedures by name. `remove_subscriber` is none of the specification's: Crossbar.io has it. */
export const subscriptionProcedures: Readonly<Record<string, MetaProcedure>> = {
  'wamp.subscription.list': (host) => answer(host.broker.list()),
  'wamp.subscription.lookup': (host, call) =>
    lookedUp(call, (topic, match) => host.broker.lookup(topic, match)),
  // A list: an event goes to every subscription that covers its topic.
  'wamp.subscription.match': (host, { args: [topic] }) => {
    if (typeof topic !== 'string') return badArguments
    const ids = host.broker.matching(topic)
    return answer(ids.length === 0 ? null : ids)
  },
  'wamp.subscription.get': (host, call) =>
    found(subscriptions, { host, call }, (one) => answer(subscriptionDetails(one))),
  'wamp.subscription.list_subscribers': (host, call) =>
    found(subscriptions, { host, call }, ({ sessions }) => answer(Array.from(sessions, ({ id }) => id))),
  'wamp.subscription.count_subscribers': (host, call) =>
    found(subscriptions, { host, call }, ({ sessions }) => answer(sessions.size)),
  'wamp.subscription.get_events': events,
  'wamp.subscription.remove_subscriber': (host, call) => takenAway(subscriptions, host, call),
}

/** What is told about a subscription. */
export function subscriptionDetails({ id, createdAtMs, topic, match }: Subscription): Dict {
  return { id, created: new Date(createdAtMs).toISOString(), uri: topic, match }
}

/** Stored events of a subscription, as far as the asker might have received them. */
function events(host: MetaHost, { caller, args, kwargs }: MetaCall): MaybePromise<MetaAnswer> {
  const id = idOf(args[0])
  if (id === undefined) return badArguments
  const stored = host.broker.events(caller, id, kwargs)
  return isThenable(stored) ? stored.then(toldEvents) : toldEvents(stored)
}

function toldEvents(stored: readonly StoredEvent[] | ErrorUri): MetaAnswer {
  return typeof stored === 'string' ? refuse(stored) : answer(stored)
}
