/** Subscription meta procedures (WAMP, advanced profile, subscription meta API; event history). */
import { isThenable } from '../core/drive.ts'
import type { MaybePromise } from '../core/records.ts'
import type { ErrorUri, StoredEvent, Subscription } from './broker-types.ts'
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
export const subscriptionProcedures: Readonly<Record<string, MetaProcedure>> = {
  'wamp.subscription.list': (host) => answer(host.broker.list()),
  'wamp.subscription.lookup': (host, { args: [topic, options] }) => {
    const match = matchOf(isDict(options) ? (options['match'] ?? undefined) : undefined)
    if (typeof topic !== 'string' || match === undefined) return badArguments
    return answer(host.broker.lookup(topic, match) ?? null)
  },
  'wamp.subscription.match': (host, { args: [topic] }) => {
    if (typeof topic !== 'string') return badArguments
    const ids = host.broker.matching(topic)
    return answer(ids.length === 0 ? null : ids)
  },
  'wamp.subscription.get': (host, call) => found(host, call, (one) => answer(subscriptionDetails(one))),
  'wamp.subscription.list_subscribers': (host, call) =>
    found(host, call, ({ sessions }) => answer(Array.from(sessions, ({ id }) => id))),
  'wamp.subscription.count_subscribers': (host, call) =>
    found(host, call, ({ sessions }) => answer(sessions.size)),
  'wamp.subscription.get_events': events,
  'wamp.subscription.remove_subscriber': removeSubscriber,
}

/** What is told about a subscription. */
export function subscriptionDetails({ id, createdAtMs, topic, match }: Subscription): Dict {
  return { id, created: new Date(createdAtMs).toISOString(), uri: topic, match }
}

const noSuchSubscription = refuse('wamp.error.no_such_subscription')

function found(
  host: MetaHost,
  { args }: MetaCall,
  tell: (subscription: Subscription) => MetaAnswer,
): MetaAnswer {
  const id = idOf(args[0])
  if (id === undefined) return badArguments
  const subscription = host.broker.find(id)
  return subscription === undefined ? noSuchSubscription : tell(subscription)
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

/** Takes one subscriber off a subscription, and tells it (as Crossbar.io has it). */
function removeSubscriber(host: MetaHost, { args, kwargs }: MetaCall): MetaAnswer {
  const id = idOf(args[0])
  const subscriber = idOf(args[1])
  const reason = kwargs['reason'] ?? 'wamp.subscription.revoked'
  if (id === undefined || subscriber === undefined) return badArguments
  if (typeof reason !== 'string' || !isUri(reason, 'loose')) return refuse('wamp.error.invalid_uri')
  const subscription = host.broker.find(id)
  const session = host.session(subscriber)
  if (subscription === undefined) return noSuchSubscription
  if (session === undefined || !subscription.sessions.has(session)) {
    return refuse('wamp.error.no_such_session')
  }
  host.broker.revoke(session, subscription, reason)
  return answer()
}
