/** What a router is made of: realms, roles and rules, as configured. */
import type { MaybePromise } from '../core/records.ts'
import type { Dict } from './messages.ts'
import type { Identity } from './session.ts'
import type { Match, UriCheck } from './uri.ts'

/** What a session may be allowed to do with a URI. */
export type Action = 'call' | 'register' | 'publish' | 'subscribe'

/** One rule of a role. */
export interface PermissionRule {
  readonly uri: string
  readonly match: Match
  readonly allow: Readonly<Record<Action, boolean>>
  /** Whether the identity is told to the other side though nobody asked for it. */
  readonly disclose: { readonly caller: boolean; readonly publisher: boolean }
  /** Whether the decision may be kept. */
  readonly cache: boolean
}

/** Who asks, as an authorizer is told (`session` of its arguments). */
export interface AuthorizationSession extends Identity {
  readonly session: number
  readonly realm: string
  readonly transport: Dict
}

/** What an authorizer answers: `true`, `false`, or more. */
export interface AuthorizerAnswer {
  readonly allow: boolean
  /** @default false */
  readonly disclose?: boolean
  /** @default false */
  readonly cache?: boolean
}

/** An authorizer as a function. Anything but a boolean or an `AuthorizerAnswer` is a failure, and so is a throw. */
export type AuthorizerFunction = (
  session: AuthorizationSession,
  uri: string,
  action: Action,
  options: Dict,
) => MaybePromise<unknown>

/** A dynamic authorizer: a procedure that the router calls, or a function. */
export interface AuthorizerOptions {
  readonly authorizer: string | AuthorizerFunction
  /** What a kept decision is kept by. @default 'session' */
  readonly cacheBy?: 'session' | 'authid' | 'role'
  /** How long a decision may be kept, ms. @default 60,000 */
  readonly cacheTtlMs?: number
  /** How long an answer is waited for, ms. @default 5,000 */
  readonly timeoutMs?: number
}

/** One role of a realm. Neither rules nor an authorizer: everything is denied. */
export interface RoleOptions {
  readonly name: string
  readonly rules?: readonly PermissionRule[]
  readonly authorizer?: AuthorizerOptions
  /** Told to callees and subscribers as `trustlevel`. @default none is told */
  readonly trustlevel?: number
}

/** Events that are kept for `wamp.subscription.get_events`. */
export interface HistoryOptions {
  readonly uri: string
  readonly match: Match
  /** Newest events that are kept for each subscription. */
  readonly limit: number
}

/** One realm. */
export interface RealmOptions {
  readonly name: string
  readonly roles: readonly RoleOptions[]
  /** @default 'loose' */
  readonly uriCheck?: UriCheck
  /** Whether `wamp.session.*`, `wamp.registration.*`, `wamp.subscription.*` are answered. @default true */
  readonly metaApi?: boolean
  readonly history?: readonly HistoryOptions[]
  /** Procedures that the router alone may call and that an exact rule alone allows to register: authenticators, authorizers. */
  readonly reserved?: readonly string[]
}

/** A router. */
export interface RouterOptions {
  readonly realms: readonly RealmOptions[]
  /** How long a client has for its HELLO, ms. @default 10,000 */
  readonly helloTimeoutMs?: number
  /** How long a client has for each AUTHENTICATE, ms. @default 10,000 */
  readonly authenticateTimeoutMs?: number
  /** How long the judgement of a HELLO or an AUTHENTICATE may take, authenticator procedures included, ms. @default 30,000 */
  readonly verdictTimeoutMs?: number
  /** How long a client that was sent GOODBYE has for its own before the connection is closed, ms. @default 1,000 */
  readonly lingerMs?: number
  /** How long the router waits for a procedure of its own configuration to be registered, ms. @default 2,000 */
  readonly procedureWaitMs?: number
  /** Vocabulary of refusals: the specification's, or the one that applications of Crossbar.io compare with. @default 'spec' */
  readonly errorUris?: 'spec' | 'crossbar'
  /** Whether CANCEL is answered: `auto` looks at the client. @default 'auto' */
  readonly cancelReply?: 'auto' | 'always' | 'never'
  /** Whether `receive_progress` needs a callee that can also cancel, as the specification says. @default false */
  readonly strictProgress?: boolean
  /** Connections, with a session or without; further ones are closed as overloaded. @default 100,000 */
  readonly maxConnections?: number
  readonly limits?: Partial<RouterLimits>
}

/** Bounds of one session and one realm. */
export interface RouterLimits {
  /** Subscriptions of one session. @default 10,000 */
  readonly maxSubscriptions: number
  /** Registrations of one session. @default 10,000 */
  readonly maxRegistrations: number
  /** Wildcard patterns of one session, subscribed and registered together. @default 1,000 */
  readonly maxWildcards: number
  /** Calls that one session has under way. @default 10,000 */
  readonly maxCalls: number
  /** Messages that wait behind an authorizer's answer. @default 1,000 */
  readonly maxWaiting: number
  /** Retained events of a realm. @default 10,000 */
  readonly maxRetained: number
  /** Bytes of a realm's retained events, and of each of its histories: the oldest go first. @default 64 MiB */
  readonly maxRetainedBytes: number
  /** Testaments of one session. @default 100 */
  readonly maxTestaments: number
  /**
   * Bytes that are kept for one session: its messages that wait behind an authorizer's answer, the arguments of its calls
   * that may go to another callee; its testaments by themselves. @default 4 MiB
   */
  readonly maxHeldBytes: number
}
