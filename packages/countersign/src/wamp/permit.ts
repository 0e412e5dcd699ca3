/** Decisions of an authority as numbers: they are made for every message. */
import type { MaybePromise } from '../core/records.ts'
import type { Dict } from './messages.ts'
import type { Action } from './options.ts'
import type { Session } from './session.ts'

/** One decision; compare with the members of `permits`. */
export type Permit = 0 | 1 | 3 | 4

/** Every decision there is. */
export const permits: {
  readonly denied: 0
  readonly allowed: 1
  readonly disclosed: 3
  readonly failed: 4
} = {
  /** ERROR `wamp.error.not_authorized`. */
  denied: 0,
  allowed: 1,
  /** Allowed, and the identity is told to the other side unasked. */
  disclosed: 3,
  /** The authorizer broke: ERROR `wamp.error.authorization_failed`. */
  failed: 4,
}

/** What a realm asks before every action. Deny by default. */
export interface Authority {
  /**
   * Decides; a promise only where a dynamic authorizer has to be asked. Never throws, never rejects.
   * `subscribe` and `register` look at `options.match`: whoever may subscribe a URI may not thereby subscribe everything
   * below it.
   */
  decide(session: Session, action: Action, uri: string, options: Dict): MaybePromise<Permit>
  /** Forgets what was kept about a session that has gone, or whose role has changed. */
  forget(session: Session): void
}
