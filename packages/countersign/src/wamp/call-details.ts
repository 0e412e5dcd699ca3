/** What a callee is told about a call, and whether it can take it at all. */
import { plainCall, type CallWishes } from './call-options.ts'
import type { PendingCall, Registration } from './dealer-types.ts'
import { noDict, type Dict } from './messages.ts'
import type { Features, Session } from './session.ts'

/** Whether the caller announced what it uses. Otherwise it breaks the protocol (advanced profile, feature announcements). */
export function mayWish(caller: Features, wishes: CallWishes): boolean {
  if (wishes.progress && !caller.callerProgressiveInvocations) return false
  return wishes.passthru === noDict || caller.callerPassthru
}

/**
 * Whether a callee can take a call. One that cannot be canceled counts as one that cannot take progressive invocations
 * (WAMP, advanced profile, progressive call invocations).
 */
export function canTake(callee: Features, wishes: CallWishes): boolean {
  if (wishes.progress && !(callee.calleeProgressiveInvocations && callee.calleeCanceling)) return false
  return wishes.passthru === noDict || callee.calleePassthru
}

/** Whether the callee watches over the time limit itself: it asked for that, and announced that it can. */
export function keepsTime(callee: Session, registration: Registration): boolean {
  return registration.forwardTimeout?.has(callee) === true && callee.features.calleeTimeout
}

/** Both sides of progressive results as the specification wants them: announced, and the callee can be canceled. */
export function progressAnnounced(caller: Features, callee: Features): boolean {
  return caller.callerProgressiveResults && callee.calleeProgressiveResults && callee.calleeCanceling
}

/** Details of an INVOCATION, made anew: nothing that a caller writes is passed on but the attributes of passthru mode. */
export function invocationDetails(pending: PendingCall, wishes: CallWishes): Dict {
  const { registration, caller, callee } = pending
  const pattern = registration.match !== 'exact'
  const discloses = pending.disclosed || wishes.discloseMe || registration.disclose?.has(callee) === true
  if (wishes === plainCall && !pattern && !discloses && caller.trustlevel === undefined) return noDict
  const details: Record<string, unknown> = { ...wishes.passthru }
  if (pattern) details['procedure'] = pending.procedure
  if (pending.progressive) details['receive_progress'] = true
  if (pending.timeoutMs > 0 && keepsTime(callee, registration)) details['timeout'] = pending.timeoutMs
  if (discloses) disclose(details, caller)
  if (caller.trustlevel !== undefined) details['trustlevel'] = caller.trustlevel
  return details
}

/** WAMP, advanced profile, caller identification. */
function disclose(details: Record<string, unknown>, caller: Session): void {
  details['caller'] = caller.id
  details['caller_authid'] = caller.identity.authid
  details['caller_authrole'] = caller.identity.authrole
}
