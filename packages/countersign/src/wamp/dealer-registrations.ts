/** REGISTER and UNREGISTER: who answers which procedure (WAMP, basic profile, "Registering and Unregistering"). */
import { registerWishes, type RegisterWishes } from './call-options.ts'
import { dealerError, type DealerError } from './dealer-errors.ts'
import type { DealerWatch, Registration } from './dealer-types.ts'
import type { Register, Unregister } from './messages.ts'
import type { RouterLimits } from './options.ts'
import type { RouterPorts } from './ports.ts'
import { ProcedureIndex } from './procedure-index.ts'
import type { Session } from './session.ts'
import { isPattern, type Match, type UriCheck } from './uri.ts'
import { wildcardsOf } from './wildcards.ts'

/** What registrations need. */
export interface RegistrationsOptions {
  /** Its clock dates registrations. */
  readonly ports: RouterPorts
  /** How strictly procedures and patterns are looked at. */
  readonly uriCheck: UriCheck
  /** `maxRegistrations` of one session. */
  readonly limits: RouterLimits
  /** Told of every change, after the session that caused it. */
  readonly watch: DealerWatch
}

/** Told to a callee whose place another one took with `force_reregister`. */
export const replacedReason = 'replaced'

/**
 * The registrations of a dealer. A registration exists as long as it has a callee, and `Session.registrations` holds exactly
 * those in whose `callees` the session is.
 */
export class Registrations {
  /** Which of them a call goes to. Written by this class alone. */
  readonly index: ProcedureIndex = new ProcedureIndex()
  readonly #options: RegistrationsOptions
  readonly #byId: Map<number, Registration> = new Map()
  /** Small counters: some clients hold ids in 32 bits. */
  #lastId: number = 0

  constructor(options: RegistrationsOptions) {
    this.#options = options
  }

  /**
   * Answers REGISTER: REGISTERED, with the id that all callees of a shared registration have in common, or ERROR. A callee
   * knows its registration before the first INVOCATION, and the watch hears of it afterwards.
   *
   * `force_reregister` puts an end to whatever registration there is, whoever made it: to be allowed to
   * register a procedure includes that.
   */
  register(session: Session, message: Register): void {
    const wishes = registerWishes(message.options)
    if (wishes === undefined) {
      session.send(dealerError('register', message.request, 'wamp.error.invalid_argument'))
      return
    }
    const error = this.#obstacle(session, message, wishes)
    if (error !== undefined) {
      session.send(dealerError('register', message.request, error))
      return
    }
    if (wishes.force) this.#evict(message.procedure, wishes.match)
    const known = this.index.at(message.procedure, wishes.match)
    const registration = known ?? this.#make(message.procedure, wishes)
    enlist(registration, session, wishes)
    session.send({ kind: 'registered', request: message.request, registration: registration.id })
    if (known === undefined) this.#options.watch.created(session, registration)
    this.#options.watch.registered(session, registration)
  }

  /** Answers UNREGISTER. Calls under way go on. */
  unregister(session: Session, message: Unregister): void {
    const registration = this.#byId.get(message.registration)
    if (registration === undefined || session.registrations?.has(registration) !== true) {
      session.send(dealerError('unregister', message.request, 'wamp.error.no_such_registration'))
      return
    }
    this.#strike(registration, session)
    session.send({ kind: 'unregistered', request: message.request, details: undefined })
    this.#tell(registration, session)
  }

  /**
   * Takes a registration from a callee that did not ask for it (WAMP, advanced profile, registration revocation). A client
   * that has not announced that it can be told is not told: it just is not called any more.
   */
  revoke(session: Session, registration: Registration, reason: string): void {
    if (session.registrations?.has(registration) !== true) return
    this.#strike(registration, session)
    const details = { registration: registration.id, reason }
    // Others drop the connection on an answer to nothing.
    if (session.features.calleeRevocation) session.send({ kind: 'unregistered', request: 0, details })
    this.#tell(registration, session)
  }

  /** A session is gone, and all its registrations with it. */
  leave(session: Session): void {
    for (const registration of session.registrations ?? []) {
      this.#strike(registration, session)
      this.#tell(registration, session)
    }
    session.registrations = undefined
  }

  /** The registration of this id. */
  find(id: number): Registration | undefined {
    return this.#byId.get(id)
  }

  /** How many there are. */
  get size(): number {
    return this.#byId.size
  }

  /** Why a session cannot register this. */
  #obstacle(session: Session, message: Register, wishes: RegisterWishes): DealerError | undefined {
    const { procedure } = message
    if (!isPattern(procedure, wishes.match, this.#options.uriCheck)) return 'wamp.error.invalid_uri'
    const held = session.registrations
    const { maxRegistrations, maxWildcards } = this.#options.limits
    if (held !== undefined && held.size >= maxRegistrations) return 'wamp.error.unavailable'
    if (wishes.match === 'wildcard' && wildcardsOf(session) >= maxWildcards) return 'wamp.error.unavailable'
    const known = this.index.at(procedure, wishes.match)
    if (known === undefined || wishes.force) return undefined
    const joins = known.policy !== 'single' && known.policy === wishes.policy
    return joins && held?.has(known) !== true ? undefined : 'wamp.error.procedure_already_exists'
  }

  /** An empty registration, which gets its first callee at once. */
  #make(procedure: string, wishes: RegisterWishes): Registration {
    this.#lastId += 1
    const registration: Registration = {
      id: this.#lastId,
      procedure,
      match: wishes.match,
      policy: wishes.policy,
      createdAtMs: this.#options.ports.clock.now(),
      callees: [],
      disclose: undefined,
      forwardTimeout: undefined,
      next: 0,
    }
    this.#byId.set(registration.id, registration)
    this.index.add(registration)
    return registration
  }

  /** Puts an end to a registration; each of its callees is told. */
  #evict(procedure: string, match: Match): void {
    const registration = this.index.at(procedure, match)
    if (registration === undefined) return
    for (const callee of registration.callees.slice()) this.revoke(callee, registration, replacedReason)
  }

  /** Takes a callee off a registration, and the registration out of the tables when nobody is left. */
  #strike(registration: Registration, session: Session): void {
    session.registrations?.delete(registration)
    const place = registration.callees.indexOf(session)
    registration.callees.splice(place, 1)
    if (place < registration.next) registration.next -= 1
    registration.disclose?.delete(session)
    registration.forwardTimeout?.delete(session)
    if (registration.callees.length > 0) return
    this.#byId.delete(registration.id)
    this.index.remove(registration)
  }

  /** Behind `#strike`, once the callee has its answer. */
  #tell(registration: Registration, session: Session): void {
    this.#options.watch.unregistered(session, registration)
    if (registration.callees.length === 0) this.#options.watch.deleted(session, registration)
  }
}

/** Adds a callee with what it asked for. The sets are made when somebody asks: most registrations need none. */
function enlist(registration: Registration, session: Session, wishes: RegisterWishes): void {
  registration.callees.push(session)
  if (wishes.discloseCaller) registration.disclose = (registration.disclose ?? new Set()).add(session)
  if (wishes.forwardTimeout) {
    registration.forwardTimeout = (registration.forwardTimeout ?? new Set()).add(session)
  }
  session.registrations = (session.registrations ?? new Set()).add(registration)
}
