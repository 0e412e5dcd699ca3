/** A token as first message of an open socket: a bare string, `{"type":"auth","token":…}` or `connection_init`. */
import type { MessageCarrier, Search } from '../core/carrier.ts'
import type { Credential } from '../core/credential.ts'
import { parseFirstMessage } from '../wire/first-message.ts'
import { absent } from '../wire/found.ts'

/** Options of the first-message carriers. */
export interface FirstMessageOptions {
  /** Longest first message, bytes. @default 16384 */
  readonly maxBytes?: number
  /** Whether a JSON credential is answered with `auth_ok` or `auth_invalid`. @default true */
  readonly replies?: boolean
  /** What a socket without `Origin` may do. @default 'allow' */
  readonly absentOrigin?: 'allow' | 'refuse'
}

/** A JWT with room to spare. Where the guard takes no JWT its own `maxBytes` is smaller and binds first. */
const defaultMaxBytes = 16_384

/** The most reliable door: nothing secret is in the URL or in a header, and every engine behaves alike. */
export function firstMessage(options: FirstMessageOptions = {}): MessageCarrier {
  const maxBytes = options.maxBytes ?? defaultMaxBytes
  return {
    kind: 'message',
    key: 'first-message',
    absentOrigin: options.absentOrigin ?? 'allow',
    bearer: true,
    maxBytes,
    replies: options.replies ?? true,
    read(text): Search<Credential> {
      const message = parseFirstMessage(text, maxBytes)
      if (message.kind !== 'found') return message
      const { value } = message
      if (value.kind === 'hello') return absent
      return {
        kind: 'found',
        value: { kind: 'token', text: value.token, form: value.kind === 'bare' ? 'bare' : value.form },
      }
    },
  }
}

/** Opens a challenge-response conversation: `{"type":"hello","authid":…,"methods":[…]}`. No secret travels. */
export function challengeFrames(options: FirstMessageOptions = {}): MessageCarrier {
  const maxBytes = options.maxBytes ?? defaultMaxBytes
  return {
    kind: 'message',
    key: 'challenge-frames',
    absentOrigin: options.absentOrigin ?? 'allow',
    bearer: false,
    maxBytes,
    replies: options.replies ?? true,
    read(text): Search<Credential> {
      const message = parseFirstMessage(text, maxBytes)
      if (message.kind !== 'found') return message
      return message.value.kind === 'hello'
        ? { kind: 'found', value: { ...message.value, join: undefined } }
        : absent
    },
  }
}
