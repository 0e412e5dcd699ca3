import type { Measured, Outcome } from './outcome.ts'
import type { SocketIoEvent } from './socket-io-words.ts'

/** Names of the doors, in the order of the page. */
export type DoorId =
  'D1' | 'D2' | 'D3' | 'D4' | 'D5' | 'D6' | 'D7' | 'D8' | 'D9' | 'D10' | 'D11' | 'D12' | 'D13' | 'D14' | 'D15'

/** What a ticket can be issued for: a door with sockets of its own, or the WAMP router. */
export type Audience = Exclude<DoorId, 'D15'> | 'WAMP'

/** The audience of a door's tickets: D15 is a way into the WAMP router. */
export function audienceOf(door: DoorId): Audience {
  return door === 'D15' ? 'WAMP' : door
}

/** The three engines that the lab is measured in. */
export type Engine = 'chromium' | 'firefox' | 'webkit'

/** What a case can ask the site for. */
export type Obtainable =
  | 'ticket'
  | 'frame-ticket'
  | 'jwt'
  | 'session'
  | 'api-key'
  | 'password'
  | 'alias'
  | 'csrf'
  | 'url'
  | 'plain-secret'
  | 'salted-secret'
  | 'login-secret'
  | 'wamp-plain-secret'
  | 'wamp-salted-secret'
  | 'wamp-key'

/** Where a page can put a credential. `nothing`: it only connects, and the browser adds what it has. */
export type Place =
  | 'nothing'
  | 'first-text'
  | 'first-json'
  | 'query'
  | 'user-name'
  | 'token-password'
  | 'user-password'
  | 'subprotocol'
  | 'csrf'
  | 'url'
  | 'certificate'
  | 'challenge'
  | 'old-signature'
  /** An Authorization field, by a program that the lab runs in place of the page. */
  | 'program'

/** How a page joins a WAMP realm. `old-signature`: WAMP-CRA with the answer to an earlier challenge. */
export type Joiner =
  'wampcra' | 'old-signature' | 'cryptosign' | 'ticket' | 'anonymous' | 'cookie' | 'certificate'

/** Which of the router's three transports is joined: the site's, the one that sets cookies, or D11's. */
export type JoinPlace = 'site' | 'cookie' | 'D11'

/** What it does there: the proof that the session can speak, or what its role must not do. */
export type Deed =
  /** Registers a procedure under a name of its own and calls it. */
  | 'call'
  /** The same, then says goodbye with `wamp.close.logout` and waits until the session is over. */
  | 'call-and-log-out'
  /** Subscribes to the one topic that is open to all. */
  | 'listen'
  /** Publishes to that topic. */
  | 'publish'
  /** Publishes outside what any role may use. */
  | 'publish-elsewhere'
  /** As `call`; then publishes numbers to itself through the router, as long as the session lives. */
  | 'call-and-count'

/** How Socket.IO is carried: by one transport, or from polling to a WebSocket. */
export type SocketIoWay = 'polling' | 'websocket' | 'upgrade'

/** Names under which the steps of a case keep what they obtained. */
export type Slot = 'a' | 'b'

/** What must hold besides the outcome. */
export type Check =
  /** No frame comes before the greeting. */
  | 'greeting-first'
  /** `auth_ok` comes before the greeting. */
  | 'auth-ok-first'
  /** Two messages sent behind the credential come back in order. */
  | 'in-order'
  /** The negotiated subprotocol is `countersign.v1`. */
  | 'public-subprotocol'
  /** The challenge has the members that a real user's has. */
  | 'challenge-shape'
  /** The server sends numbered messages, and none of them comes once the lease and its grace are over. */
  | 'nothing-late'

/** Ways in which a lease is ended from elsewhere. */
export type Ending = 'log-out' | 'revoke' | 'remove-role'

/** One thing that a case does. The last `show`, `join`, `connect`, `return`, `exchange`, `attack`, `await-close` or `watch` is what is measured; the `show`s, `join`s and `connect`s before it must be accepted. */
export type Step =
  | {
      readonly kind: 'obtain'
      readonly what: Obtainable
      readonly expired: boolean
      /** @default the case's own door */
      readonly audience: Audience | undefined
      readonly into: Slot
    }
  /** Makes up a credential that looks right and that nobody issued. */
  | { readonly kind: 'invent'; readonly what: Obtainable; readonly into: Slot }
  | { readonly kind: 'show'; readonly at: Place; readonly slot: Slot; readonly door: DoorId | undefined }
  /** As `show`, but leaves the socket open for `await-close`. */
  | { readonly kind: 'hold'; readonly at: Place; readonly slot: Slot }
  | { readonly kind: 'await-close' }
  /** Makes a throw-away account, and takes what that shows at this door: its lease lives `lifeMs`. */
  | { readonly kind: 'invite'; readonly what: Obtainable; readonly lifeMs: number }
  /** Ends what the throw-away account has opened, on another connection. */
  | { readonly kind: 'end'; readonly by: Ending }
  /** Shows a fresh credential for the open lease over HTTP; `granted`: what must come of that. */
  | { readonly kind: 'refresh'; readonly lifeMs: number; readonly granted: boolean }
  /**
   * Waits for `auth_expiring`, then shows a fresh credential on the open socket, as the first one was; at Socket.IO
   * `first-json` is an event with the same members.
   */
  | { readonly kind: 'renew'; readonly at: 'first-json' | 'challenge'; readonly lifeMs: number }
  /** Waits for the open socket to close: for a moment, or until its lease as it was first granted and the grace are over. */
  | { readonly kind: 'watch'; readonly until: 'a-moment' | 'first-end' }
  /** Joins the realm of the WAMP router and does one thing there; `stays`: leaves the session open for `await-close`. */
  | {
      readonly kind: 'join'
      readonly by: Joiner
      readonly at: JoinPlace
      readonly slot: Slot
      readonly deed: Deed
      readonly stays: boolean
    }
  /** Connects by Socket.IO and sends one event; `stays`: leaves the socket open for `watch`. */
  | {
      readonly kind: 'connect'
      /**
       * A ticket or another token in `auth`, a ticket in the query or in both places another one, the browser's cookies, or
       * nothing at all.
       */
      readonly shows: 'ticket' | 'token' | 'query' | 'two' | 'cookie' | 'nothing'
      readonly by: SocketIoWay
      /** The application's namespace, or one that has no rules. */
      readonly at: 'main' | 'unlisted'
      readonly event: SocketIoEvent
      readonly stays: boolean
    }
  /** Cuts the connection under the open socket of Socket.IO; `return` connects again and shows no credential. */
  | { readonly kind: 'lose' }
  | { readonly kind: 'return' }
  /** Hands the ticket to a hidden frame of the socket's origin. */
  | { readonly kind: 'exchange'; readonly slot: Slot }
  /** Takes back what earlier cases left in the browser. */
  | { readonly kind: 'forget'; readonly what: 'frame' | 'preauth' | 'basic' }
  | { readonly kind: 'log-out' }
  /** Puts a made-up session cookie where the real one was; only after `log-out`. */
  | { readonly kind: 'plant-session' }
  /** Lets the hostile site knock; at Socket.IO by one of its transports. */
  | { readonly kind: 'attack'; readonly by?: Exclude<SocketIoWay, 'upgrade'> }

/** What only the browser's owner can give it: a client certificate, or trust in the lab's authority. */
export type Need = 'client-certificate' | 'trust-without-certificate' | 'no-trust'

/** One row of the lab: what is done at a door, what must come of it, and why. */
export interface LabCase {
  /** Door and name: `D2.replay`. */
  readonly id: string
  readonly door: DoorId
  readonly title: string
  readonly expected: Outcome
  /** Where engines differ, what each is expected to show and why. */
  readonly differs: Readonly<Partial<Record<Engine, { readonly expected: Outcome; readonly why: string }>>>
  readonly why: string
  /** Path of the docs page in the repository, with its section. */
  readonly docs: string
  /** Waits for a deadline of the server, so it is left out unless asked for. */
  readonly slow: boolean
  /** Ends the login of this page, so it runs when nothing else does; the page logs in again afterwards. */
  readonly alone: boolean
  /** What the browser must have been given first, or must lack. */
  readonly needs: Need | undefined
  readonly check: Check | undefined
  readonly steps: readonly Step[]
}

/** What came out of one case. */
export interface CaseResult {
  readonly id: string
  readonly door: DoorId
  /** What this engine was expected to show. */
  readonly expected: Outcome
  readonly measured: Measured
  /** Whether the outcome is the expected one and the case's check holds. */
  readonly agrees: boolean
  readonly ms: number
  /** What is worth knowing besides; empty when nothing is. */
  readonly note: string
}

/** Everything that came out of a run. JSON. */
export interface LabReport {
  /** Engine as the page can tell it. */
  readonly engine: Engine
  readonly userAgent: string
  /** ISO 8601. */
  readonly startedAt: string
  readonly results: readonly CaseResult[]
  readonly agrees: boolean
}

/** Choice of cases. */
export interface RunOptions {
  /** Runs the cases that wait for a deadline, too. @default false */
  readonly slow?: boolean
  /** Ids of cases (`D2.replay`) or of doors (`D2`). @default all */
  readonly only?: readonly string[]
  /** Says that a client certificate of the lab is installed. @default what the page's switch says */
  readonly clientCertificate?: boolean
  /** Says whether the browser trusts the lab's authority. @default what a fetch finds out */
  readonly trust?: boolean
}
