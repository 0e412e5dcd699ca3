/** What an audit may cost its target: sockets at a time, connections, bytes and seconds. Told beforehand, held to throughout. */

/** The bounds of one audit. */
export interface Allowance {
  /** Connections that are open at the same time. @default 20 */
  readonly maxOpen: number
  /** Further ones, while a check counts how many the target bears. @default 0, 100 with consent to disturb */
  readonly maxCrowd?: number
  /** Connections in all. @default 1500 */
  readonly maxConnections: number
  /** Bytes sent and received in all. @default 33554432 */
  readonly maxBytes: number
  /** How long the audit may run, milliseconds. @default 60000 */
  readonly maxMs: number
}

/** The allowance of an audit that names none. */
export const defaultAllowance: Allowance = Object.freeze({
  maxOpen: 20,
  maxConnections: 1_500,
  maxBytes: 33_554_432,
  maxMs: 60_000,
})

/** What differs with consent to disturb: a crowd for as long as it is counted, and the time for what is sent slowly. */
export const intrusiveAllowance: Pick<Allowance, 'maxCrowd' | 'maxMs'> = Object.freeze({
  maxCrowd: 100,
  maxMs: 120_000,
})

/** What differs where the time of refusals is measured, which takes attempts by the hundred. */
export const timingAllowance: Pick<Allowance, 'maxConnections' | 'maxMs'> = Object.freeze({
  maxConnections: 4_000,
  maxMs: 120_000,
})

/** What an audit with these options may cost: more with consent to disturb, and where time is measured. */
export function allowanceOf(options: {
  readonly intrusive?: boolean
  readonly timing?: boolean
  readonly allowance?: Partial<Allowance>
}): Allowance {
  return {
    ...defaultAllowance,
    ...(options.intrusive === true ? intrusiveAllowance : {}),
    ...(options.timing === true ? timingAllowance : {}),
    ...options.allowance,
  }
}

/** Nothing is left of an allowance, or the audit was called off: whoever catches it reports what was not tested. */
export class BudgetSpent extends Error {
  override readonly name = 'BudgetSpent'
}

/** What an audit has used so far. */
export interface Spent {
  readonly connections: number
  readonly bytes: number
  readonly ms: number
  /** Most connections that were open at the same time. */
  readonly mostOpen: number
}

/** Keeps the books of one audit. */
export class Budget {
  readonly allowance: Allowance
  readonly signal: AbortSignal
  readonly #startedAt = performance.now()
  readonly #end = new AbortController()
  readonly #waiting: (() => void)[] = []
  #maxOpen: number
  #open = 0
  #mostOpen = 0
  #connections = 0
  #bytes = 0
  #heldMs = 0

  /** @param signal ends the audit: everything that waits here is refused */
  constructor(allowance: Allowance, signal: AbortSignal) {
    this.allowance = allowance
    this.#maxOpen = allowance.maxOpen
    this.signal = AbortSignal.any([signal, this.#end.signal, AbortSignal.timeout(allowance.maxMs)])
    this.signal.addEventListener('abort', () => {
      for (const wake of this.#waiting.splice(0)) wake()
    })
  }

  /** Ends the audit: whatever is still open is cut, and whatever waits here is refused. */
  end(): void {
    this.#end.abort()
  }

  /** Milliseconds until the audit ends. */
  get leftMs(): number {
    return Math.max(0, this.allowance.maxMs - (performance.now() - this.#startedAt))
  }

  get spent(): Spent {
    return {
      connections: this.#connections,
      bytes: this.#bytes,
      ms: Math.round(performance.now() - this.#startedAt),
      mostOpen: this.#mostOpen,
    }
  }

  /** Waits for one of the places for open connections. @returns gives the place back, once @throws BudgetSpent */
  async seat(): Promise<() => void> {
    while (this.#open >= this.#maxOpen && !this.signal.aborted)
      await new Promise<void>((resolve) => void this.#waiting.push(resolve))
    this.check()
    this.#connections += 1
    this.#open += 1
    this.#mostOpen = Math.max(this.#mostOpen, this.#open)
    let held = true
    return () => {
      if (!held) return
      held = false
      this.#open -= 1
      this.#waiting.shift()?.()
    }
  }

  /** Does work for which more connections may be open at the same time, as far as the allowance has any. */
  async crowded<T>(work: () => Promise<T>): Promise<T> {
    const { maxOpen, maxCrowd = 0 } = this.allowance
    this.#maxOpen = maxOpen + maxCrowd
    try {
      return await work()
    } finally {
      this.#maxOpen = maxOpen
    }
  }

  /** Counts bytes. @returns whether the allowance still covers them */
  spend(bytes: number): boolean {
    this.#bytes += bytes
    return this.#bytes <= this.allowance.maxBytes
  }

  /** Counts time in which nothing else could be done, milliseconds. @returns all of it so far */
  held(ms: number): number {
    this.#heldMs += ms
    return this.#heldMs
  }

  /** Why the audit is at its end; `undefined` while it is not. */
  get over(): string | undefined {
    const { maxConnections, maxBytes } = this.allowance
    if (this.signal.aborted) return 'the time of the audit is over, or it was stopped'
    if (this.#connections >= maxConnections) return `all ${maxConnections} connections are used`
    return this.#bytes > maxBytes ? `all ${maxBytes} bytes are used` : undefined
  }

  /** @throws BudgetSpent when the audit is at its end */
  check(): void {
    const { over } = this
    if (over !== undefined) throw new BudgetSpent(over)
  }

  /** Waits, but not beyond the end of the audit. @throws BudgetSpent */
  async pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        this.signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      this.signal.addEventListener('abort', done)
      if (this.signal.aborted) done()
    })
    this.check()
  }
}
