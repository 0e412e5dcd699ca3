/** What a broker keeps for each topic or pattern that somebody subscribes. */
import type { Session } from './session.ts'
import type { Match } from './uri.ts'

/** All subscribers of one (topic, match) share it, and its id. */
export interface Subscription {
  readonly id: number
  readonly topic: string
  readonly match: Match
  /** When the first one subscribed, ms since the epoch. */
  readonly createdAtMs: number
  readonly sessions: Set<Session>
}
