/** Who may do what in a realm: roles with rules, roles with an authorizer, and nobody else. */
import { checkWhole, MisuseError } from '../core/errors.ts'
import type { MaybePromise } from '../core/records.ts'
import { type AuthorizerCall, DynamicRole } from './authorization-dynamic.ts'
import { StaticRole } from './authorization-static.ts'
import type { Dict } from './messages.ts'
import type { Action, RoleOptions } from './options.ts'
import { type Authority, type Permit, permits } from './permit.ts'
import type { RouterPorts } from './ports.ts'
import type { Session } from './session.ts'
import { isPattern, type Match, matches, matchOf } from './uri.ts'

export { type RulePattern, ruleOf } from './authorization-rules.ts'
export type { AuthorizerCall } from './authorization-dynamic.ts'

/** What an authority is made of. */
export interface AuthorityOptions {
  /** Name of the realm, for messages. */
  readonly realm: string
  /** Names of roles are unique; a role has rules or an authorizer, or is denied everything. */
  readonly roles: readonly RoleOptions[]
  /**
   * Procedures that nobody but the router calls, and that only an exact rule allows to register: authenticators.
   * Authorizers of the roles are among them by themselves.
   * @default none
   */
  readonly reserved?: readonly string[] | undefined
  readonly ports: Pick<RouterPorts, 'clock' | 'after'>
  /** Calls an authorizer that is a procedure; it rejects when nobody answers. */
  readonly call: AuthorizerCall
}

/** An authority whose roles can be replaced. */
export interface RoleAuthority extends Authority {
  /**
   * Other roles from now on; nothing that was kept survives, and answers under way are asked anew.
   * @param reserved other procedures that the router keeps to itself. @default those before
   * @throws MisuseError as `createAuthority` does; the roles before stay in force
   */
  replace(roles: readonly RoleOptions[], reserved?: readonly string[]): void
  /** Forgets what authorizers allowed to be kept: about one session, or all. */
  purge(session?: Session): void
}

/** How often one question is asked again because the roles were replaced meanwhile. */
const maxAgain = 3

/**
 * Makes the authority of one realm.
 * @throws MisuseError when two roles have one name, a role has both rules and an authorizer, a rule's URI is no pattern
 * of its policy, or a duration is none
 */
export function createAuthority(options: AuthorityOptions): RoleAuthority {
  return new Roles(options)
}

type Role = StaticRole | DynamicRole

class Roles implements RoleAuthority {
  readonly #options: AuthorityOptions
  #roles: ReadonlyMap<string, Role>
  /** As configured: without what follows from the roles. */
  #configured: readonly string[]
  #reserved: ReadonlySet<string>

  constructor(options: AuthorityOptions) {
    this.#options = options
    this.#configured = options.reserved ?? []
    this.#reserved = reservedBy(options.roles, this.#configured)
    this.#roles = this.#rolesOf(options.roles, this.#reserved)
  }

  decide(session: Session, action: Action, uri: string, options: Dict): MaybePromise<Permit> {
    const role = this.#roles.get(session.identity.authrole)
    if (role === undefined) return permits.denied
    const permit = this.#ask(role, { session, action, uri, options })
    return typeof permit === 'number' ? permit : this.#still(role, { session, action, uri, options }, permit)
  }

  forget(session: Session): void {
    this.purge(session)
  }

  purge(session?: Session): void {
    for (const role of this.#roles.values()) if (role instanceof DynamicRole) role.forget(session)
  }

  replace(roles: readonly RoleOptions[], configured: readonly string[] = this.#configured): void {
    const reserved = reservedBy(roles, configured)
    this.#roles = this.#rolesOf(roles, reserved)
    this.#configured = configured
    this.#reserved = reserved
  }

  #ask(role: Role, question: Question): Permit | Promise<Permit> {
    const { action, uri, options } = question
    const option = options['match']
    const listens = action === 'subscribe' || action === 'register'
    // An unknown policy is refused by broker and dealer, whoever asks: here it is no pattern.
    const match = (listens && option !== null ? matchOf(option) : undefined) ?? 'exact'
    if (this.#isKept(role, question, match)) return permits.denied
    // No authorizer is troubled with what broker and dealer would refuse, nor with texts of any length.
    if (!(role instanceof StaticRole))
      return isPattern(uri, match, 'loose') ? role.decide(question) : permits.denied
    return match === 'exact' ? role.decide(action, uri) : role.decidePattern(action, uri, match)
  }

  /** Whether the router keeps this to itself, whatever the role says. */
  #isKept(role: Role, { action, uri }: Question, match: Match): boolean {
    if (this.#reserved.size === 0) return false
    if (action === 'call') return this.#reserved.has(uri)
    if (action !== 'register') return false
    if (match !== 'exact') return this.#coversReserved(uri, match)
    // An exact rule may allow this; behind an authorizer there is none.
    return role instanceof DynamicRole && this.#reserved.has(uri)
  }

  /** A pattern that covers the name of an authenticator would be called in its place while it is away. */
  #coversReserved(uri: string, match: Match): boolean {
    for (const name of this.#reserved) if (matches(uri, match, name)) return true
    return false
  }

  /** An answer holds only while the role is what it was when it was asked. */
  async #still(role: Role, question: Question, first: Promise<Permit>): Promise<Permit> {
    const { session } = question
    let asked = role
    let permit = await first
    for (let again = 0; again < maxAgain; again++) {
      if (session.over) return permits.denied
      const current = this.#roles.get(session.identity.authrole)
      if (current === asked) return permit
      if (current === undefined) return permits.denied
      asked = current
      permit = await this.#ask(current, question)
    }
    return permits.failed
  }

  #rolesOf(roles: readonly RoleOptions[], reserved: ReadonlySet<string>): ReadonlyMap<string, Role> {
    const { realm, call, ports } = this.#options
    const made = new Map<string, Role>()
    for (const role of roles) {
      checkRole(role, { realm, others: made })
      const { name, rules, authorizer } = role
      made.set(
        name,
        authorizer === undefined
          ? new StaticRole(rules ?? [], reserved)
          : new DynamicRole(authorizer, { clock: ports.clock, after: ports.after, call }),
      )
    }
    return made
  }
}

/** What is to be decided. */
interface Question {
  readonly session: Session
  readonly action: Action
  readonly uri: string
  readonly options: Dict
}

function reservedBy(roles: readonly RoleOptions[], names: readonly string[]): ReadonlySet<string> {
  const authorizers = roles.map((role) => role.authorizer?.authorizer)
  return new Set([...names, ...authorizers.filter((one) => typeof one === 'string')])
}

function checkRole(
  { name, rules, authorizer }: RoleOptions,
  { realm, others }: { readonly realm: string; readonly others: ReadonlyMap<string, unknown> },
): void {
  const label = `realm ${realm}, role ${name}`
  const wrong = (what: string): MisuseError => new MisuseError('invalid_option', `${label}: ${what}`)
  if (others.has(name)) throw wrong('there are two of this name')
  if (authorizer === undefined) return
  if (rules !== undefined) throw wrong('either rules or an authorizer, not both')
  const { authorizer: asked, cacheTtlMs = 0, timeoutMs = 1 } = authorizer
  if (typeof asked === 'string' && !isPattern(asked, 'exact', 'loose')) throw wrong('authorizer is no URI')
  checkWhole(`${label}: cacheTtlMs`, cacheTtlMs, [0, 86_400_000])
  checkWhole(`${label}: timeoutMs`, timeoutMs, [1, 86_400_000])
}
