/** Regular expressions of the configuration over what a target sends: a careless one ends the audit, and never keeps it. */
import { createContext, Script } from 'node:vm'
import { BudgetSpent, type Budget } from './budget.ts'

/** How long one message may be looked at, milliseconds. */
const maxMatchMs = 1_000
/** How long all messages of an audit may be looked at, milliseconds: queued ones are read without a pause. */
const maxAllMs = 5_000

/** One of them. */
export class Pattern {
  readonly #budget: Budget
  readonly #key: string
  readonly #expression: RegExp

  /**
   * @param key where it stands in the configuration: `canaries[0].effect`
   * @throws SyntaxError for a source that is no regular expression
   */
  constructor(budget: Budget, key: string, source: string) {
    this.#budget = budget
    this.#key = key
    this.#expression = new RegExp(source)
  }

  get source(): string {
    return this.#expression.source
  }

  /** Whether it is found in a text. @throws BudgetSpent when that takes too long */
  test(text: string): boolean {
    return this.exec(text) !== null
  }

  /** Where it is first found in a text. @throws BudgetSpent when that takes too long */
  exec(text: string): RegExpExecArray | null {
    return Pattern.each([this], text)[0] ?? null
  }

  /**
   * Where each of some is first found in a text, under one clock: to set one takes longer than most expressions do.
   * @throws BudgetSpent when that takes too long
   */
  static each(patterns: readonly Pattern[], text: string): readonly (RegExpExecArray | null)[] {
    const found: (RegExpExecArray | null)[] = []
    const [first] = patterns
    if (first === undefined) return found
    const budget = first.#budget
    const withinMs = Math.min(maxMatchMs, Math.ceil(maxAllMs - budget.held(0)))
    let startedAt = performance.now()
    const isDone =
      withinMs > 0 &&
      doneWithin(withinMs, () => {
        startedAt = performance.now()
        for (const pattern of patterns) found.push(pattern.#expression.exec(text))
        budget.held(performance.now() - startedAt)
      })
    if (isDone) return found
    // What was cut off has had its time, whatever the clock of the cut makes of it.
    budget.held(Math.max(withinMs, performance.now() - startedAt))
    const slow = patterns[found.length] ?? first
    const bound =
      withinMs === maxMatchMs
        ? `${maxMatchMs} ms for one message`
        : `${maxAllMs} ms for all messages together`
    throw new BudgetSpent(
      `the regular expression ${slow.#key} takes more than ${bound}: write one that goes back less often`,
    )
  }
}

/** The work stands here for the one script that V8 interrupts, within a regular expression, too. */
const desk: { work: () => void } = { work: () => undefined }
const room = createContext({ desk })
const script = new Script('desk.work()')

/** Whether some work came to its end in time; else it was cut off. */
function doneWithin(timeout: number, work: () => void): boolean {
  desk.work = work
  try {
    script.runInContext(room, { timeout })
    return true
  } catch (error) {
    if (isTimeout(error)) return false
    throw error
  } finally {
    desk.work = () => undefined
  }
}

/** The error is of the script's own realm, where `Error` is another. */
function isTimeout(error: unknown): boolean {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
  )
}
