/** What was said in a conversation, as it went over the wire: to be shown, replayed and saved. */
import type { IdentityName } from './presented.ts'

/** One message, in either direction. */
export interface Said {
  /** From 1, and never given twice. */
  readonly number: number
  /** Milliseconds since the conversation began. */
  readonly atMs: number
  /** On whose socket. */
  readonly who: IdentityName
  readonly from: 'scanner' | 'target'
  readonly data: string | Uint8Array
}

const maxMessages = 1_000
const maxBytes = 4_194_304

/** The last messages of a conversation; older ones are forgotten. */
export class History {
  readonly #startedAt = performance.now()
  readonly #messages: Said[] = []
  #bytes = 0
  #last = 0

  /** Keeps a message. @returns it with its number */
  add(who: IdentityName, from: Said['from'], data: Said['data']): Said {
    this.#last += 1
    const atMs = Math.round(performance.now() - this.#startedAt)
    const said = { number: this.#last, atMs, who, from, data }
    this.#messages.push(said)
    this.#bytes += data.length
    while (this.#messages.length > maxMessages || (this.#bytes > maxBytes && this.#messages.length > 1))
      this.#bytes -= this.#messages.shift()?.data.length ?? 0
    return said
  }

  /** The message with a number, while it is kept. */
  find(number: number): Said | undefined {
    return this.#messages.find((said) => said.number === number)
  }

  /** All that are kept, oldest first. */
  get all(): readonly Said[] {
    return this.#messages
  }
}

/** A message as text: binary ones in hexadecimal digits. */
export function textOf({ data }: Said): string {
  return typeof data === 'string'
    ? data
    : `${data.length} bytes, binary: ${Buffer.from(data).toString('hex')}`
}
