/** Floods by two processes: one could not make connections fast enough, nor hold as many as a server. */
import { Child } from './child.ts'
import type { FloodOrder, FloodOutcome, FloodQuestions } from './flood-protocol.ts'

const processes = 2

/** Processes that flood together. */
export class Flood {
  readonly #children: readonly Child<FloodQuestions>[] = Array.from(
    { length: processes },
    () => new Child<FloodQuestions>({ file: new URL('flooder.ts', import.meta.url), core: 'generator' }),
  )

  /** Floods at this rate in all. */
  async run(order: Omit<FloodOrder, 'firstAddress'>): Promise<FloodOutcome> {
    const outcomes = await Promise.all(
      this.#children.map((child, at) =>
        child.ask('flood', {
          ...order,
          perSecond: order.perSecond / processes,
          maxOpen: order.maxOpen / processes,
          firstAddress: at * 25_000,
        }),
      ),
    )
    const sum = (pick: (outcome: FloodOutcome) => number): number =>
      outcomes.reduce((total, outcome) => total + pick(outcome), 0)
    return {
      connected: sum(({ connected }) => connected),
      failed: sum(({ failed }) => failed),
      skipped: sum(({ skipped }) => skipped),
      mostOpen: sum(({ mostOpen }) => mostOpen),
      elapsedMs: Math.max(...outcomes.map(({ elapsedMs }) => elapsedMs)),
    }
  }

  /** Connections that the server has not ended yet. */
  async open(): Promise<number> {
    const answers = await Promise.all(this.#children.map((child) => child.ask('open', undefined)))
    return answers.reduce((total, { open }) => total + open, 0)
  }

  async drop(): Promise<void> {
    await Promise.all(this.#children.map((child) => child.ask('drop', undefined)))
  }

  async stop(): Promise<void> {
    await Promise.all(this.#children.map((child) => child.stop()))
  }
}
