/** The first message of a socket that waits for acceptance: where its credential is, and what the application hears of it. */
import type { Reason } from '../core/reasons.ts'

/** What a first message says. */
export type Said =
  | {
      readonly kind: 'said'
      /** For the guard: what its carriers read. */
      readonly text: string
      /** For the application, once the guard has accepted: the message without its secret. `undefined`: nothing. */
      readonly heard?: Buffer
    }
  /** Ends the visit: this protocol does not begin so. */
  | { readonly kind: 'refused'; readonly reason: Reason }

/** Reads a first message. Called with bytes from anybody, `maxBytes` of them at most; must not throw. */
export type Opening = (data: Buffer, isBinary: boolean) => Said

/** A first message that is the credential and nothing else: text. */
export function plainOpening(data: Buffer, isBinary: boolean): Said {
  return isBinary
    ? { kind: 'refused', reason: 'protocol_violation' }
    : { kind: 'said', text: data.toString('utf8') }
}
