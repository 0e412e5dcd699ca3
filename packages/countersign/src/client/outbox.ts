/** Messages that wait for a connection, bounded. */

/** What may be sent, as in the WebSocket standard. */
export type Sendable = string | ArrayBufferLike | ArrayBufferView | Blob

/** Bounds of what waits while there is no connection. */
export interface OutboxLimits {
  /** @default 100 */
  readonly maxMessages: number
  /** @default 1 MiB */
  readonly maxBytes: number
}

/** The bounds unless said otherwise. */
export const defaultOutbox: OutboxLimits = Object.freeze({ maxMessages: 100, maxBytes: 1_048_576 })

/** In order, and never beyond its bounds. */
export class Outbox {
  readonly #limits: OutboxLimits
  #messages: Sendable[] = []
  #bytes = 0

  constructor(limits: OutboxLimits) {
    this.#limits = limits
  }

  get bytes(): number {
    return this.#bytes
  }

  get length(): number {
    return this.#messages.length
  }

  /** @returns `false`: there is no room, the message was not taken */
  put(message: Sendable): boolean {
    const bytes = byteLength(message)
    const { maxMessages, maxBytes } = this.#limits
    if (this.#messages.length >= maxMessages || this.#bytes + bytes > maxBytes) return false
    // Who sends a buffer may write into it afterwards.
    this.#messages.push(snapshot(message))
    this.#bytes += bytes
    return true
  }

  /** Takes everything out. */
  take(): readonly Sendable[] {
    const messages = this.#messages
    this.#messages = []
    this.#bytes = 0
    return messages
  }
}

const utf8 = new TextEncoder()

function byteLength(message: Sendable): number {
  if (typeof message === 'string') return utf8.encode(message).length
  return message instanceof Blob ? message.size : message.byteLength
}

function snapshot(message: Sendable): Sendable {
  if (typeof message === 'string' || message instanceof Blob) return message
  if (!ArrayBuffer.isView(message)) return message.slice(0)
  return new Uint8Array(message.buffer, message.byteOffset, message.byteLength).slice()
}
