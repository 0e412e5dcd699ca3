/** Lines about refusals, one by one while they are few, and by the number in a flood: writing must not cost more than refusing. */
import type { JournalEntry } from 'countersign'

/** Refusals of a second that are written one by one. */
const maxLines = 100
const second = 1_000

/** What a second's flood came to. */
export type Tell = (reason: string, count: number) => void

/** Counts what is not written. */
export class RefusalLines {
  readonly #tell: Tell
  #lines = 0
  /** What was not written in this second, by reason: there are as many as the table of reasons has. */
  readonly #counts = new Map<string, number>()
  #turning = false

  /** @param tell told once a second, for each reason of which lines were left out */
  constructor(tell: Tell) {
    this.#tell = tell
  }

  /** Whether this refusal is to be written; otherwise it is counted. */
  allows({ reason = 'internal' }: JournalEntry): boolean {
    if (!this.#turning) {
      this.#turning = true
      setTimeout(() => this.#turn(), second).unref()
    }
    if (this.#lines < maxLines) {
      this.#lines++
      return true
    }
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1)
    return false
  }

  #turn(): void {
    this.#turning = false
    this.#lines = 0
    const counts = [...this.#counts]
    this.#counts.clear()
    for (const [reason, count] of counts) this.#tell(reason, count)
  }
}
