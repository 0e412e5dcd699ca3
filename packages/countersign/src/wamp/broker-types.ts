/** What a broker keeps for each topic or pattern that somebody subscribes, and what it tells others. */
import type { Dict } from './messages.ts'
import type { Session } from './session.ts'
import type { Match } from './uri.ts'

/** All subscribers of one (topic, match) share it, and its id. */
export interface Subscription {
  readonly id: number
  readonly topic: string
  readonly match: Match
  /** When the first one subscribed, ms since the epoch; for a topic with history: when the broker was made. */
  readonly createdAtMs: number
  readonly sessions: Set<Session>
}

/** URI of an ERROR. */
export type ErrorUri = `wamp.error.${string}`

/** One event of a history, as `wamp.subscription.get_events` answers it (WAMP, advanced profile, event history). */
export interface StoredEvent {
  /** RFC 3339, UTC, milliseconds. */
  readonly timestamp: string
  readonly subscription: number
  readonly publication: number
  /** Details of the EVENT; `topic` among them for patterns. */
  readonly details: Dict
  readonly args: readonly unknown[]
  readonly kwargs: Dict
}

/** Subscription ids by policy, as `wamp.subscription.list` answers them. */
export interface SubscriptionIds {
  readonly exact: number[]
  readonly prefix: number[]
  readonly wildcard: number[]
}

/**
 * Who is told what happens to subscriptions (WAMP, advanced profile, subscription meta API). SUBSCRIBED and UNSUBSCRIBED
 * have been sent by then. Called inside the broker's methods: it may publish, it must not throw.
 */
export interface BrokerWatch {
  created(session: Session, subscription: Subscription): void
  subscribed(session: Session, subscription: Subscription): void
  unsubscribed(session: Session, subscription: Subscription): void
  deleted(session: Session, subscription: Subscription): void
}
