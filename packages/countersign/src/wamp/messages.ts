/**
 * WAMP messages as values (WAMP, basic profile, "Messages"; advanced profile for CANCEL, INTERRUPT). `kind` is the
 * message's name; `code` of the wire stands in the table of shapes. Ids are integers in [1, 2^53]; what is only passed on
 * (arguments) stays an opaque `Payload`.
 */
import type { Payload } from './payload.ts'

/** A dictionary of the wire: own members only, whatever their names. */
export type Dict = Readonly<Record<string, unknown>>

/** The empty dictionary that is shared by everyone who has nothing to say. */
export const noDict: Dict = Object.freeze({})

/** Whether a value of the wire is a dictionary. */
export function isDict(value: unknown): value is Dict {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  )
}

// Session messages.

/** `[1, Realm, Details]` */
export interface Hello {
  readonly kind: 'hello'
  /** `null` on the wire becomes `undefined`: the authentication assigns the realm. */
  readonly realm: string | undefined
  readonly details: Dict
}

/** `[2, Session, Details]` */
export interface Welcome {
  readonly kind: 'welcome'
  readonly session: number
  readonly details: Dict
}

/** `[3, Details, Reason]`: exactly three elements, because clients in use know no more. */
export interface Abort {
  readonly kind: 'abort'
  readonly details: Dict
  readonly reason: string
}

/** `[4, AuthMethod, Extra]` */
export interface ChallengeMessage {
  readonly kind: 'challenge'
  readonly method: string
  readonly extra: Dict
}

/** `[5, Signature, Extra]` */
export interface Authenticate {
  readonly kind: 'authenticate'
  readonly signature: string
  readonly extra: Dict
}

/** `[6, Details, Reason]` */
export interface Goodbye {
  readonly kind: 'goodbye'
  readonly details: Dict
  readonly reason: string
}

/** What an ERROR answers, by the code of the request: CALL 48, REGISTER 64, UNREGISTER 66, PUBLISH 16, SUBSCRIBE 32, UNSUBSCRIBE 34, INVOCATION 68. */
export type RequestKind =
  'call' | 'register' | 'unregister' | 'publish' | 'subscribe' | 'unsubscribe' | 'invocation'

/** `[8, REQUEST.Type, REQUEST.Request, Details, Error, (Arguments, (ArgumentsKw))]` */
export interface ErrorMessage {
  readonly kind: 'error'
  readonly of: RequestKind
  readonly request: number
  readonly details: Dict
  readonly error: string
  readonly payload: Payload
}

// Publish and subscribe.

/** `[16, Request, Options, Topic, (Arguments, (ArgumentsKw))]` */
export interface Publish {
  readonly kind: 'publish'
  readonly request: number
  readonly options: Dict
  readonly topic: string
  readonly payload: Payload
}

/** `[17, PUBLISH.Request, Publication]` */
export interface Published {
  readonly kind: 'published'
  readonly request: number
  readonly publication: number
}

/** `[32, Request, Options, Topic]` */
export interface Subscribe {
  readonly kind: 'subscribe'
  readonly request: number
  readonly options: Dict
  readonly topic: string
}

/** `[33, SUBSCRIBE.Request, Subscription]` */
export interface Subscribed {
  readonly kind: 'subscribed'
  readonly request: number
  readonly subscription: number
}

/** `[34, Request, Subscription]` */
export interface Unsubscribe {
  readonly kind: 'unsubscribe'
  readonly request: number
  readonly subscription: number
}

/** `[35, Request]`, or as a revocation `[35, 0, {subscription, reason}]` (advanced profile, subscription revocation) */
export interface Unsubscribed {
  readonly kind: 'unsubscribed'
  readonly request: number
  /** Present on revocations alone. */
  readonly details: Dict | undefined
}

/** `[36, Subscription, Publication, Details, (Arguments, (ArgumentsKw))]` */
export interface EventMessage {
  readonly kind: 'event'
  readonly subscription: number
  readonly publication: number
  readonly details: Dict
  readonly payload: Payload
  /**
   * One message goes to many subscribers: the bytes made for the first one, by the number of the outlet (serializer and
   * framing). Starts as `[]`; transports alone read and write it.
   */
  readonly shared: (Uint8Array | undefined)[]
}

// Remote procedure calls.

/** `[48, Request, Options, Procedure, (Arguments, (ArgumentsKw))]` */
export interface Call {
  readonly kind: 'call'
  readonly request: number
  readonly options: Dict
  readonly procedure: string
  readonly payload: Payload
}

/** `[49, CALL.Request, Options]` */
export interface Cancel {
  readonly kind: 'cancel'
  readonly request: number
  readonly options: Dict
}

/** `[50, CALL.Request, Details, (Arguments, (ArgumentsKw))]` */
export interface Result {
  readonly kind: 'result'
  readonly request: number
  readonly details: Dict
  readonly payload: Payload
}

/** `[64, Request, Options, Procedure]` */
export interface Register {
  readonly kind: 'register'
  readonly request: number
  readonly options: Dict
  readonly procedure: string
}

/** `[65, REGISTER.Request, Registration]` */
export interface Registered {
  readonly kind: 'registered'
  readonly request: number
  readonly registration: number
}

/** `[66, Request, Registration]` */
export interface Unregister {
  readonly kind: 'unregister'
  readonly request: number
  readonly registration: number
}

/** `[67, Request]`, or as a revocation `[67, 0, {registration, reason}]` */
export interface Unregistered {
  readonly kind: 'unregistered'
  readonly request: number
  /** Present on revocations alone. */
  readonly details: Dict | undefined
}

/** `[68, Request, Registration, Details, (Arguments, (ArgumentsKw))]` */
export interface Invocation {
  readonly kind: 'invocation'
  readonly request: number
  readonly registration: number
  readonly details: Dict
  readonly payload: Payload
}

/** `[69, INVOCATION.Request, Options]` */
export interface Interrupt {
  readonly kind: 'interrupt'
  readonly request: number
  readonly options: Dict
}

/** `[70, INVOCATION.Request, Options, (Arguments, (ArgumentsKw))]` */
export interface Yield {
  readonly kind: 'yield'
  readonly request: number
  readonly options: Dict
  readonly payload: Payload
}

/** What a client may send. */
export type ClientMessage =
  | Hello
  | Abort
  | Authenticate
  | Goodbye
  | ErrorMessage
  | Publish
  | Subscribe
  | Unsubscribe
  | Call
  | Cancel
  | Register
  | Unregister
  | Yield

/** What a router may send. */
export type RouterMessage =
  | Welcome
  | Abort
  | ChallengeMessage
  | Goodbye
  | ErrorMessage
  | Published
  | Subscribed
  | Unsubscribed
  | EventMessage
  | Result
  | Registered
  | Unregistered
  | Invocation
  | Interrupt

/** Any message. */
export type Message = ClientMessage | RouterMessage
