/** The room: who listens, what was said last. It judges nothing; what comes here has passed. */

/** A message as everyone hears it. */
export interface Line {
  readonly number: number
  readonly nickname: string
  readonly message: string
  /** Degrees, rounded. */
  readonly lat: number
  readonly lon: number
  /** When it was said, ms since the epoch. */
  readonly at: number
}

/** What listeners hear, by its name. */
export interface Told {
  readonly 'incoming message': Line
  readonly 'message removed': { readonly number: number }
  readonly muted: { readonly nickname: string; readonly minutes: number }
}

/** Someone's socket. It must bound what waits for it: the room asks nobody whether they keep up. */
export type Listener = <Name extends keyof Told>(name: Name, body: Told[Name]) => void

/** Messages that are kept for those who come later. */
export const maxLines = 100

/** The one room of this chat. */
export class Room {
  readonly #listeners = new Set<Listener>()
  #lines: readonly Line[] = []
  #numbers = 0

  /** The last messages, oldest first. */
  get lines(): readonly Line[] {
    return this.#lines
  }

  /** Begins to tell. @returns a function that ends it */
  enter(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Keeps a message and tells everyone. */
  post(said: Omit<Line, 'number' | 'at'>): Line {
    this.#numbers++
    const line = { number: this.#numbers, ...said, at: Date.now() }
    this.#lines = [...this.#lines, line].slice(-maxLines)
    this.tell('incoming message', line)
    return line
  }

  /** Forgets a message. @returns whether it was there */
  remove(number: number): boolean {
    const kept = this.#lines.filter((line) => line.number !== number)
    if (kept.length === this.#lines.length) return false
    this.#lines = kept
    this.tell('message removed', { number })
    return true
  }

  /** Tells everyone. */
  tell<Name extends keyof Told>(name: Name, body: Told[Name]): void {
    for (const listener of this.#listeners) listener(name, body)
  }
}
