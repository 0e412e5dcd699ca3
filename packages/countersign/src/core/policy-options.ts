/** What a policy is made of: the table of actions as an application writes it, and its types. */
import type { MessageRate } from './message-rate.ts'
import type { Match } from './patterns.ts'
import type { Clock } from './ports.ts'
import type { Principal } from './principal.ts'
import type { MaybePromise } from './records.ts'
import type { StandardSchema } from './standard-schema.ts'

/** A message as it was parsed: without a prototype, every member what anyone may have sent. */
export type Message = Readonly<Record<string, unknown>>

/**
 * Who may: `'anyone'` who was accepted; roles, of which one is enough; or roles with patterns of the resources that each
 * may act upon, stars as in the names of actions. An empty list: nobody.
 */
export type Allowed = 'anyone' | readonly string[] | Readonly<Record<string, readonly string[]>>

/** One row of the table. */
export interface ActionRule {
  readonly roles: Allowed
  /**
   * How the row's name is compared. Said to be `exact`, it may be any text without control characters, such as the event
   * `chat message` of Socket.IO. @default by its stars: `chat.send` exact, `chat.*` prefix, `chat.*.read` wildcard
   */
  readonly match?: Match
  /**
   * What is acted upon: the path of a member (`'room'`, `'target.id'`), or a function of the message. A message in which
   * it is no text of 1 to 256 characters is malformed.
   */
  readonly resource?: string | ((message: Message) => unknown)
  /** What the message must be. The application receives what the schema makes of it. @default any JSON object */
  readonly schema?: StandardSchema
  /** Messages of this row that one lease may send, within those of the policy. @default no limit of its own */
  readonly rate?: MessageRate
}

/** Rows by name of action, or pattern of names. */
export type Actions = Readonly<Record<string, ActionRule>>

/** Decision of the application. */
export type Ruling = 'allow' | 'deny'

/**
 * Decides what rules cannot say, after they have allowed it: whether this one is in that room. May be asynchronous.
 * Exactly `true` or `'allow'` allows; a throw, a rejection and an answer after the deadline do not.
 */
export type Authorize = (
  principal: Principal,
  action: string,
  resource: string | undefined,
) => MaybePromise<boolean | Ruling>

/** Why a message is refused: words of the table of refusals, and one that only messages know. */
export type MessageReason =
  | 'protocol_violation'
  | 'message_too_big'
  | 'too_many_attempts'
  | 'forbidden'
  | 'invalid_message'
  | 'overloaded'

/** A message that did not pass. */
export interface RefusedMessage {
  /** Its sender, as the lease knew them then. */
  readonly principal: Principal
  readonly reason: MessageReason
  /** What it asked for, in its sender's own words, at most 256 characters; `undefined` where it was not read. */
  readonly action: string | undefined
  /** As it was parsed; `undefined` where it was refused unread: malformed, binary, too big, too many. */
  readonly message: Message | undefined
}

/** Bounds of messages and of waiting for decisions. */
export interface PolicyLimits {
  /** Longest message, bytes. @default 65,536 */
  readonly maxBytes: number
  /** Deepest nesting of its JSON. @default 16 */
  readonly maxDepth: number
  /** Messages that may wait while one is decided upon. @default 64 */
  readonly maxQueued: number
  /** Their bytes in all. @default 262,144 */
  readonly maxQueuedBytes: number
  /** Longest wait for `authorize` and a schema together, ms; beyond it the message is refused. @default 5,000 */
  readonly deadlineMs: number
}

/** Bounds where none are given. */
export const defaultPolicyLimits: PolicyLimits = Object.freeze({
  maxBytes: 65_536,
  maxDepth: 16,
  maxQueued: 64,
  maxQueuedBytes: 262_144,
  deadlineMs: 5_000,
})

/** Messages that one lease may send where the policy says nothing: a hundred at once, ten a second in the long run. */
export const defaultMessageRate: MessageRate = Object.freeze({ max: 100, intervalMs: 10_000 })

/** What a policy is made of. */
export interface PolicyOptions<A extends Actions = Actions> {
  /** The table. What no row names is refused. */
  readonly actions: A
  /** Asked about every action that a row allows. @default rows alone decide */
  readonly authorize?: Authorize
  /** Messages of every kind that one lease may send, refused ones included. @default 100 in 10,000 ms */
  readonly rate?: MessageRate
  /** How many messages beyond a rate are answered by refusals; one more ends the lease. @default any number */
  readonly excess?: MessageRate
  /**
   * Hears of each message that a socket does not let pass, before its sender does, told or not; not of `decide`. What it
   * throws goes to the journal by the name of its class, and changes nothing. @default nobody hears of them
   */
  readonly onRefused?: (refused: RefusedMessage) => void
  /** Who may send binary frames, which no row names and no schema reads. @default nobody */
  readonly binary?: 'anyone' | readonly string[]
  /** Bounds; see `defaultPolicyLimits`. */
  readonly limits?: Partial<PolicyLimits>
  /** Measures the deadline. @default Node's */
  readonly clock?: Clock
}

/** What an application receives under a row: its schema's output, or, where it has no schema, the message as it was parsed. */
export type ValueOf<R extends ActionRule> = R extends { readonly schema: StandardSchema<infer Output> }
  ? Output
  : 'schema' extends keyof R
    ? unknown
    : Message

/** Text where the row names a resource, else nothing. */
export type ResourceOf<R extends ActionRule> = R extends {
  readonly resource: NonNullable<ActionRule['resource']>
}
  ? string
  : 'resource' extends keyof R
    ? string | undefined
    : undefined

/** A message that passed under one row. */
export interface PassedMessage<Name extends string, R extends ActionRule> {
  /** Name of the row in the table: `action` itself, or the pattern that covers it. */
  readonly rule: Name
  readonly action: string
  readonly value: ValueOf<R>
  /** The resource that was decided upon: act upon this one, whatever else the value may name. */
  readonly resource: ResourceOf<R>
  /** The sender's own name for the message, to be repeated in an answer. */
  readonly id: string | number | undefined
}

/** A message that passed, by its row: `switch (message.rule)` tells the types apart. */
export type ActionMessage<A extends Actions = Actions> = {
  readonly [Name in keyof A & string]: PassedMessage<Name, A[Name]>
}[keyof A & string]
