/** The first look at a target, as everybody that the configuration knows: what a scan and a conversation both begin with. */
import { allowanceOf, Budget, BudgetSpent } from './budget.ts'
import type { Baseline, Scene } from './check.ts'
import { dialects } from './dialects/dialects.ts'
import { findEndpoint, NoEndpoint, presumedEndpoint } from './find-endpoint.ts'
import { Identity, LoginFailed } from './identity.ts'
import { Masking } from './masking.ts'
import type { AuditOptions } from './options.ts'
import { pinNodes } from './nodes.ts'
import { Oracle, type Sight } from './oracle.ts'
import { anonymous, type Presented } from './presented.ts'
import { Scope } from './scope.ts'
import type { Endpoint } from './target.ts'
import type { VisitNeeds } from './visit.ts'

/** What every meeting knows. */
interface Acquaintance {
  /** As far as it was found out. */
  readonly endpoint: Endpoint
  readonly needs: VisitNeeds
  /** Identities that could not log in or do not enter, and why. */
  readonly loginTroubles: readonly string[]
}

/** A target that was looked at, one that does not answer, or one that was not looked at to the end. */
export type Meeting =
  | (Acquaintance & { readonly kind: 'met'; readonly scene: Scene })
  | (Acquaintance & { readonly kind: 'unreachable'; readonly why: string })
  | (Acquaintance & { readonly kind: 'stopped'; readonly why: string })

const patienceMs = 5_000
const defaultSettleMs = 800

/**
 * Finds the endpoint and looks at it as nobody, as `low` and as `high`. Where it comes to an end before, by the signal, the
 * allowance or a pattern, nothing is left open.
 *
 * @param target as of `audit`
 * @throws OutOfScope, Unresolved, NoEndpoint; SyntaxError for a pattern that is none
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
  let endpoint = presumedEndpoint(target, options)
  const troubles: string[] = []
  try {
    const found = await findEndpoint(target, options, needs)
    ;({ endpoint } = found)
    await pinNodes(options, needs)
    budget.check()
    return await new Audience({ endpoint, options: found.options, needs, troubles }).meet()
  } catch (error) {
    const why = whyStopped(error, budget)
    budget.end()
    if (why === undefined) throw error
    return { kind: 'stopped', endpoint, needs, loginTroubles: troubles, why: `nothing was tested: ${why}` }
  }
}

/** A target whose page was not read to its end seems to have no socket. */
function whyStopped(error: unknown, budget: Budget): string | undefined {
  if (error instanceof BudgetSpent) return error.message
  return error instanceof NoEndpoint ? budget.over : undefined
}

class Audience {
  readonly #endpoint: Endpoint
  readonly #options: AuditOptions
  readonly #needs: VisitNeeds
  readonly #troubles: string[]

  constructor(given: { endpoint: Endpoint; options: AuditOptions; needs: VisitNeeds; troubles: string[] }) {
    this.#endpoint = given.endpoint
    this.#options = given.options
    this.#needs = given.needs
    this.#troubles = given.troubles
  }

  async meet(): Promise<Meeting> {
    const endpoint = this.#endpoint
    let needs = this.#needs
    const options = this.#options
    const dialect = dialects[endpoint.protocol]
    const { whoami, private: patterns = [], settleMs = defaultSettleMs, identities = {} } = options
    let oracle = new Oracle({ needs, endpoint, dialect }, { whoami, private: patterns, settleMs })
    let first = await this.#look(oracle, anonymous)
    const distrusts = first.view.kind === 'unreachable' && first.view.why.startsWith('tls: ')
    if (distrusts) {
      // What can be seen of it is still audited, but nobody's secrets are shown to it.
      needs = { ...needs, tls: { ...needs.tls, rejectUnauthorized: false } }
      oracle = new Oracle({ needs, endpoint, dialect }, { whoami, private: patterns, settleMs })
      first = await this.#look(oracle, anonymous)
    }
    const acquaintance: Acquaintance = { endpoint, needs, loginTroubles: this.#troubles }
    if (first.view.kind === 'unreachable') {
      const shown = [identities.low, identities.high].some((login) => login?.tls !== undefined)
      const hint = shown
        ? '; if the target ends connections without a certificate, name one under tls, too'
        : ''
      return { ...acquaintance, kind: 'unreachable', why: `${first.view.why}${hint}` }
    }
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

  /** What is cut off by the end of the audit looks like a target that does not answer. */
  async #look(oracle: Oracle, presented: Presented): Promise<Sight> {
    const sight = await oracle.look(presented)
    this.#needs.budget.check()
    return sight
  }

  async #sight(oracle: Oracle, identity: Identity | undefined): Promise<Sight | undefined> {
    if (identity === undefined) return undefined
    try {
      const sight = await this.#look(oracle, await identity.present())
      if (sight.view.kind !== 'open')
        this.#troubles.push(`${identity.name}: logged in, but does not enter the socket`)
      return sight
    } catch (error) {
      if (!(error instanceof LoginFailed)) throw error
      this.#needs.budget.check()
      this.#troubles.push(`${identity.name}: ${error.message}`)
      return undefined
    }
  }
}
