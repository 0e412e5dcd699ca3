/** What a call makes its two sides hear. */
import { dealerError, type DealerError } from './dealer-errors.ts'
import type { PendingCall } from './dealer-types.ts'
import { noDict, type Dict } from './messages.ts'
import type { Payload } from './payload.ts'
import type { Session } from './session.ts'

const progressDetails: Dict = Object.freeze({ progress: true })
const interrupts = {
  kill: Object.freeze({ mode: 'kill' }),
  killnowait: Object.freeze({ mode: 'killnowait' }),
} as const

/** INVOCATION, the first one of a call or one that continues it. */
export function sendInvocation(pending: PendingCall, payload: Payload): void {
  const { callee, invocation, registration, open } = pending
  const details = open ? { ...pending.details, progress: true } : pending.details
  callee.send({ kind: 'invocation', request: invocation, registration: registration.id, details, payload })
}

/** Only to callees that announced it: others drop the connection (WAMP, advanced profile, call canceling). */
export function interrupt(pending: PendingCall, mode: 'kill' | 'killnowait'): void {
  if (!pending.callee.features.calleeCanceling) return
  pending.callee.send({ kind: 'interrupt', request: pending.invocation, options: interrupts[mode] })
}

/** ERROR to the caller, in the dealer's own words. The call is forgotten already. */
export function answer(pending: PendingCall, error: DealerError): void {
  pending.caller.send(dealerError('call', pending.request, error))
}

/** Whether a callee was ever sent this invocation: ids count 1, 2, 3 …, so that one that is over is known by its number. */
export function wasIssued(callee: Session, invocation: number): boolean {
  return Number.isInteger(invocation) && invocation >= 1 && invocation <= callee.lastInvocation
}

/** Details of a RESULT; almost always one of two constants. */
export function resultDetails(progress: boolean, passthru: Dict): Dict {
  if (passthru === noDict) return progress ? progressDetails : noDict
  return progress ? { ...passthru, progress: true } : passthru
}
