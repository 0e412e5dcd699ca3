/** Commands while they run: bounded in time, output and number, and gone when whoever started them is. */
import type { Prepared, Surroundings } from './commands.ts'

/** How a run ended. */
export type Outcome = 'done' | 'failed' | 'stopped' | 'out_of_time' | 'too_much_output' | 'console_ended'

/** What a run may cost. */
export interface RunBounds {
  /** Commands that one console may run at once. */
  readonly maxPerConsole: number
  /** Commands that one person may run at once, in all their consoles. */
  readonly maxPerPerson: number
  readonly maxLines: number
  /** Characters of output in all. */
  readonly maxText: number
  /** Characters of one line; what is longer is cut. */
  readonly maxLine: number
}

/** Bounds of the example. */
export const runBounds: RunBounds = {
  maxPerConsole: 3,
  maxPerPerson: 5,
  maxLines: 2_000,
  maxText: 200_000,
  maxLine: 500,
}

/** Where a run was started, and where its output goes: one for each console. */
export interface Screen {
  readonly who: string
  /** Nothing may be told any more. */
  readonly over: boolean
  /** Waits where too much was told that is not read yet; `undefined`: go on. */
  ready(): Promise<unknown> | undefined
  line(run: number, text: string): void
  end(run: number, outcome: Outcome, durationMs: number): void
}

interface Run {
  readonly number: number
  readonly screen: Screen
  readonly abort: AbortController
}

/** All runs of this program. */
export class Runs {
  readonly #open = new Map<number, Run>()
  readonly #surroundings: Surroundings
  readonly #bounds: RunBounds
  #last = 0

  constructor(surroundings: Surroundings, bounds: RunBounds = runBounds) {
    this.#surroundings = surroundings
    this.#bounds = bounds
  }

  /** Starts a command. @returns the number of its run, or `busy` where too many run */
  start(prepared: Prepared, screen: Screen): number | 'busy' {
    const { maxPerConsole, maxPerPerson } = this.#bounds
    const theirs = [...this.#open.values()].filter((run) => run.screen.who === screen.who)
    const here = theirs.filter((run) => run.screen === screen)
    if (here.length >= maxPerConsole || theirs.length >= maxPerPerson) return 'busy'
    const run: Run = { number: ++this.#last, screen, abort: new AbortController() }
    this.#open.set(run.number, run)
    // Not in this turn: whoever starts it learns its number first.
    setImmediate(() => void this.#drive(run, prepared))
    return run.number
  }

  /** Stops a run of this console; those of others are none of its business. */
  stop(number: number, screen: Screen): void {
    const run = this.#open.get(number)
    if (run?.screen === screen) run.abort.abort('stopped')
  }

  /** The console is gone: so are its runs. */
  leave(screen: Screen): void {
    for (const run of this.#open.values()) if (run.screen === screen) run.abort.abort('console_ended')
  }

  async #drive(run: Run, prepared: Prepared): Promise<void> {
    const { number, screen, abort } = run
    const startedAt = performance.now()
    const late = setTimeout(() => abort.abort('out_of_time'), prepared.command.maxMs)
    const outcome = await this.#pump(run, prepared)
    clearTimeout(late)
    this.#open.delete(number)
    abort.abort(outcome)
    screen.end(number, outcome, Math.round(performance.now() - startedAt))
  }

  /** Hands the output on, line by line. The signal is heard even by a command that does not listen to it. */
  async #pump({ number, screen, abort }: Run, prepared: Prepared): Promise<Outcome> {
    const { signal } = abort
    const aborted = new Promise<undefined>((resolve) =>
      signal.addEventListener('abort', () => resolve(undefined)),
    )
    const why = (): Outcome => signal.reason as Outcome // Every abort in this file has an outcome for a reason.
    if (signal.aborted) return why()
    const { maxLines, maxText, maxLine } = this.#bounds
    const call = { ...this.#surroundings, who: screen.who, signal }
    const lines = prepared.run(call)[Symbol.asyncIterator]()
    let text = 0
    try {
      for (let count = 1; ; count++) {
        const next = lines.next()
        next.catch(() => undefined)
        const step = await Promise.race([next, aborted])
        if (screen.over) abort.abort('console_ended')
        if (signal.aborted || step === undefined) return why()
        if (step.done === true) return 'done'
        const line = step.value.slice(0, maxLine)
        text += line.length
        if (count > maxLines || text > maxText) return 'too_much_output'
        screen.line(number, line)
        await Promise.race([screen.ready(), aborted])
      }
    } catch {
      return signal.aborted ? why() : 'failed'
    } finally {
      void lines.return?.().catch(() => undefined)
    }
  }
}
