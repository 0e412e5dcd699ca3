/** Runs the catalogue against one target: preconditions first, gentle before rough, and never on when the target suffers. */
import {
  Budget,
  BudgetSpent,
  defaultAllowance,
  intrusiveAllowance,
  timingAllowance,
  type Spent,
} from './budget.ts'
import type { Baseline, Check, Outcome, Scene } from './check.ts'
import { checks } from './checks.ts'
import { dialects } from './dialects/dialects.ts'
import { Identity, LoginFailed } from './identity.ts'
import { Masking } from './masking.ts'
import type { AuditOptions } from './options.ts'
import { Oracle, type Sight } from './oracle.ts'
import { anonymous } from './presented.ts'
import { OutOfScope, Scope, Unresolved } from './scope.ts'
import { findEndpoint } from './find-endpoint.ts'
import type { Endpoint } from './target.ts'
import type { VisitNeeds } from './visit.ts'

/** A check and how it ended. */
export interface Result {
  readonly check: Check
  readonly outcome: Outcome
  readonly ms: number
}

/** What an audit came to. */
export interface Report {
  readonly target: string
  readonly endpoint: Endpoint
  /** ISO 8601. */
  readonly startedAt: string
  readonly spent: Spent
  /** In the order of the catalogue. */
  readonly results: readonly Result[]
  /** Why the audit ended before its time; the checks that it cost are "not tested". */
  readonly stopped: string | undefined
  /** Nothing answered at all. */
  readonly unreachable: string | undefined
  /** Identities that could not log in, and why. */
  readonly loginTroubles: readonly string[]
}

const patienceMs = 5_000
const defaultSettleMs = 800

/**
 * Audits one endpoint. Knocks on this machine, and beyond it only where `options.allow` says so.
 *
 * @param target a URL of a socket or of a page, a command of curl, or the text of a HAR file
 * @param catalogue the checks; all that there are when left out
 * @throws OutOfScope, Unresolved, NoEndpoint; SyntaxError for a pattern that is none
 */
export async function audit(
  target: string,
  options: AuditOptions = {},
  catalogue: readonly Check[] = checks,
): Promise<Report> {
  const startedAt = new Date().toISOString()
  const budget = new Budget(
    {
      ...defaultAllowance,
      ...(options.intrusive === true ? intrusiveAllowance : {}),
      ...(options.timing === true ? timingAllowance : {}),
      ...options.allowance,
    },
    options.signal ?? new AbortController().signal,
  )
  const needs: VisitNeeds = {
    scope: new Scope(options.allow),
    budget,
    tls: options.tls ?? {},
    patienceMs,
    masking: new Masking(),
  }
  const { endpoint, options: all } = await findEndpoint(target, options, needs)
  const audience = new Audience(endpoint, all, needs)
  const meeting = await audience.meet()
  if (meeting.kind === 'unreachable')
    return {
      ...audience.closing(startedAt),
      results: [],
      stopped: undefined,
      unreachable: meeting.why,
    }
  const run = new Run(meeting.scene, chosen(catalogue, options))
  const results = await run.all()
  return { ...audience.closing(startedAt), results, stopped: run.stopped, unreachable: undefined }
}

function chosen(catalogue: readonly Check[], { only, skip = [] }: AuditOptions): readonly Check[] {
  return catalogue.filter(({ id }) => (only === undefined || only.includes(id)) && !skip.includes(id))
}

/** The first look at a target, as everybody that the configuration knows. */
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

  async meet(): Promise<{ kind: 'met'; scene: Scene } | { kind: 'unreachable'; why: string }> {
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
    if (first.view.kind === 'unreachable') return { kind: 'unreachable', why: first.view.why }
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
    return { kind: 'met', scene }
  }

  /** What every report says. */
  closing(startedAt: string): Pick<Report, 'target' | 'endpoint' | 'startedAt' | 'spent' | 'loginTroubles'> {
    const { masking, budget } = this.#needs
    return {
      target: masking.hide(this.#endpoint.url.href),
      endpoint: this.#endpoint,
      startedAt,
      spent: budget.spent,
      loginTroubles: this.#troubles,
    }
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

/** One run of the catalogue. */
class Run {
  readonly #scene: Scene
  readonly #checks: readonly Check[]
  readonly #results = new Map<string, Result>()
  stopped: string | undefined

  constructor(scene: Scene, checks: readonly Check[]) {
    this.#scene = scene
    this.#checks = checks
  }

  async all(): Promise<readonly Result[]> {
    const waiting = this.#checks.filter(({ waits }) => waits === true)
    const gentle = this.#checks.filter(
      ({ waits, crashes, lastly }) => waits !== true && crashes !== true && lastly !== true,
    )
    const late = this.#checks.filter(({ lastly }) => lastly === true)
    const rough = this.#checks.filter(({ crashes }) => crashes === true)
    const aside = waiting.map((check) => this.#one(check))
    for (const check of gentle) await this.#oneIfHealthy(check)
    await Promise.all(aside)
    for (const check of late) await this.#oneIfHealthy(check)
    for (const check of rough) await this.#oneIfHealthy(check)
    return this.#checks.flatMap((check) => this.#results.get(check.id) ?? [])
  }

  async #oneIfHealthy(check: Check): Promise<void> {
    await this.#one(check)
    if (this.stopped === undefined && !(await this.#isHealthy()))
      this.stopped = `the target suffers since ${check.id}`
  }

  async #one(check: Check): Promise<void> {
    const startedAt = performance.now()
    this.#scene.options.onProgress?.(this.#results.size, this.#checks.length, `${check.id} ${check.title}`)
    const outcome = await this.#outcomeOf(check)
    this.#results.set(check.id, { check, outcome, ms: Math.round(performance.now() - startedAt) })
  }

  async #outcomeOf(check: Check): Promise<Outcome> {
    if (this.stopped !== undefined) return { kind: 'not tested', missing: this.stopped }
    const unmet = check.needs.find((need) => !need.met(this.#scene))
    if (unmet !== undefined) return { kind: 'not tested', missing: unmet.missing }
    try {
      return await check.run(this.#scene)
    } catch (error) {
      if (error instanceof BudgetSpent) {
        this.stopped ??= error.message
        return { kind: 'not tested', missing: error.message }
      }
      if (error instanceof LoginFailed || error instanceof OutOfScope || error instanceof Unresolved)
        return { kind: 'not tested', missing: error.message }
      throw error
    }
  }

  /** Whether the target still answers: asked twice before it is given up. */
  async #isHealthy(): Promise<boolean> {
    const { oracle, budget } = this.#scene
    try {
      for (const pauseMs of [0, 1_000]) {
        if (pauseMs > 0) await budget.pause(pauseMs)
        if ((await oracle.knock()) === 'reachable') return true
      }
      return false
    } catch (error) {
      if (!(error instanceof BudgetSpent)) throw error
      this.stopped ??= error.message
      return true
    }
  }
}
