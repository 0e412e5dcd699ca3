/** Runs the catalogue against one target: preconditions first, gentle before rough, and never on when the target suffers. */
import { BudgetSpent, type Spent } from './budget.ts'
import type { Check, Outcome, Scene } from './check.ts'
import { checks } from './checks.ts'
import { LoginFailed } from './identity.ts'
import { maskOutcome } from './masked-outcome.ts'
import { meet } from './meeting.ts'
import type { AuditOptions } from './options.ts'
import { OutOfScope, Unresolved } from './scope.ts'
import type { Endpoint } from './target.ts'

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
  /** Why the audit ended before its time, perhaps before its first check; those that it cost are "not tested". */
  readonly stopped: string | undefined
  /** Nothing answered at all. */
  readonly unreachable: string | undefined
  /** Identities that could not log in, and why. */
  readonly loginTroubles: readonly string[]
}

/**
 * Audits one endpoint. Knocks on this machine, and beyond it only where `options.allow` says so.
 *
 * @param target a URL of a socket or of a page, a command of curl, or the text of a HAR file
 * @param catalogue the checks; all that there are when left out
 * @throws OutOfScope, Unresolved, NoEndpoint; SyntaxError for a pattern that is none; TypeError for a node that is no URL
 */
export async function audit(
  target: string,
  options: AuditOptions = {},
  catalogue: readonly Check[] = checks,
): Promise<Report> {
  const startedAt = new Date().toISOString()
  const meeting = await meet(target, options)
  const closing = (): Pick<Report, 'target' | 'endpoint' | 'startedAt' | 'spent' | 'loginTroubles'> => ({
    target: meeting.needs.masking.hide(meeting.endpoint.url.href),
    endpoint: meeting.endpoint,
    startedAt,
    spent: meeting.needs.budget.spent,
    loginTroubles: meeting.loginTroubles.map((trouble) => meeting.needs.masking.hide(trouble)),
  })
  if (meeting.kind === 'unreachable')
    return { ...closing(), results: [], stopped: undefined, unreachable: meeting.why }
  if (meeting.kind === 'stopped') {
    const outcome: Outcome = { kind: 'not tested', missing: meeting.why }
    const results = chosen(catalogue, options).map((check) => ({ check, outcome, ms: 0 }))
    return { ...closing(), results, stopped: meeting.why, unreachable: undefined }
  }
  const run = new Run(meeting.scene, chosen(catalogue, options))
  try {
    const results = (await run.all()).map(({ outcome, ...result }) => ({
      ...result,
      outcome: maskOutcome(outcome, meeting.needs.masking),
    }))
    return { ...closing(), results, stopped: run.stopped, unreachable: undefined }
  } finally {
    meeting.needs.budget.end()
  }
}

function chosen(catalogue: readonly Check[], { only, skip = [] }: AuditOptions): readonly Check[] {
  return catalogue.filter(({ id }) => (only === undefined || only.includes(id)) && !skip.includes(id))
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
