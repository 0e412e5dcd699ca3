/** Frames of a WebSocket server as they arrive: no masks, and here nothing but whole text. */

/** Finds frames in chunks. Takes at most 65,535 bytes a frame, which is more than the bench is ever sent. */
export class ServerFrames {
  readonly #heard: (text: string) => void
  #rest: Buffer | undefined

  /** @param heard called for each text, in order */
  constructor(heard: (text: string) => void) {
    this.#heard = heard
  }

  /** @param chunk copied where it is kept: it may be a buffer that is used again */
  take(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    while (bytes.length - at >= 2) {
      const short = bytes[at + 1] ?? 0
      const from = at + (short < 126 ? 2 : 4)
      if (bytes.length < from) break
      const end = from + (short < 126 ? short : bytes.readUInt16BE(at + 2))
      if (bytes.length < end) break
      if ((bytes[at] ?? 0) === textHead) this.#heard(bytes.toString('latin1', from, end))
      at = end
    }
    this.#rest = at === bytes.length ? undefined : Buffer.from(bytes.subarray(at))
  }
}

/** FIN and the opcode of text (RFC 6455 §5.2). */
const textHead = 0x81
