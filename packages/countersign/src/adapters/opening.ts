/** The first message of a socket that waits for acceptance: where its credential is, and what the application hears of it. */
import type { Reason } from '../core/reasons.ts'
import { isJsonObject, parseJson, type Json } from '../wire/json.ts'

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

/** How a protocol names the first message that has parameters of the connection. */
export interface ParamsForm {
  /** The member that says what a message is. */
  readonly kind: string
  /** What it says of this one. */
  readonly name: string
  /** The member that has the parameters. */
  readonly params: string
}

/** Members of parameters in which `firstMessage()` looks for a token. */
const secretMembers: readonly string[] = [
  'token',
  'access_token',
  'ticket',
  'authToken',
  'Authorization',
  'authorization',
]

/** Deepest nesting in a message before acceptance, as for the guard's own carriers. */
const maxDepth = 8

/**
 * A first message of JSON in whose parameters the token is, as in `connection_init`. The application hears it without.
 * Whoever says anything else first has shown no credential.
 */
export function paramsOpening({ kind, name, params }: ParamsForm): Opening {
  return (data, isBinary) => {
    if (isBinary) return { kind: 'refused', reason: 'protocol_violation' }
    const json = parseJson(data.toString('utf8'), { maxBytes: data.length, maxDepth })
    if (json.kind !== 'found' || !isJsonObject(json.value))
      return { kind: 'refused', reason: 'protocol_violation' }
    const message = json.value
    if (message[kind] !== name) return { kind: 'refused', reason: 'missing_credential' }
    const text = JSON.stringify({ type: 'connection_init', payload: message[params] })
    const heard = JSON.stringify({ ...message, [params]: withoutSecrets(message[params]) })
    return { kind: 'said', text, heard: Buffer.from(heard) }
  }
}

function withoutSecrets(params: Json | undefined): unknown {
  if (!isJsonObject(params)) return undefined
  return Object.fromEntries(Object.entries(params).filter(([name]) => !secretMembers.includes(name)))
}
