/** Remote procedure calls of one realm: who answers what, and the calls under way. */
import { Calls } from './dealer-calls.ts'
import { Registrations } from './dealer-registrations.ts'
import type { DealerWatch, Registration } from './dealer-types.ts'
import type { Call, Cancel, ErrorMessage, Register, RouterMessage, Unregister, Yield } from './messages.ts'
import type { RouterLimits } from './options.ts'
import { permits, type Permit } from './permit.ts'
import type { RouterPorts } from './ports.ts'
import type { Session } from './session.ts'
import type { Match, UriCheck } from './uri.ts'

/** What a dealer is made of. */
export interface DealerOptions {
  readonly ports: RouterPorts
  readonly uriCheck: UriCheck
  readonly limits: RouterLimits
  /** Whether progressive results need a callee that announces them and can be canceled, as the specification says. */
  readonly strictProgress: boolean
  readonly watch: DealerWatch
}

/**
 * The dealer of a realm. Its callers have authorized every action, and keep `wamp.` procedures and reserved ones from it.
 * Answers go out by `Session.send`, never by a throw; `false` means that the session broke the protocol and must be aborted.
 */
export class Dealer {
  readonly #registrations: Registrations
  readonly #calls: Calls

  constructor(options: DealerOptions) {
    this.#registrations = new Registrations(options)
    this.#calls = new Calls({ ...options, index: this.#registrations.index })
  }

  /** Answers REGISTER. `force_reregister` ends what is registered there, whoever registered it. */
  register(session: Session, message: Register): void {
    this.#registrations.register(session, message)
  }

  /** Answers UNREGISTER. Calls under way go on. */
  unregister(session: Session, message: Unregister): void {
    this.#registrations.unregister(session, message)
  }

  /** CALL, first or continued. @returns `false`: protocol violation */
  call(session: Session, message: Call, permit: Permit): boolean {
    return this.#calls.call(session, message, permit === permits.disclosed)
  }

  /**
   * Answers a CALL that the realm does not let through with its ERROR: never behind another answer, and a call under way
   * that it would have continued ends with it.
   */
  refuse(session: Session, message: Call, error: ErrorMessage): void {
    this.#calls.refuse(session, message, error)
  }

  /**
   * Asked before the router itself answers a CALL.
   * @returns `false`: it is no call of its own, and has been dealt with
   */
  admits(session: Session, message: Call): boolean {
    return this.#calls.admits(session, message)
  }

  /** CANCEL: nothing happens unless the call is under way. */
  cancel(session: Session, message: Cancel): void {
    this.#calls.cancel(session, message)
  }

  /** YIELD; one for a call that is over is dropped. @returns `false`: never asked of this callee, or malformed */
  yield(session: Session, message: Yield): boolean {
    return this.#calls.yield(session, message)
  }

  /** ERROR for an INVOCATION; same rules as YIELD, and its URI must be one. */
  error(session: Session, message: ErrorMessage): boolean {
    return this.#calls.error(session, message)
  }

  /**
   * A message was not sent because the client takes none of that size. Whoever made it so large pays for it: the caller of
   * an INVOCATION is answered by ERROR and the callee hears nothing; instead of a RESULT or ERROR comes an ERROR that says
   * so, which ends a call with progressive results as well.
   * @returns `false`: the message is none of a call, and was not replaced
   */
  undeliverable(session: Session, message: RouterMessage): boolean {
    return this.#calls.undeliverable(session, message)
  }

  /** A session is gone. What it had registered goes first, so that nobody calls it any more. */
  leave(session: Session): void {
    this.#registrations.leave(session)
    this.#calls.leave(session)
  }

  /** Takes a registration from a callee. @param reason a URI, told to its client */
  revoke(session: Session, registration: Registration, reason: string): void {
    this.#registrations.revoke(session, registration, reason)
  }

  /** Ids of all registrations, by matching policy. */
  list(): { exact: number[]; prefix: number[]; wildcard: number[] } {
    const { index } = this.#registrations
    return { exact: index.ids('exact'), prefix: index.ids('prefix'), wildcard: index.ids('wildcard') }
  }

  /** The registration of this id. */
  find(id: number): Registration | undefined {
    return this.#registrations.find(id)
  }

  /** Id of the registration of exactly this text and matching policy. */
  lookup(procedure: string, match: Match): number | undefined {
    return this.#registrations.index.at(procedure, match)?.id
  }

  /** Id of the registration that a call of this URI would go to. */
  match(procedure: string): number | undefined {
    return this.#registrations.index.best(procedure)?.id
  }

  /** How much is kept beside the sessions themselves; all zero when everyone has left. */
  get held(): { readonly registrations: number; readonly lateCallers: number } {
    return { registrations: this.#registrations.size, lateCallers: this.#calls.remembered }
  }
}
