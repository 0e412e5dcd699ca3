/** Events that the router itself publishes: who joins and leaves, what is subscribed and registered. */
import type { BrokerWatch } from './broker-types.ts'
import type { DealerWatch } from './dealer-types.ts'
import { registrationDetails } from './meta-registrations.ts'
import { sessionDetails } from './meta-sessions.ts'
import { subscriptionDetails } from './meta-subscriptions.ts'
import type { Session } from './session.ts'

/** Publishes one of the router's own events. */
export type Announce = (topic: string, args: readonly unknown[]) => void

/** Topic of `announceJoin`. */
export const onJoin = 'wamp.session.on_join'
/** Topic of `announceLeave`. */
export const onLeave = 'wamp.session.on_leave'

/** `wamp.session.on_join` with the details of the session. */
export function announceJoin(announce: Announce, session: Session): void {
  announce(onJoin, [sessionDetails(session)])
}

/** `wamp.session.on_leave` with id, authid and authrole. */
export function announceLeave(announce: Announce, { id, identity }: Session): void {
  announce(onLeave, [id, identity.authid, identity.authrole])
}

/** `wamp.subscription.on_…`: created before subscribed, unsubscribed before deleted, as the broker tells them. */
export function watchSubscriptions(announce: Announce): BrokerWatch {
  return {
    created(session, subscription) {
      announce('wamp.subscription.on_create', [session.id, subscriptionDetails(subscription)])
    },
    subscribed(session, { id }) {
      announce('wamp.subscription.on_subscribe', [session.id, id])
    },
    unsubscribed(session, { id }) {
      announce('wamp.subscription.on_unsubscribe', [session.id, id])
    },
    deleted(session, { id }) {
      announce('wamp.subscription.on_delete', [session.id, id])
    },
  }
}

/**
 * `wamp.registration.on_…`, as the dealer tells them.
 * @param registered told of every procedure or pattern that has a callee more
 */
export function watchRegistrations(announce: Announce, registered: (procedure: string) => void): DealerWatch {
  return {
    created(session, registration) {
      announce('wamp.registration.on_create', [session.id, registrationDetails(registration)])
    },
    registered(session, { id, procedure }) {
      announce('wamp.registration.on_register', [session.id, id])
      registered(procedure)
    },
    unregistered(session, { id }) {
      announce('wamp.registration.on_unregister', [session.id, id])
    },
    deleted(session, { id }) {
      announce('wamp.registration.on_delete', [session.id, id])
    },
  }
}
