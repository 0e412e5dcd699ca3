/** A session that has joined a realm: who it is, what its client can do, and what broker and dealer keep for it. */
import type { Subscription } from './broker-types.ts'
import type { PendingCall, Registration } from './dealer-types.ts'
import type { ClientMessage, Dict, RouterMessage } from './messages.ts'
import type { Testaments } from './testaments.ts'

/** Who a session is, as WELCOME tells it. */
export interface Identity {
  readonly authid: string
  readonly authrole: string
  readonly authmethod: string
  readonly authprovider: string
  readonly authextra: Dict
}

/**
 * What a client announced in HELLO `roles`. Nothing is sent that it did not announce and could not know: clients drop the
 * connection on messages that they have no word for.
 */
export interface Features {
  readonly callerProgressiveResults: boolean
  readonly callerProgressiveInvocations: boolean
  readonly callerPassthru: boolean
  readonly calleeCanceling: boolean
  readonly calleeTimeout: boolean
  readonly calleeProgressiveResults: boolean
  readonly calleeProgressiveInvocations: boolean
  readonly calleePassthru: boolean
  /** Its `wamp.error.unavailable` means that another callee is to be asked. */
  readonly calleeReroute: boolean
  /** It can read UNREGISTERED that it did not ask for. */
  readonly calleeRevocation: boolean
  readonly publisherPassthru: boolean
  /** It can read UNSUBSCRIBED that it did not ask for. */
  readonly subscriberRevocation: boolean
}

/** Whether a CANCEL that is not `kill` is answered by ERROR `wamp.error.canceled`: some clients die of it. */
export type CancelReply = 'always' | 'kill_only'

/** Where messages for a session go: its transport, or the router's own ear. */
export interface Outlet {
  send(message: RouterMessage): void
}

/** Who holds the connection of a session: the realm ends sessions through it, never behind its back. */
export interface SessionKeeper {
  /** The session ends: GOODBYE with this URI. Whoever was remembered for the client is forgotten where `forget` says so. */
  end(reason: string, options: { readonly message: string | undefined; readonly forget: boolean }): void
  /** Its client broke the protocol: ABORT. */
  violated(): void
  /** More of its messages wait than may: the connection is closed as overloaded. */
  overloaded(): void
}

/** Keeper of sessions that have no connection: the router's own. */
const nobody: SessionKeeper = { end: () => {}, violated: () => {}, overloaded: () => {} }

/** Facts of a transport. Few ever look at them: they may be put together at each look. */
export interface TransportFacts {
  readonly facts: Dict
}

/** What tells that a session's time is over before anything has ended it: its lease. */
export interface Gate {
  over(): boolean
}

/** The router's own sessions have no end. */
const open: Gate = { over: () => false }

/** Everything that makes a session; see the fields of `Session`. */
export interface SessionFacts {
  readonly id: number
  readonly realm: string
  readonly identity: Identity
  readonly features: Features
  readonly cancelReply: CancelReply
  readonly trustlevel: number | undefined
  /** Facts of the transport, as meta API and authorizers see them: no secret is among them. */
  readonly transport: TransportFacts
  readonly outlet: Outlet
  /** @default nobody: there is no connection that could end */
  readonly keeper?: SessionKeeper
  /** Nothing is sent once it says that the time is over. @default a gate that never does */
  readonly gate?: Gate
  /** Whether its calls are not counted: the router's own are bounded by those on whose behalf it asks. @default false */
  readonly uncounted?: boolean
}

/**
 * One object a session, every field set here, so that all have one shape. `calls`, `invocations`, `registrations`,
 * `pending` belong to the dealer, `subscriptions` to the broker; each is made on first use.
 */
export class Session {
  readonly id: number
  readonly realm: string
  /** Replaced as a whole when a role changes. */
  identity: Identity
  readonly features: Features
  readonly cancelReply: CancelReply
  trustlevel: number | undefined
  readonly outlet: Outlet
  readonly keeper: SessionKeeper
  readonly uncounted: boolean
  /** Once `true` nothing is sent to it, and broker and dealer have forgotten it. */
  gone: boolean = false
  /** Last id given to an INVOCATION: they count 1, 2, 3 … for each callee. */
  lastInvocation: number = 0
  /** Calls under way that this session made, by the request id of its CALL. */
  calls: Map<number, PendingCall> | undefined = undefined
  /** Calls under way that this session answers, by the request id of its INVOCATION. */
  invocations: Map<number, PendingCall> | undefined = undefined
  registrations: Set<Registration> | undefined = undefined
  subscriptions: Set<Subscription> | undefined = undefined
  /** Messages that wait behind an authorizer's answer; `undefined` while nothing is asked. Belongs to the realm. */
  waiting: ClientMessage[] | undefined = undefined
  /** Bytes of payloads that are kept for it, in `waiting` and in calls that may go to another callee. */
  heldBytes: number = 0
  /** What is published once it has gone. Belongs to the realm. */
  testaments: Testaments | undefined = undefined
  readonly #transport: TransportFacts
  readonly #gate: Gate

  constructor(facts: SessionFacts) {
    this.id = facts.id
    this.realm = facts.realm
    this.identity = facts.identity
    this.features = facts.features
    this.cancelReply = facts.cancelReply
    this.trustlevel = facts.trustlevel
    this.#transport = facts.transport
    this.#gate = facts.gate ?? open
    this.outlet = facts.outlet
    this.keeper = facts.keeper ?? nobody
    this.uncounted = facts.uncounted ?? false
  }

  /** Facts of the transport, as meta API and authorizers see them. */
  get transport(): Dict {
    return this.#transport.facts
  }

  /** Whether it may neither say nor hear anything any more. It is ended by its connection, never from within a delivery. */
  get over(): boolean {
    return this.gone || this.#gate.over()
  }

  /** Sends one message, unless the session is over. */
  send(message: RouterMessage): void {
    if (!this.over) this.outlet.send(message)
  }
}
