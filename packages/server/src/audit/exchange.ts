/** What was said on one connection, as evidence: short, in order, and without secrets. */
import type { Masking } from './masking.ts'

/** One line of evidence. */
export interface Line {
  /** Milliseconds since the connection was begun. */
  readonly atMs: number
  readonly from: 'scanner' | 'target' | 'note'
  readonly text: string
  /** By this line it is judged. */
  readonly decides?: true
}

/** A recorded exchange. */
export type Exchange = readonly Line[]

/** An exchange of one remark, for what was seen without a visit. */
export function remark(text: string): Exchange {
  return [{ atMs: 0, from: 'note', text }]
}

/** An exchange that is judged by the last line of the target that holds these words, whatever else was marked in it. */
export function judgedBy(exchange: Exchange, words: string): Exchange {
  const at = exchange.findLastIndex(({ from, text }) => from === 'target' && text.includes(words))
  return exchange.map(({ atMs, from, text }, index) =>
    index === at ? { atMs, from, text, decides: true } : { atMs, from, text },
  )
}

const maxLines = 40
const maxLineLength = 1_200
/** What is kept of a line, so that secrets which are learned later are found in it. */
const maxKeptLength = 65_536

/** A line as it is kept. */
interface Kept extends Line {
  /** Of the whole text, of which the line may be the beginning. */
  readonly length: number
}

/** Records one connection. What is beyond its bounds is counted, not kept. */
export class Recorder {
  readonly #masking: Masking
  readonly #startedAt = performance.now()
  readonly #lines: Kept[] = []
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
    this.#lines.push({ atMs, from, text: beginningOf(text), length: text.length })
  }

  /** From now on this value is hidden, in what was added before, too. */
  hide(secret: string): void {
    this.#masking.learn(secret)
  }

  /** The target's last line with exactly this text is what one is judged by. */
  mark(text: string): void {
    const beginning = beginningOf(text)
    const at = this.#lines.findLastIndex(
      (line) => line.from === 'target' && line.length === text.length && line.text === beginning,
    )
    const line = this.#lines[at]
    if (line !== undefined) this.#lines[at] = { ...line, decides: true }
  }

  /** Without secrets; at the end of a beginning there may be one that is not whole, and is not found. */
  #visible(text: string, length: number): string {
    const hidden = this.#masking.hide(text)
    return length <= maxKeptLength
      ? hidden
      : hidden.slice(0, Math.max(0, hidden.length - this.#masking.longest))
  }

  /** The exchange so far. Secrets that were learned after a line was added are hidden in it, too. */
  get exchange(): Exchange {
    const lines = this.#lines.map(({ length, text, ...line }) => ({
      ...line,
      text: shorten(this.#visible(text, length), length),
    }))
    if (this.#left === 0) return lines
    const atMs = Math.round(performance.now() - this.#startedAt)
    return [...lines, { atMs, from: 'note', text: `and ${this.#left} lines more` }]
  }
}

/** A beginning that does not keep the rest of the text in memory, as a part of a string does. */
function beginningOf(text: string): string {
  return text.length <= maxKeptLength ? text : Buffer.from(text.slice(0, maxKeptLength)).toString()
}

function shorten(text: string, length: number): string {
  const isWhole = length <= maxKeptLength
  if (isWhole && text.length <= maxLineLength) return text
  return `${text.slice(0, maxLineLength)} … (${isWhole ? text.length : length} characters)`
}
