/** What a principal may do: action × resource, by a table of roles and by a decision of the application. */
import { answerInTime } from './deadline.ts'
import { isThenable } from './drive.ts'
import { checkWhole, MisuseError } from './errors.ts'
import { checkRate, type MessageRate } from './message-rate.ts'
import { bookOf, decidingRule, type PatternBook } from './pattern-book.ts'
import { isUri } from './patterns.ts'
import {
  defaultMessageRate,
  defaultPolicyLimits,
  type Actions,
  type Authorize,
  type PolicyLimits,
  type PolicyOptions,
  type RefusedMessage,
  type Ruling,
} from './policy-options.ts'
import { compileActions, maxActionLength, roleList, type CompiledRule } from './policy-rules.ts'
import type { Clock } from './ports.ts'
import type { Principal } from './principal.ts'
import type { MaybePromise } from './records.ts'

/** Hears of what the application's own functions throw. A guard is one. */
export interface Witness {
  failed(error: unknown): void
}

/** Positions of the limits that are no row's in `Policy.rates`. */
export const overallRate = 0
/** See `overallRate`. */
export const excessRate = 1

/**
 * A policy, the same for every connection and every transport. Deny by default: an action that no row covers, or only a
 * row that does not list the role, is refused. Where several rows cover an action one decides for everybody: the exact
 * one, then the most specific wildcard, then the longest prefix.
 */
export class Policy<A extends Actions = Actions> {
  /** The table as it was given. */
  readonly actions: A
  readonly limits: PolicyLimits
  readonly clock: Clock
  /** What a meter counts: all messages, what exceeds, then each row's own. */
  readonly rates: readonly MessageRate[]
  /** Whether too many messages beyond a rate end the lease. */
  readonly closes: boolean
  readonly #book: PatternBook<CompiledRule>
  /** Position in `rates` of a row that has one. */
  readonly #rateOf: ReadonlyMap<CompiledRule, number>
  readonly #authorize: Authorize | undefined
  readonly #onRefused: PolicyOptions['onRefused']
  readonly #binary: ReadonlySet<string> | 'anyone'

  /** @throws MisuseError when the parts do not fit together */
  constructor(options: PolicyOptions<A>, clock: Clock) {
    checkOptions(options)
    const rules = compileActions(options.actions)
    const rated = rules.filter(({ rate }) => rate !== undefined)
    this.actions = options.actions
    this.limits = limitsOf(options.limits)
    this.clock = clock
    this.closes = options.excess !== undefined
    this.rates = [
      checkRate('policy: rate', options.rate ?? defaultMessageRate),
      checkRate('policy: excess', options.excess ?? defaultMessageRate),
      ...rated.flatMap(({ rate = [] }) => rate),
    ]
    this.#rateOf = new Map(rated.map((rule, at) => [rule, excessRate + 1 + at]))
    this.#book = bookOf(rules)
    this.#authorize = options.authorize
    this.#onRefused = options.onRefused
    this.#binary = options.binary === 'anyone' ? 'anyone' : new Set(options.binary)
  }

  /**
   * Whether someone may act: by the table, then by `authorize`. A promise only where that one answers with a promise. The
   * answer holds for the principal that was asked about: compare with the lease's again after waiting.
   * @returns words and no boolean, so that a promise that was not awaited is not taken for a yes
   */
  decide(principal: Principal, action: string, resource?: string): MaybePromise<Ruling> {
    const rule = this.ruleFor(principal, action)
    if (rule === undefined || (rule.resource !== undefined && resource === undefined)) return 'deny'
    if (resource !== undefined && !isResource(resource)) return 'deny'
    if (!covers(rule, principal, resource)) return 'deny'
    const answer = this.consult({ principal, action, resource }, nobody)
    if (!isThenable(answer)) return answer
    return answerInTime(this.clock, { awaited: answer, withinMs: this.limits.deadlineMs, otherwise: 'deny' })
  }

  /** The row that decides about an action, if it lists one of the roles; what it says of resources comes later. */
  ruleFor(principal: Principal, action: string): CompiledRule | undefined {
    const rule = this.#book.exact.get(action) ?? this.#patternFor(action)
    return rule !== undefined && lists(rule, principal) ? rule : undefined
  }

  /** Position in `rates` of a row's own limit; `undefined`: it has none. */
  rateOf(rule: CompiledRule): number | undefined {
    return this.#rateOf.get(rule)
  }

  /** Whether someone may send binary frames. */
  allowsBinary({ roles }: Principal): boolean {
    if (this.#binary === 'anyone') return true
    for (const role of roles) if (this.#binary.has(role)) return true
    return false
  }

  /** Asks the application; without an `authorize` the table has decided. Never throws, never rejects, and may never settle. */
  consult(asked: Asked, witness: Witness): MaybePromise<Ruling> {
    if (this.#authorize === undefined) return 'allow'
    try {
      const answer = this.#authorize(asked.principal, asked.action, asked.resource)
      if (!isThenable(answer)) return rulingOf(answer)
      return rulingLater(answer, witness)
    } catch (error) {
      return deniedBy(witness, error)
    }
  }

  /** Tells the application of a message that does not pass. Never throws. */
  tell(refused: RefusedMessage, witness: Witness): void {
    try {
      const given: unknown = this.#onRefused?.(refused)
      if (isThenable(given)) Promise.resolve(given).catch((error: unknown) => witness.failed(error))
    } catch (error) {
      witness.failed(error)
    }
  }

  /** Names that are no names are covered by nothing, not even by a star alone. */
  #patternFor(action: string): CompiledRule | undefined {
    const named = action.length <= maxActionLength && isUri(action, 'loose')
    return named ? decidingRule(this.#book, action) : undefined
  }
}

/** What the application is asked about. */
export interface Asked {
  readonly principal: Principal
  readonly action: string
  readonly resource: string | undefined
}

/** Whether a text may name a resource. */
export function isResource(text: unknown): text is string {
  return typeof text === 'string' && text !== '' && text.length <= maxActionLength
}

/** Whether one of the roles may act upon this resource. */
export function covers(rule: CompiledRule, { roles }: Principal, resource: string | undefined): boolean {
  if (rule.anyone) return true
  for (const role of roles) {
    if (!rule.roles.has(role)) continue
    const patterns = rule.roles.get(role)
    if (patterns === undefined) return true
    if (resource === undefined) continue
    for (const pattern of patterns) if (pattern(resource)) return true
  }
  return false
}

function lists(rule: CompiledRule, { roles }: Principal): boolean {
  if (rule.anyone) return true
  for (const role of roles) if (rule.roles.has(role)) return true
  return false
}

/** Anything but a yes is a no: what JavaScript takes for true is no answer. */
function rulingOf(answer: unknown): Ruling {
  return answer === true || answer === 'allow' ? 'allow' : 'deny'
}

function rulingLater(answer: PromiseLike<unknown>, witness: Witness): Promise<Ruling> {
  return Promise.resolve(answer).then(rulingOf, (error: unknown) => deniedBy(witness, error))
}

function deniedBy(witness: Witness, error: unknown): Ruling {
  witness.failed(error)
  return 'deny'
}

const nobody: Witness = {
  failed() {
    // Asked without a connection: there is no journal to write to.
  },
}

const members: ReadonlySet<string> = new Set([
  'actions',
  'authorize',
  'rate',
  'excess',
  'onRefused',
  'binary',
  'limits',
  'clock',
])

function checkOptions(options: PolicyOptions): void {
  for (const member of Object.keys(options)) {
    if (!members.has(member)) {
      throw new MisuseError('invalid_option', `policy: there is no option ${JSON.stringify(member)}`)
    }
  }
  const { authorize, onRefused, binary = [] } = options
  if (authorize !== undefined && typeof authorize !== 'function') {
    throw new MisuseError('invalid_option', 'policy: authorize is a function')
  }
  if (onRefused !== undefined && typeof onRefused !== 'function') {
    throw new MisuseError('invalid_option', 'policy: onRefused is a function')
  }
  if (binary === 'anyone') return
  if (!Array.isArray(binary)) {
    throw new MisuseError('invalid_option', "policy: binary is a list of roles, or 'anyone'")
  }
  roleList('binary', binary)
}

const bounds: Readonly<Record<keyof PolicyLimits, readonly [least: number, most: number]>> = {
  maxBytes: [2, 104_857_600],
  maxDepth: [1, 256],
  maxQueued: [1, 10_000],
  maxQueuedBytes: [2, 1_073_741_824],
  deadlineMs: [1, 600_000],
}

function limitsOf(given: Partial<PolicyLimits> = {}): PolicyLimits {
  const limits = { ...defaultPolicyLimits, ...given }
  for (const [name, value] of Object.entries(limits)) {
    if (!isLimit(name))
      throw new MisuseError('invalid_option', `policy: there is no limit ${JSON.stringify(name)}`)
    checkWhole(`policy: ${name}`, value, bounds[name])
  }
  if (limits.maxQueuedBytes < limits.maxBytes) {
    throw new MisuseError('invalid_option', 'policy: maxQueuedBytes is less than one message may have')
  }
  return limits
}

function isLimit(name: string): name is keyof PolicyLimits {
  return Object.hasOwn(bounds, name)
}
