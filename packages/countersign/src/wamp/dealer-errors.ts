/** How a dealer refuses: URIs of the specification, each with one sentence for people. */
import { noDict, type ErrorMessage, type RequestKind } from './messages.ts'
import type { Payload } from './payload.ts'
import { noPayload, payloadOf } from './values.ts'

const words = {
  'wamp.error.invalid_uri': 'this is no URI that can be used here',
  'wamp.error.invalid_argument': 'an option has a type or value that it cannot have',
  'wamp.error.no_such_procedure': 'nobody has registered this procedure',
  'wamp.error.procedure_already_exists': 'this procedure is registered, and not shared in this way',
  'wamp.error.no_such_registration': 'this session has no such registration',
  'wamp.error.feature_not_supported': 'the other side does not support what this call needs',
  'wamp.error.no_available_callee': 'no callee is available',
  'wamp.error.canceled': 'the call was canceled',
  'wamp.error.timeout': 'the call took longer than its time limit',
  'wamp.error.payload_size_exceeded': 'the message is larger than the client takes for which it was',
  // The specification names no URI for a full table; this one says that later may be better.
  'wamp.error.unavailable': 'too many at once',
} as const

/** URIs of a dealer's own refusals. */
export type DealerError = keyof typeof words

/** Serialised once per serializer: refusals are cheap, however many there are. */
const payloads: ReadonlyMap<string, Payload> = new Map(
  Object.entries(words).map(([uri, text]) => [uri, payloadOf([text])]),
)

/** ERROR for a request, in the dealer's own words. */
export function dealerError(of: RequestKind, request: number, error: DealerError): ErrorMessage {
  const payload = payloads.get(error) ?? noPayload
  return { kind: 'error', of, request, details: noDict, error, payload }
}
