/**
 * The wire form of every message as one table: codecs walk it in both directions (WAMP, basic profile, "Message Codes and
 * Direction" and "Messages").
 */
import { noDict, type Dict, type Message, type RequestKind } from './messages.ts'
import type { Payload } from './payload.ts'
import { noPayload } from './values.ts'

/**
 * What one element of a message is:
 * `id` an integer in [1, 2^53] · `other` a second one · `idOrZero` zero, too: in revocations no request is answered ·
 * `of` the code of a request · `dict` · `uri` a text that recurs and may be remembered · `text` one that may be secret ·
 * `realm` a text or null · `revocation` a dictionary that may be absent · `payload` up to two more elements, a list and a
 * dictionary · `ignored` the same, read and dropped.
 */
export type ElementKind =
  | 'id'
  | 'other'
  | 'idOrZero'
  | 'of'
  | 'dict'
  | 'uri'
  | 'text'
  | 'realm'
  | 'revocation'
  | 'payload'
  | 'ignored'

/**
 * The elements of one message while it is read or written: one place for each kind of element. No message has two of one
 * kind. What is absent keeps its default.
 */
export class Slots {
  id: number = 0
  other: number = 0
  of: RequestKind = 'call'
  dict: Dict = noDict
  text: string = ''
  realm: string | undefined = undefined
  revocation: Dict | undefined = undefined
  payload: Payload = noPayload
}

/** Who sends a message. */
export type Sender = 'client' | 'router' | 'both'

/** One row of the table. */
export interface Shape<M extends Message = Message> {
  readonly code: number
  readonly sender: Sender
  /** In order, behind the code. What may be absent stands last. */
  readonly elements: readonly ElementKind[]
  make(slots: Slots): M
  take(message: M, slots: Slots): void
}

type Shapes = { readonly [K in Message['kind']]: Shape<Extract<Message, { kind: K }>> }

/**
 * One row a message. `make` and `take` are written out, and not walked by names: a literal gives all messages of a kind one
 * hidden class, and every room after the codec reads their members with one load.
 */
export const shapes: Shapes = {
  hello: {
    code: 1,
    sender: 'client',
    elements: ['realm', 'dict'],
    make: (slots) => ({ kind: 'hello', realm: slots.realm, details: slots.dict }),
    take: (message, slots) => {
      slots.realm = message.realm
      slots.dict = message.details
    },
  },
  welcome: {
    code: 2,
    sender: 'router',
    elements: ['id', 'dict'],
    make: (slots) => ({ kind: 'welcome', session: slots.id, details: slots.dict }),
    take: (message, slots) => {
      slots.id = message.session
      slots.dict = message.details
    },
  },
  // Three elements are its form. Some peers send arguments behind the reason; clients in use die of them, so none are ever written.
  abort: {
    code: 3,
    sender: 'both',
    elements: ['dict', 'uri', 'ignored'],
    make: (slots) => ({ kind: 'abort', details: slots.dict, reason: slots.text }),
    take: (message, slots) => {
      slots.dict = message.details
      slots.text = message.reason
    },
  },
  challenge: {
    code: 4,
    sender: 'router',
    elements: ['text', 'dict'],
    make: (slots) => ({ kind: 'challenge', method: slots.text, extra: slots.dict }),
    take: (message, slots) => {
      slots.text = message.method
      slots.dict = message.extra
    },
  },
  authenticate: {
    code: 5,
    sender: 'client',
    elements: ['text', 'dict'],
    make: (slots) => ({ kind: 'authenticate', signature: slots.text, extra: slots.dict }),
    take: (message, slots) => {
      slots.text = message.signature
      slots.dict = message.extra
    },
  },
  goodbye: {
    code: 6,
    sender: 'both',
    elements: ['dict', 'uri'],
    make: (slots) => ({ kind: 'goodbye', details: slots.dict, reason: slots.text }),
    take: (message, slots) => {
      slots.dict = message.details
      slots.text = message.reason
    },
  },
  // `of`, then the id of the request: together they name what is answered.
  error: {
    code: 8,
    sender: 'both',
    elements: ['of', 'id', 'dict', 'uri', 'payload'],
    make: (slots) => ({
      kind: 'error',
      of: slots.of,
      request: slots.id,
      details: slots.dict,
      error: slots.text,
      payload: slots.payload,
    }),
    take: (message, slots) => {
      slots.of = message.of
      slots.id = message.request
      slots.dict = message.details
      slots.text = message.error
      slots.payload = message.payload
    },
  },
  publish: {
    code: 16,
    sender: 'client',
    elements: ['id', 'dict', 'uri', 'payload'],
    make: (slots) => ({
      kind: 'publish',
      request: slots.id,
      options: slots.dict,
      topic: slots.text,
      payload: slots.payload,
    }),
    take: (message, slots) => {
      slots.id = message.request
      slots.dict = message.options
      slots.text = message.topic
      slots.payload = message.payload
    },
  },
  published: {
    code: 17,
    sender: 'router',
    elements: ['id', 'other'],
    make: (slots) => ({ kind: 'published', request: slots.id, publication: slots.other }),
    take: (message, slots) => {
      slots.id = message.request
      slots.other = message.publication
    },
  },
  subscribe: {
    code: 32,
    sender: 'client',
    elements: ['id', 'dict', 'uri'],
    make: (slots) => ({ kind: 'subscribe', request: slots.id, options: slots.dict, topic: slots.text }),
    take: (message, slots) => {
      slots.id = message.request
      slots.dict = message.options
      slots.text = message.topic
    },
  },
  subscribed: {
    code: 33,
    sender: 'router',
    elements: ['id', 'other'],
    make: (slots) => ({ kind: 'subscribed', request: slots.id, subscription: slots.other }),
    take: (message, slots) => {
      slots.id = message.request
      slots.other = message.subscription
    },
  },
  unsubscribe: {
    code: 34,
    sender: 'client',
    elements: ['id', 'other'],
    make: (slots) => ({ kind: 'unsubscribe', request: slots.id, subscription: slots.other }),
    take: (message, slots) => {
      slots.id = message.request
      slots.other = message.subscription
    },
  },
  // With id 0 and a dictionary it answers nothing: the router has taken the subscription back.
  unsubscribed: {
    code: 35,
    sender: 'router',
    elements: ['idOrZero', 'revocation'],
    make: (slots) => ({ kind: 'unsubscribed', request: slots.id, details: slots.revocation }),
    take: (message, slots) => {
      slots.id = message.request
      slots.revocation = message.details
    },
  },
  // The one message that is encoded once for many; see `EventMessage.shared`.
  event: {
    code: 36,
    sender: 'router',
    elements: ['id', 'other', 'dict', 'payload'],
    make: (slots) => ({
      kind: 'event',
      subscription: slots.id,
      publication: slots.other,
      details: slots.dict,
      payload: slots.payload,
      shared: [],
    }),
    take: (message, slots) => {
      slots.id = message.subscription
      slots.other = message.publication
      slots.dict = message.details
      slots.payload = message.payload
    },
  },
  call: {
    code: 48,
    sender: 'client',
    elements: ['id', 'dict', 'uri', 'payload'],
    make: (slots) => ({
      kind: 'call',
      request: slots.id,
      options: slots.dict,
      procedure: slots.text,
      payload: slots.payload,
    }),
    take: (message, slots) => {
      slots.id = message.request
      slots.dict = message.options
      slots.text = message.procedure
      slots.payload = message.payload
    },
  },
  cancel: {
    code: 49,
    sender: 'client',
    elements: ['id', 'dict'],
    make: (slots) => ({ kind: 'cancel', request: slots.id, options: slots.dict }),
    take: (message, slots) => {
      slots.id = message.request
      slots.dict = message.options
    },
  },
  result: {
    code: 50,
    sender: 'router',
    elements: ['id', 'dict', 'payload'],
    make: (slots) => ({ kind: 'result', request: slots.id, details: slots.dict, payload: slots.payload }),
    take: (message, slots) => {
      slots.id = message.request
      slots.dict = message.details
      slots.payload = message.payload
    },
  },
  register: {
    code: 64,
    sender: 'client',
    elements: ['id', 'dict', 'uri'],
    make: (slots) => ({ kind: 'register', request: slots.id, options: slots.dict, procedure: slots.text }),
    take: (message, slots) => {
      slots.id = message.request
      slots.dict = message.options
      slots.text = message.procedure
    },
  },
  registered: {
    code: 65,
    sender: 'router',
    elements: ['id', 'other'],
    make: (slots) => ({ kind: 'registered', request: slots.id, registration: slots.other }),
    take: (message, slots) => {
      slots.id = message.request
      slots.other = message.registration
    },
  },
  unregister: {
    code: 66,
    sender: 'client',
    elements: ['id', 'other'],
    make: (slots) => ({ kind: 'unregister', request: slots.id, registration: slots.other }),
    take: (message, slots) => {
      slots.id = message.request
      slots.other = message.registration
    },
  },
  // As UNSUBSCRIBED.
  unregistered: {
    code: 67,
    sender: 'router',
    elements: ['idOrZero', 'revocation'],
    make: (slots) => ({ kind: 'unregistered', request: slots.id, details: slots.revocation }),
    take: (message, slots) => {
      slots.id = message.request
      slots.revocation = message.details
    },
  },
  invocation: {
    code: 68,
    sender: 'router',
    elements: ['id', 'other', 'dict', 'payload'],
    make: (slots) => ({
      kind: 'invocation',
      request: slots.id,
      registration: slots.other,
      details: slots.dict,
      payload: slots.payload,
    }),
    take: (message, slots) => {
      slots.id = message.request
      slots.other = message.registration
      slots.dict = message.details
      slots.payload = message.payload
    },
  },
  interrupt: {
    code: 69,
    sender: 'router',
    elements: ['id', 'dict'],
    make: (slots) => ({ kind: 'interrupt', request: slots.id, options: slots.dict }),
    take: (message, slots) => {
      slots.id = message.request
      slots.dict = message.options
    },
  },
  yield: {
    code: 70,
    sender: 'client',
    elements: ['id', 'dict', 'payload'],
    make: (slots) => ({ kind: 'yield', request: slots.id, options: slots.dict, payload: slots.payload }),
    take: (message, slots) => {
      slots.id = message.request
      slots.dict = message.options
      slots.payload = message.payload
    },
  },
}

/** What can be answered by ERROR. */
const requestKinds: readonly RequestKind[] = [
  'call',
  'register',
  'unregister',
  'publish',
  'subscribe',
  'unsubscribe',
  'invocation',
]

/** The request that an ERROR may answer, by its code; `undefined` for any other code. */
export function requestOfCode(code: number): RequestKind | undefined {
  return requestKinds.find((kind) => shapes[kind].code === code)
}

/** Whether a client may send this message, whatever its state. */
export function isSentByClient(message: Message): boolean {
  return shapes[message.kind].sender !== 'router'
}
