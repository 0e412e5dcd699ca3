/** A realm: its sessions, what each of them may do, and the way of every message to broker, dealer or meta API. */
import { isThenable } from '../core/drive.ts'
import { MisuseError } from '../core/errors.ts'
import type { RoleAuthority } from './authorization.ts'
import { Broker } from './broker.ts'
import { Dealer } from './dealer.ts'
import type { Killed, Kills } from './kills.ts'
import { noDict, type Call, type Message, type RouterMessage } from './messages.ts'
import { answerMeta } from './meta-api.ts'
import {
  announceJoin,
  announceLeave,
  onJoin,
  onLeave,
  watchRegistrations,
  watchSubscriptions,
} from './meta-events.ts'
import type { Kill, MetaHost } from './meta-host.ts'
import type { RealmOptions, RoleOptions, RouterLimits } from './options.ts'
import { permits, type Permit } from './permit.ts'
import type { RouterPorts } from './ports.ts'
import { recheck } from './realm-recheck.ts'
import { isRouters, refusedOutright, uriOf, type Request } from './realm-rules.ts'
import { RealmService, type ServiceAnswer, type ProcedureCall } from './realm-service.ts'
import { publishTestaments } from './realm-testaments.ts'
import { WaitingMessages, withKeptPayload } from './realm-waiting.ts'
import { errorOf } from './refusals.ts'
import type { Session } from './session.ts'

/** Asks a procedure of the realm on behalf of the router. */
export type CallService = (call: ProcedureCall) => Promise<ServiceAnswer>

/** What a realm is made of. */
export interface RealmParts {
  readonly ports: RouterPorts
  readonly limits: RouterLimits
  readonly strictProgress: boolean
  readonly procedureWaitMs: number
  /** Told of every kill. */
  readonly kills: Kills
  /** Makes the authority; `call` reaches authorizers that are procedures. */
  readonly authority: (call: CallService) => RoleAuthority
}

/** Sessions join and leave it; `handle` takes their messages. */
export class Realm implements MetaHost {
  readonly name: string
  readonly metaApi: boolean
  readonly uriCheck: 'loose' | 'strict'
  readonly maxTestaments: number
  readonly maxHeldBytes: number
  readonly broker: Broker
  readonly dealer: Dealer
  readonly #authority: RoleAuthority
  readonly #service: RealmService
  readonly #kills: Kills
  readonly #waiting: WaitingMessages
  readonly #sessions = new Map<number, Session>()
  #roles: ReadonlyMap<string, RoleOptions>

  constructor(options: RealmOptions, parts: RealmParts) {
    const { ports, limits, strictProgress } = parts
    this.name = options.name
    this.metaApi = options.metaApi ?? true
    this.uriCheck = options.uriCheck ?? 'loose'
    this.maxTestaments = limits.maxTestaments
    this.maxHeldBytes = limits.maxHeldBytes
    const act = (session: Session, message: Message): boolean => this.#act(session, message)
    this.#waiting = new WaitingMessages({ ...limits, act })
    this.#kills = parts.kills
    this.#roles = rolesByName(options.roles)
    this.#authority = parts.authority((call) => this.call(call))
    const announce = (topic: string, args: readonly unknown[]): void => this.#announce(topic, args)
    const shared = { ports, limits, uriCheck: this.uriCheck }
    this.broker = new Broker({
      ...shared,
      history: options.history ?? [],
      authority: this.#authority,
      watch: watchSubscriptions(announce),
    })
    this.dealer = new Dealer({
      ...shared,
      strictProgress,
      watch: watchRegistrations(announce, (procedure) => this.#service.registered(procedure)),
    })
    this.#service = new RealmService({
      realm: options.name,
      ports,
      dealer: this.dealer,
      waitMs: parts.procedureWaitMs,
    })
  }

  /** Whether the realm has this role. */
  hasRole(name: string): boolean {
    return this.#roles.has(name)
  }

  /** `trustlevel` of a role. */
  trustlevelOf(role: string): number | undefined {
    return this.#roles.get(role)?.trustlevel
  }

  /** See `MetaHost`. */
  session(id: number): Session | undefined {
    return this.#sessions.get(id)
  }

  /** See `MetaHost`. */
  sessions(): Iterable<Session> {
    return this.#sessions.values()
  }

  /** Takes a session in that has been sent its WELCOME. */
  join(session: Session): void {
    this.#sessions.set(session.id, session)
    if (this.#isHeard(onJoin)) announceJoin((topic, args) => this.#announce(topic, args), session)
  }

  /**
   * Lets a session go: nothing is sent to it any more, what it held is released, its testaments are published, and those
   * who listen are told. May be called again.
   */
  leave(session: Session, quiet = false): void {
    if (!this.#sessions.delete(session.id)) return
    // From here on nothing is sent to it, whatever the steps below set off.
    session.gone = true
    session.waiting = undefined
    if (!quiet) publishTestaments(session, this.broker, this.#authority)
    this.broker.leave(session)
    this.dealer.leave(session)
    this.#authority.forget(session)
    if (!quiet && this.#isHeard(onLeave)) announceLeave((topic, args) => this.#announce(topic, args), session)
  }

  /**
   * One message of a session that has joined. What needs a permission and must wait for it holds back the messages behind
   * it; results and errors of invocations pass by, because the answer that is waited for may be among them.
   * @returns `false`: the message breaks the protocol
   */
  handle(session: Session, message: Message): boolean {
    if (session.waiting !== undefined && message.kind !== 'yield' && message.kind !== 'error') {
      return this.#waiting.add(session, message)
    }
    return this.#act(session, message)
  }

  /** Calls a procedure that the configuration names. @throws OutageError `overloaded` when nobody answers to it in time */
  call(call: ProcedureCall): Promise<ServiceAnswer> {
    return this.#service.call(call)
  }

  /**
   * Gives sessions another role, and takes from them what it does not allow.
   * @param which one session, or all that it says `true` of
   * @returns how many have a role that they did not have
   * @throws MisuseError when the realm has no such role
   */
  changeRole(which: Session | ((session: Session) => boolean), role: string): number {
    if (!this.#roles.has(role)) throw new MisuseError('invalid_option', 'role: the realm has no such role')
    const chosen = typeof which === 'function' ? [...this.sessions()].filter(which) : [which]
    let changed = 0
    for (const session of chosen) {
      if (session.gone || session.identity.authrole === role) continue
      changed++
      session.identity = { ...session.identity, authrole: role }
      session.trustlevel = this.trustlevelOf(role)
      this.#authority.forget(session)
      recheck(session, this, this.#authority)
    }
    return changed
  }

  /**
   * Other roles and rules from now on. Sessions whose role is no more end; the others keep what they still may have.
   * @param reserved other procedures that the router keeps to itself. @default those before
   * @throws MisuseError for roles that cannot be; those before stay in force
   */
  replaceRoles(roles: readonly RoleOptions[], reserved?: readonly string[]): void {
    // Both may refuse, and neither has changed anything by then.
    const byName = rolesByName(roles)
    this.#authority.replace(roles, reserved)
    this.#roles = byName
    for (const session of this.sessions()) {
      const role = this.#roles.get(session.identity.authrole)
      if (role === undefined) {
        session.keeper.end('wamp.error.no_such_role', { message: undefined, forget: true })
        continue
      }
      session.trustlevel = role.trustlevel
      recheck(session, this, this.#authority)
    }
  }

  /** See `MetaHost`. */
  kill(session: Session, { reason, message, quiet }: Kill): void {
    if (quiet) this.leave(session, true)
    session.keeper.end(reason, { message, forget: true })
  }

  /** See `MetaHost`. */
  forget(whom: Omit<Killed, 'realm'>): void {
    this.#kills.add({ realm: this.name, ...whom })
  }

  /** See `MetaHost`. */
  purge(session: Session | undefined): void {
    this.#authority.purge(session)
  }

  #act(session: Session, message: Message): boolean {
    switch (message.kind) {
      case 'call':
      case 'publish':
      case 'subscribe':
      case 'register':
        return this.#ask(session, message)
      case 'yield':
        return this.dealer.yield(session, message)
      case 'error':
        return message.of === 'invocation' && this.dealer.error(session, message)
      case 'cancel':
        this.dealer.cancel(session, message)
        return true
      case 'unsubscribe':
        this.broker.unsubscribe(session, message)
        return true
      case 'unregister':
        this.dealer.unregister(session, message)
        return true
      case 'hello':
      case 'authenticate':
      case 'abort':
      case 'goodbye':
        // They begin and end sessions: the connection's.
        return false
      case 'welcome':
      case 'challenge':
      case 'published':
      case 'subscribed':
      case 'unsubscribed':
      case 'event':
      case 'result':
      case 'registered':
      case 'unregistered':
      case 'invocation':
      case 'interrupt':
        // The wrong direction.
        return false
    }
  }

  #ask(session: Session, request: Request): boolean {
    const refused = refusedOutright(request)
    if (refused !== undefined) return this.#refuse(session, request, refused)
    const permit = this.#authority.decide(session, request.kind, uriOf(request), request.options)
    if (typeof permit === 'number') return this.#perform(session, request, permit)
    this.#wait(session, withKeptPayload(request), permit)
    return true
  }

  #perform(session: Session, request: Request, permit: Permit): boolean {
    if (permit === permits.denied) return this.#refuse(session, request, 'wamp.error.not_authorized')
    if (permit === permits.failed) return this.#refuse(session, request, 'wamp.error.authorization_failed')
    switch (request.kind) {
      case 'publish':
        return this.broker.publish(session, request, permit)
      case 'call':
        return this.#call(session, request, permit)
      case 'subscribe':
        this.broker.subscribe(session, request)
        return true
      case 'register':
        this.dealer.register(session, request)
        return true
    }
  }

  #call(session: Session, request: Call, permit: Permit): boolean {
    // Names of the router's own never reach the dealer: no pattern that somebody registered answers for them.
    if (!isRouters(request.procedure)) return this.dealer.call(session, request, permit)
    if (!this.dealer.admits(session, request)) return true
    const told = answerMeta(this.metaApi ? this : undefined, session, request)
    if (isThenable(told)) this.#waiting.hold(session, told, (message) => this.#tell(session, message))
    else session.send(told)
    return true
  }

  #tell(session: Session, message: RouterMessage): true {
    session.send(message)
    return true
  }

  /** ERROR, unless nobody waits for one: a PUBLISH without `acknowledge` is refused in silence. */
  #refuse(session: Session, request: Request, error: string): true {
    const message = errorOf({ of: request.kind, request: request.request }, error)
    if (request.kind === 'call') this.dealer.refuse(session, request, message)
    else if (request.kind !== 'publish' || request.options['acknowledge'] === true) session.send(message)
    return true
  }

  /** A decision that comes late. One that was asked for another role than the session has by then is asked again. */
  #wait(session: Session, request: Request, permit: PromiseLike<Permit>): void {
    const asked = session.identity
    const sure = permit.then(undefined, () => permits.failed)
    this.#waiting.hold(session, sure, (decided) => {
      const stands = session.identity === asked
      return stands ? this.#perform(session, request, decided) : this.#ask(session, request)
    })
  }

  /** Whether an event of the router's own would reach anybody: most realms have nobody who listens. */
  #isHeard(topic: string): boolean {
    return this.metaApi && this.broker.isHeard(topic)
  }

  #announce(topic: string, args: readonly unknown[]): void {
    if (this.metaApi) this.broker.announce(topic, args, noDict)
  }
}

/** @throws MisuseError when two have the same name */
function rolesByName(roles: readonly RoleOptions[]): ReadonlyMap<string, RoleOptions> {
  const byName = new Map(roles.map((role) => [role.name, role]))
  if (byName.size === roles.length) return byName
  throw new MisuseError('invalid_option', 'roles: each name once')
}
