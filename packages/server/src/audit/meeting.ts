/** The first look at a target, as everybody that the configuration knows: what a scan and a conversation both begin with. */
import { allowanceOf, Budget } from './budget.ts'
import type { Baseline, Scene } from './check.ts'
import { dialects } from './dialects/dialects.ts'
import { findEndpoint } from './find-endpoint.ts'
import { Identity, LoginFailed } from './identity.ts'
import { Masking } from './masking.ts'
import type { AuditOptions } from './options.ts'
import { pinNodes } from './nodes.ts'
import { Oracle, type Sight } from './oracle.ts'
import { anonymous } from './presented.ts'
import { Scope } from './scope.ts'
import type { Endpoint } from './target.ts'
import type { VisitNeeds } from './visit.ts'

/** What every meeting knows. */
interface Acquaintance {
  readonly endpoint: Endpoint
  readonly needs: VisitNeeds
  /** Identities that could not log in or do not enter, and why. */
  readonly loginTroubles: readonly string[]
}

/** A target that was looked at, or one that does not answer. */
export type Meeting =
  | (Acquaintance & { readonly kind: 'met'; readonly scene: Scene })
  | (Acquaintance & { readonly kind: 'unreachable'; readonly why: string })

const patienceMs = 5_000
const defaultSettleMs = 800

/**
 * Finds the endpoint and looks at it as nobody, as `low` and as `high`.
 *
 * @param target as of `audit`
 * @throws OutOfScope, Unresolved, NoEndpoint, BudgetSpent; SyntaxError for a pattern that is none
 */
export async function meet(target: string, options: AuditOptions): Promise<Meeting> {
  const budget = new Budget(allowanceOf(options), options.signal ?? new AbortController().signal)
  const needs: VisitNeeds = {
    scope: new Scope(options.allow),
    budget,
    tls: options.tls ?? {},
    patienceMs,
    masking: new Masking(),
  }
  const found = await findEndpoint(target, options, needs)
  await pinNodes(options, needs)
  return new Audience(found.endpoint, found.options, needs).meet()
}

class Audience {
  readonly #endpoint: Endpoint
  readonly #options: AuditOptions
  readonly #needs: VisitNeeds
  readonly #troubles: string[] = []

  constructor(endpoint: Endpoint, options: AuditOptions, needs: VisitNeeds) {
    this.#endpoint = endpoint
    this.#options = options
    this.#needs = needs
  }

  async meet(): Promise<Meeting> {
    const endpoint = this.#endpoint
    let needs = this.#needs
    const options = this.#options
    const dialect = dialects[endpoint.protocol]
    const { whoami, private: patterns = [], settleMs = defaultSettleMs, identities = {} } = options
    let oracle = new Oracle({ needs, endpoint, dialect }, { whoami, private: patterns, settleMs })
    let first = await oracle.look(anonymous)
    const distrusts = first.view.kind === 'unreachable' && first.view.why.startsWith('tls: ')
    if (distrusts) {
      // What can be seen of it is still audited, but nobody's secrets are shown to it.
      needs = { ...needs, tls: { ...needs.tls, rejectUnauthorized: false } }
      oracle = new Oracle({ needs, endpoint, dialect }, { whoami, private: patterns, settleMs })
      first = await oracle.look(anonymous)
    }
    const acquaintance: Acquaintance = { endpoint, needs, loginTroubles: this.#troubles }
    if (first.view.kind === 'unreachable')
      return { ...acquaintance, kind: 'unreachable', why: first.view.why }
    if (distrusts) this.#troubles.push('nobody logs in: the certificate of the target does not hold')
    const identify = (name: 'low' | 'high'): Identity | undefined => {
      const login = identities[name]
      return login === undefined || distrusts ? undefined : new Identity(name, login, { needs, endpoint })
    }
    const low = identify('low')
    const high = identify('high')
    const baseline: Baseline = {
      anonymous: first,
      low: await this.#sight(oracle, low),
      high: await this.#sight(oracle, high),
    }
    const scene = { endpoint, dialect, oracle, budget: needs.budget, needs, options, low, high, baseline }
    return { ...acquaintance, kind: 'met', scene }
  }

  async #sight(oracle: Oracle, identity: Identity | undefined): Promise<Sight | undefined> {
    if (identity === undefined) return undefined
    try {
      const sight = await oracle.look(await identity.present())
      if (sight.view.kind !== 'open')
        this.#troubles.push(`${identity.name}: logged in, but does not enter the socket`)
      return sight
    } catch (error) {
      if (!(error instanceof LoginFailed)) throw error
      this.#troubles.push(`${identity.name}: ${error.message}`)
      return undefined
    }
  }
}
