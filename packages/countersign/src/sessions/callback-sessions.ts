/** Sessions that the application keeps in a way of its own, coupled by two callbacks. */
import { MisuseError } from '../core/errors.ts'
import type { Guard } from '../core/guard.ts'
import type { Lease } from '../core/lease.ts'
import type { ApplicationCheck, ApplicationVisitor } from '../core/ports.ts'
import type { MaybePromise } from '../core/records.ts'
import type { CoupledSessions, FoundSession, WatchOptions } from './coupled-sessions.ts'
import { SessionWatch } from './session-watch.ts'

/** How the application answers for its sessions. */
export interface CallbackSessionsOptions extends WatchOptions {
  /** Whose session a value is. What it answers names the session: `session` is not left out here. */
  readonly check: ApplicationCheck
  /**
   * Whether a session is still good, asked again and again while sockets rest upon it. Not the cookie's value, which is
   * not kept, but its public name is told. A visitor is who is behind it now: other roles are taken over, another subject
   * ends the sockets. `false` and `undefined`: it is over.
   * @throws where it cannot tell
   */
  readonly stillGood: (
    session: string,
    lease: Lease,
  ) => MaybePromise<boolean | Omit<ApplicationVisitor, 'session'> | undefined>
}

/** As `CoupledSessions`, and told of changes. */
export interface CallbackSessions extends CoupledSessions<Omit<ApplicationVisitor, 'session'>> {
  /** This session has changed or ended: asks `stillGood` now instead of at the next interval. Never rejects. */
  changed(session: string): Promise<void>
}

/**
 * Couples sessions that two callbacks answer for. A logout is told at once by `guard.revoke({ session }, 'logged_out')`
 * or by `changed(session)`; where neither is called, `stillGood` finds it.
 * @throws MisuseError for options out of range
 */
export function callbackSessions(options: CallbackSessionsOptions): CallbackSessions {
  const watch = new SessionWatch<Omit<ApplicationVisitor, 'session'>>({
    options,
    // What the application names is public already.
    idOf: (session) => session,
    async load(session, lease, known): Promise<FoundSession<ApplicationVisitor> | undefined> {
      const answer = await options.stillGood(session, lease)
      const visitor = answer === true ? known : answer
      return visitor === undefined || visitor === false ? undefined : { data: visitor, visitor }
    },
  })
  return {
    async check(value, caller) {
      const visitor = await options.check(value, caller)
      if (visitor === undefined) return undefined
      const { session } = visitor
      if (typeof session !== 'string' || session === '')
        throw new MisuseError('invalid_option', 'callbackSessions: check names no session')
      return await watch.admit(session, () => ({ data: visitor, visitor }))
    },
    couple: (guard: Guard) => watch.couple(guard),
    current: (lease) => watch.current(lease),
    changed: (session) => watch.recheck({ session }),
  }
}
