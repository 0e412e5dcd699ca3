/** What an event asks for, as plain data: verified, and not yet done. */
import type { JsonObject } from '../wire/json.ts'
import type { StreamStatus } from './event-options.ts'

/** Something to be ended. */
interface Ending {
  /** Whose names these are: the issuer itself, or one for which it may speak. */
  readonly issuer: string
  readonly reason: 'revoked' | 'logged_out'
  /** Constant words for the journal. */
  readonly word: string
}

/** One act. */
export type EventAct =
  | (Ending & { readonly kind: 'session' | 'token'; readonly name: string })
  /** Everything of a subject that was there at `beforeMs`. */
  | (Ending & { readonly kind: 'subject'; readonly name: string; readonly beforeMs: number })
  /** As `subject`, where the application alone knows whom the identifier means. */
  | (Ending & { readonly kind: 'identifier'; readonly identifier: JsonObject; readonly beforeMs: number })
  | {
      readonly kind: 'verification'
      readonly issuer: string
      readonly stream: string
      readonly state: string | undefined
    }
  | {
      readonly kind: 'stream'
      readonly issuer: string
      readonly stream: string
      readonly status: StreamStatus
    }
