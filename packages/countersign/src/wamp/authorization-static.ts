/** A role that decides by rules. */
import { allowsPattern } from './authorization-containment.ts'
import { compileRules, decidingRule, type RuleBook } from './authorization-rules.ts'
import type { Action, PermissionRule } from './options.ts'
import { type Permit, permits } from './permit.ts'
import { type Match, maxUriLength } from './uri.ts'

/** Decisions kept for each action; anyone may invent URIs, so all are dropped when there are more. */
const maxKept = 4096
/** Longest URI whose decision is kept, characters. */
const maxKeptLength = 256

/** Which side of the message a rule discloses. */
const disclosed: Readonly<Record<Action, 'caller' | 'publisher' | undefined>> = {
  call: 'caller',
  publish: 'publisher',
  register: undefined,
  subscribe: undefined,
}

/** Decides by rules, and remembers what it decided: rules do not change, a role with other rules is another role. */
export class StaticRole {
  readonly #book: RuleBook
  /** Names of procedures that only an exact rule may register. */
  readonly #reserved: ReadonlySet<string>
  readonly #kept: Readonly<Record<Action, Map<string, Permit>>> = {
    call: new Map(),
    publish: new Map(),
    register: new Map(),
    subscribe: new Map(),
  }

  /** @throws MisuseError for a rule whose URI is no pattern of its policy */
  constructor(rules: readonly PermissionRule[], reserved: ReadonlySet<string>) {
    this.#book = compileRules(rules)
    this.#reserved = reserved
  }

  /** Decides about one URI. */
  decide(action: Action, uri: string): Permit {
    return this.#kept[action].get(uri) ?? this.#judge(action, uri)
  }

  /** Decides about a pattern that is to be subscribed or registered. */
  decidePattern(action: Action, uri: string, match: Match): Permit {
    if (uri.length > maxUriLength) return permits.denied
    // A wildcard pattern without a wildcard is a URI like any other.
    if (match === 'wildcard' && !uri.split('.').includes('')) return this.decide(action, uri)
    return allowsPattern(this.#book, { uri, match }, action) ? permits.allowed : permits.denied
  }

  #judge(action: Action, uri: string): Permit {
    if (uri.length > maxUriLength) return permits.denied
    const permit = this.#permitOf(action, uri)
    const kept = this.#kept[action]
    if (uri.length > maxKeptLength) return permit
    if (kept.size >= maxKept) kept.clear()
    kept.set(uri, permit)
    return permit
  }

  #permitOf(action: Action, uri: string): Permit {
    const rule = decidingRule(this.#book, uri)
    if (rule === undefined || !rule.allow[action]) return permits.denied
    if (action === 'register' && rule.match !== 'exact' && this.#reserved.has(uri)) return permits.denied
    const side = disclosed[action]
    return side !== undefined && rule.disclose[side] ? permits.disclosed : permits.allowed
  }
}
