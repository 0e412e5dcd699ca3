import { later, within } from './later.ts'

/** A frame of the server's own: an object with a `type`. */
export type Frame = Readonly<Record<string, unknown>>

/** An open socket on which the server's own frames are heard. */
export interface Line {
  readonly say: (text: string) => void
  /** The next frame of one of these types that nobody has taken yet; `undefined`: none came in time. */
  readonly hear: (types: readonly string[], ms: number) => Promise<Frame | undefined>
}

/** Frames that wait to be taken; the oldest go. */
const maxFrames = 16

/** The server's own frames on an open socket, until somebody takes them. */
export class Inbox {
  readonly #frames: Frame[] = []
  #arrived = later<undefined>()

  /** Lays a frame in. */
  put(frame: Frame): void {
    this.#frames.push(frame)
    if (this.#frames.length > maxFrames) this.#frames.shift()
    this.#arrived.resolve(undefined)
    this.#arrived = later()
  }

  /** The first frame of one of these types, there already or yet to come; `undefined`: none came in time. */
  async take(types: readonly string[], ms: number): Promise<Frame | undefined> {
    const endsAtMs = performance.now() + ms
    for (;;) {
      const at = this.#frames.findIndex(({ type }) => types.includes(String(type)))
      if (at >= 0) return this.#frames.splice(at, 1)[0]
      const leftMs = endsAtMs - performance.now()
      if (leftMs <= 0) return undefined
      await within(leftMs, this.#arrived.promise, undefined)
    }
  }
}
