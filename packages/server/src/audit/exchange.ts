/** What was said on one connection, as evidence: short, in order, and without secrets. */
import type { Masking } from './masking.ts'

/** One line of evidence. */
export interface Line {
  /** Milliseconds since the connection was begun. */
  readonly atMs: number
  readonly from: 'scanner' | 'target' | 'note'
  readonly text: string
}

/** A recorded exchange. */
export type Exchange = readonly Line[]

/** An exchange of one remark, for what was seen without a visit. */
export function remark(text: string): Exchange {
  return [{ atMs: 0, from: 'note', text }]
}

const maxLines = 40
const maxLineLength = 1_200

/** Records one connection. What is beyond its bounds is counted, not kept. */
export class Recorder {
  readonly #masking: Masking
  readonly #startedAt = performance.now()
  readonly #lines: Line[] = []
  #left = 0

  constructor(masking: Masking) {
    this.#masking = masking
  }

  add(from: Line['from'], text: string): void {
    if (this.#lines.length >= maxLines) {
      this.#left += 1
      return
    }
    const atMs = Math.round(performance.now() - this.#startedAt)
    this.#lines.push({ atMs, from, text })
  }

  /** From now on this value is hidden, in what was added before, too. */
  hide(secret: string): void {
    this.#masking.learn(secret)
  }

  /** The exchange so far. Secrets that were learned after a line was added are hidden in it, too. */
  get exchange(): Exchange {
    const lines = this.#lines.map((line) => ({ ...line, text: shorten(this.#masking.hide(line.text)) }))
    if (this.#left === 0) return lines
    const atMs = Math.round(performance.now() - this.#startedAt)
    return [...lines, { atMs, from: 'note', text: `and ${this.#left} lines more` }]
  }
}

function shorten(text: string): string {
  return text.length <= maxLineLength ? text : `${text.slice(0, maxLineLength)} … (${text.length} characters)`
}
