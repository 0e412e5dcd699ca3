/**
 * Calls under way (WAMP, basic profile, "Calling and Invocations"; advanced profile: progressive results and invocations,
 * canceling, timeout, rerouting).
 *
 * Every call is answered once and then forgotten on both sides: there is nothing left that could answer it again. What a
 * callee says later is told from an invention by the counting of its invocations.
 */
import { canTake, invocationDetails, keepsTime, mayWish, progressAnnounced } from './call-details.ts'
import { LateCalls } from './call-late.ts'
import { answer, interrupt, resultDetails, sendInvocation, wasIssued } from './call-messages.ts'
import { callWishes, cancelModeOf, flagOf, passthruOf, type CallWishes } from './call-options.ts'
import { dealerError, type DealerError } from './dealer-errors.ts'
import type { PendingCall, Registration } from './dealer-types.ts'
import { payloadBytes } from './kept-size.ts'
import type { Call, Cancel, ErrorMessage, RouterMessage, Yield } from './messages.ts'
import { noDict } from './messages.ts'
import type { RouterLimits } from './options.ts'
import type { Payload } from './payload.ts'
import type { RouterPorts } from './ports.ts'
import type { ProcedureIndex } from './procedure-index.ts'
import type { Session } from './session.ts'
import { chooseCallee, chooseOther } from './shared-registration.ts'
import { isUri, type UriCheck } from './uri.ts'
import { noPayload } from './values.ts'

/** What calls need. */
export interface CallsOptions {
  /** Timers for time limits, chance for shared registrations. */
  readonly ports: RouterPorts
  /** Where calls go. */
  readonly index: ProcedureIndex
  /** How strictly called URIs are looked at. */
  readonly uriCheck: UriCheck
  /** `maxCalls` of one caller. */
  readonly limits: RouterLimits
  /** Whether progressive results need both sides to announce them, and a callee that can be canceled. */
  readonly strictProgress: boolean
}

/** The calls of a dealer. */
export class Calls {
  readonly #options: CallsOptions
  readonly #late: LateCalls = new LateCalls()

  constructor(options: CallsOptions) {
    this.#options = options
  }

  /**
   * CALL: INVOCATION to one callee, or ERROR.
   * @param disclosed whether the rules tell the callee who calls, though nobody asked
   * @returns `false`: the caller broke the protocol
   */
  call(caller: Session, message: Call, disclosed: boolean): boolean {
    const under = caller.calls?.get(message.request)
    if (under !== undefined) return this.#continue(under, message)
    if (this.#isLate(caller, message)) return true
    const wishes = callWishes(message.options)
    if (wishes === undefined) return this.#turnDown(caller, message, 'wamp.error.invalid_argument')
    if (!mayWish(caller.features, wishes)) return false
    const registration = this.#route(message.procedure)
    if (typeof registration === 'string') return this.#turnDown(caller, message, registration)
    if (!this.#mayHaveMore(caller)) {
      return this.#turnDown(caller, message, 'wamp.error.unavailable')
    }
    const callee = chooseCallee(registration, this.#options.ports)
    if (callee === undefined || !canTake(callee.features, wishes)) {
      return this.#turnDown(caller, message, 'wamp.error.feature_not_supported')
    }
    const pending: PendingCall = {
      caller,
      request: message.request,
      registration,
      procedure: message.procedure,
      callee,
      invocation: 0,
      progressive: wishes.receiveProgress,
      open: wishes.progress,
      continued: false,
      killed: false,
      disclosed,
      timer: undefined,
      timeoutMs: wishes.timeoutMs,
      details: noDict,
      again: undefined,
    }
    if (callee.features.calleeReroute && registration.callees.length > 1 && !wishes.progress) {
      this.#keepArguments(pending, wishes, message.payload)
    }
    caller.calls = (caller.calls ?? new Map()).set(message.request, pending)
    this.#invoke(pending, wishes, message.payload)
    return true
  }

  /**
   * The final answer to a CALL that was not let through, whichever part of its arguments it carries: a call under way with
   * this id ends with it, and parts of one that has been answered are dropped without a word.
   */
  refuse(caller: Session, message: Call, error: ErrorMessage): void {
    const under = caller.calls?.get(message.request)
    if (under === undefined && this.#isLate(caller, message)) return
    if (under !== undefined) {
      this.#finish(under)
      interrupt(under, 'killnowait')
    }
    if (message.options['progress'] === true) this.#remember(caller, message.request)
    else this.#late.takes(caller, message.request, false)
    caller.send(error)
  }

  /**
   * Whether a CALL that the router itself answers is a call of its own. One that carries the id of a call under way ends
   * that with ERROR, and the rest of one that was answered is dropped. More parts of this one are dropped as well.
   */
  admits(caller: Session, message: Call): boolean {
    if (caller.calls?.has(message.request) === true) {
      return !this.#turnDown(caller, message, 'wamp.error.invalid_argument')
    }
    if (this.#isLate(caller, message)) return false
    if (message.options['progress'] === true) this.#remember(caller, message.request)
    return true
  }

  /**
   * CANCEL. Of a call that is not under way it means nothing: its answer is on the way. An unknown mode is answered by
   * `wamp.error.invalid_argument`, which ends the call, as every ERROR for it does.
   */
  cancel(caller: Session, message: Cancel): void {
    const pending = caller.calls?.get(message.request)
    if (pending === undefined) return
    const mode = cancelModeOf(message.options['mode'])
    if (mode === 'kill' && pending.callee.features.calleeCanceling) {
      if (!pending.killed) interrupt(pending, 'kill')
      pending.killed = true
      forgetArguments(pending)
      return
    }
    this.#finish(pending)
    if (mode !== 'skip') interrupt(pending, 'killnowait')
    if (mode !== 'kill' && caller.cancelReply === 'kill_only') return
    answer(pending, mode === undefined ? 'wamp.error.invalid_argument' : 'wamp.error.canceled')
  }

  /**
   * YIELD: RESULT to the caller. A progressive one that nobody asked for is dropped, and the call goes on. A payload that
   * the caller could not read (payload passthru mode) ends it with ERROR: the specification has that told to the callee,
   * but there is no ERROR for YIELD, and it is the caller who waits.
   * @returns `false`: the callee broke the protocol
   */
  yield(callee: Session, message: Yield): boolean {
    const pending = callee.invocations?.get(message.request)
    if (pending === undefined) return wasIssued(callee, message.request)
    const progress = flagOf(message.options['progress'])
    const passthru = passthruOf(message.options)
    if (progress === undefined || passthru === undefined) return false
    if (passthru !== noDict && !callee.features.calleePassthru) return false
    if (progress && !pending.progressive) return true
    if (passthru !== noDict && !pending.caller.features.callerPassthru) {
      this.#finish(pending)
      if (progress) interrupt(pending, 'killnowait')
      answer(pending, 'wamp.error.feature_not_supported')
      return true
    }
    if (progress) this.#progress(pending)
    else this.#finish(pending)
    const { caller, request } = pending
    caller.send({
      kind: 'result',
      request,
      details: resultDetails(progress, passthru),
      payload: message.payload,
    })
    return true
  }

  /**
   * ERROR for an INVOCATION: ERROR to the caller, or another callee's turn. Nothing but the attributes of passthru mode is
   * taken over from its details.
   * @returns `false`: the callee broke the protocol
   */
  error(callee: Session, message: ErrorMessage): boolean {
    // Clients drop their connection when the URI of an ERROR is none: no callee may do that to a caller.
    if (!isUri(message.error, 'loose')) return false
    const pending = callee.invocations?.get(message.request)
    if (pending === undefined) return wasIssued(callee, message.request)
    const passthru = passthruOf(message.details)
    if (passthru === undefined || (passthru !== noDict && !callee.features.calleePassthru)) return false
    // Of a callee that has not announced rerouting it is an error like others (WAMP, advanced profile, call re-routing).
    if (message.error === 'wamp.error.unavailable' && callee.features.calleeReroute) {
      this.#reroute(pending)
      return true
    }
    this.#finish(pending)
    const { caller, request } = pending
    const readable = passthru === noDict || caller.features.callerPassthru
    const details = readable ? passthru : noDict
    const payload = readable ? message.payload : noPayload
    caller.send({ kind: 'error', of: 'call', request, details, error: message.error, payload })
    return true
  }

  /**
   * See `Dealer.undeliverable`. It is called in the middle of `Session.send`, when the call is filed, or forgotten, already.
   */
  undeliverable(session: Session, message: RouterMessage): boolean {
    if (message.kind === 'invocation') {
      this.#giveUp(session.invocations?.get(message.request), (pending) => {
        // A callee that was sent nothing of it knows no such invocation.
        if (pending.continued) interrupt(pending, 'killnowait')
        answer(pending, tooLarge)
      })
      return true
    }
    if (message.kind === 'result') {
      // Only progressive ones leave a call behind that is still under way.
      this.#giveUp(session.calls?.get(message.request), (pending) => interrupt(pending, 'killnowait'))
      session.send(dealerError('call', message.request, tooLarge))
      return true
    }
    if (message.kind !== 'error') return false
    session.send(dealerError(message.of, message.request, tooLarge))
    return true
  }

  /**
   * A session is gone, and its registrations before (WAMP, basic profile, "Caller Leaving", "Callee Leaving"): nobody waits
   * for its calls any more, and nobody answers those that it had taken.
   */
  leave(session: Session): void {
    for (const pending of session.calls?.values() ?? []) {
      this.#finish(pending)
      if (pending.callee !== session) interrupt(pending, 'killnowait')
    }
    for (const pending of session.invocations?.values() ?? []) {
      this.#finish(pending)
      answer(pending, 'wamp.error.canceled')
    }
    session.calls = undefined
    session.invocations = undefined
    this.#late.forget(session)
  }

  /** Callers of whom answered, unfinished calls are remembered. */
  get remembered(): number {
    return this.#late.size
  }

  /** The rest of this call's arguments may still come. */
  #remember(caller: Session, request: number): void {
    if (caller.features.callerProgressiveInvocations) this.#late.add(caller, request)
  }

  /** Only clients that send arguments in parts can be late with one; for others the table is never asked. */
  #isLate(caller: Session, message: Call): boolean {
    if (!caller.features.callerProgressiveInvocations) return false
    return this.#late.takes(caller, message.request, message.options['progress'] === true)
  }

  /** The registration that answers a URI, or why there is none. What is registered exactly is a URI already. */
  #route(procedure: string): Registration | DealerError {
    const registration = this.#options.index.best(procedure)
    if (registration !== undefined && registration.match === 'exact') return registration
    if (!isUri(procedure, this.#options.uriCheck)) return 'wamp.error.invalid_uri'
    return registration ?? 'wamp.error.no_such_procedure'
  }

  #mayHaveMore({ calls, uncounted }: Session): boolean {
    return uncounted || calls === undefined || calls.size < this.#options.limits.maxCalls
  }

  /** ERROR in the dealer's own words; `true`, because a refusal is no breach. */
  #turnDown(caller: Session, message: Call, error: DealerError): true {
    this.refuse(caller, message, dealerError('call', message.request, error))
    return true
  }

  /** The next part of the arguments: same URI, same callee, details as at first. */
  #continue(pending: PendingCall, message: Call): boolean {
    if (!pending.open || message.procedure !== pending.procedure) return false
    const progress = flagOf(message.options['progress'])
    if (progress === undefined) return this.#turnDown(pending.caller, message, 'wamp.error.invalid_argument')
    pending.open = progress
    pending.continued = true
    sendInvocation(pending, message.payload)
    return true
  }

  /** For another callee, should the first one be unavailable; a caller with too much under way has one try each. */
  #keepArguments(pending: PendingCall, wishes: CallWishes, payload: Payload): void {
    const bytes = payloadBytes(payload)
    if (pending.caller.heldBytes + bytes > this.#options.limits.maxHeldBytes) return
    pending.caller.heldBytes += bytes
    pending.again = { wishes, payload: payload.keep(), tried: new Set() }
  }

  /** Everything is filed before anything is sent: a callee inside this process may answer at once. */
  #invoke(pending: PendingCall, wishes: CallWishes, payload: Payload): void {
    const { callee, caller } = pending
    pending.invocation = callee.lastInvocation += 1
    callee.invocations = (callee.invocations ?? new Map()).set(pending.invocation, pending)
    pending.progressive =
      wishes.receiveProgress &&
      (!this.#options.strictProgress || progressAnnounced(caller.features, callee.features))
    pending.details = invocationDetails(pending, wishes)
    const watched = pending.timeoutMs > 0 && !keepsTime(callee, pending.registration)
    if (watched && pending.timer === undefined) this.#startTimer(pending)
    sendInvocation(pending, payload)
  }

  /** A progressive result: the time limit begins anew, and nobody else can answer any more. */
  #progress(pending: PendingCall): void {
    forgetArguments(pending)
    if (pending.timer === undefined) return
    pending.timer.cancel()
    this.#startTimer(pending)
  }

  /** The one closure of a call, and only of one that has a time limit. */
  #startTimer(pending: PendingCall): void {
    pending.timer = this.#options.ports.after(pending.timeoutMs, () => this.#timeOut(pending))
  }

  /** As a CANCEL would, with another word (WAMP, advanced profile, call timeouts). */
  #timeOut(pending: PendingCall): void {
    if (pending.caller.calls?.get(pending.request) !== pending) return
    this.#finish(pending)
    interrupt(pending, 'killnowait')
    answer(pending, 'wamp.error.timeout')
  }

  /** The callee said that it is unavailable: the policy's choice among those who have not said so, if any is left. */
  #reroute(pending: PendingCall): void {
    const { again, callee, registration } = pending
    const { ports } = this.#options
    again?.tried.add(callee)
    const next =
      again &&
      chooseOther(registration, ports, (other) => {
        return !again.tried.has(other) && canTake(other.features, again.wishes)
      })
    if (again === undefined || next === undefined) {
      this.#finish(pending)
      answer(pending, 'wamp.error.no_available_callee')
      return
    }
    callee.invocations?.delete(pending.invocation)
    pending.callee = next
    this.#invoke(pending, again.wishes, again.payload)
  }

  /** Ends a call that is still under way, if it is. */
  #giveUp(pending: PendingCall | undefined, tell: (pending: PendingCall) => void): void {
    if (pending === undefined) return
    this.#finish(pending)
    tell(pending)
  }

  /** Forgets a call that is about to be answered, or has nobody left to answer to. */
  #finish(pending: PendingCall): void {
    pending.caller.calls?.delete(pending.request)
    pending.callee.invocations?.delete(pending.invocation)
    pending.timer?.cancel()
    forgetArguments(pending)
    if (pending.open) this.#remember(pending.caller, pending.request)
  }
}

const tooLarge = 'wamp.error.payload_size_exceeded'

/** Nobody else can be asked any more. */
function forgetArguments(pending: PendingCall): void {
  if (pending.again === undefined) return
  pending.caller.heldBytes -= payloadBytes(pending.again.payload)
  pending.again = undefined
}
