/** What the bench and a measured server say to each other over the channel between parent and child process. */

import type { LimitOptions } from 'countersign'
import type { CheckKind } from './check.ts'

/** What a server does with those whom it has let in. */
export type Application =
  /** Nothing: the handshake is the work. */
  | 'idle'
  /** Sends every message back. */
  | 'echo'
  /** Answers the first message with one frame: what a server needs at least where a first message is a credential. */
  | 'acknowledge'
  /** Takes messages in, and answers only those that end a burst (see `bursts.ts`). */
  | 'sink'
  /** Answers each message with a burst of its own. */
  | 'source'

/** Keys of the JWT method of a guarded server; the bench signs with the other half. */
export interface TokenKey {
  readonly algorithm: 'HS256' | 'EdDSA'
  /** The secret, or the public key, as a JWK. */
  readonly jwk: Readonly<Record<string, string>>
  /** Verified tokens that the method remembers; 0: every token is checked. */
  readonly cacheSize: number
}

/** How a Socket.IO server is kept. */
export type SocketIoDoor =
  /** It is not. */
  | 'open'
  /** A middleware looks tokens up in a `Map`. */
  | 'by hand'
  /** The least that any guard does: a middleware before every request and one before every namespace, a hash, a row taken. */
  | 'least'
  /** A guard, and every event passes. */
  | 'every event'
  /** A guard, and a policy for events. */
  | 'policy'
  /** The same, with a schema in its rows. */
  | 'schema'

/** What a measured server is. Every server is bare `ws` with `noServer` and `handleUpgrade`; the guard is the only difference. */
export type Role =
  | {
      readonly kind: 'bare'
      readonly application: Application
      /** Whether connections are kept by the parameter `group` of their URL, for `cut` and `closeSpread`. @default false */
      readonly grouped?: boolean
    }
  /** Bare, but checks the signature of the bearer token of each handshake and nothing else. */
  | { readonly kind: 'checking'; readonly key: TokenKey; readonly check: CheckKind }
  | {
      readonly kind: 'guarded'
      readonly application: Application
      /** A file name for SQLite, or `memory`. */
      readonly records: string
      readonly key: TokenKey
      /** Whether each message is held to a policy. @default false */
      readonly policy?: boolean
      /** What differs from the defaults. @default nothing but the rate of one source */
      readonly limits?: LimitOptions
    }
  /** The program as `countersign serve` composes it, from this configuration file. */
  | { readonly kind: 'program'; readonly config: string; readonly port: number }
  /** Bare, and moves WAMP frames between sockets without understanding them. */
  | { readonly kind: 'wamp-floor' }
  /** The WAMP router; the role of its one user has this many rules. */
  | { readonly kind: 'wamp-router'; readonly rules: number }
  /** Socket.IO with an application that acknowledges one event and sends another back. */
  | { readonly kind: 'socket-io'; readonly door: SocketIoDoor }
  /** What the library's own clients connect to; see `client-site.ts`. */
  | { readonly kind: 'client-site'; readonly key: TokenKey; readonly port: number }

/** One row per question to a server: what is asked, what is answered. */
export interface ServerQuestions {
  /** Starts listening. Asked first, once. */
  listen: { readonly ask: Role; readonly answer: { readonly port: number } }
  /** CPU time of the process so far, all threads. */
  cpu: { readonly ask: undefined; readonly answer: { readonly us: number } }
  /** Memory after full collections. Needs `--expose-gc`. */
  memory: { readonly ask: undefined; readonly answer: Memory }
  /** Makes credentials in the server's own records. */
  mint: { readonly ask: MintOrder; readonly answer: readonly string[] }
  /** How many TCP connections it holds, whatever they are. */
  connections: { readonly ask: undefined; readonly answer: { readonly count: number } }
  /** Ends all connections of a group at once: a guarded server revokes the subject of this name, a bare one closes. */
  cut: { readonly ask: { readonly group: string }; readonly answer: Cut }
  /** Begins to close a group evenly over this time, as many as are due every 250 ms. Bare servers only. */
  closeSpread: {
    readonly ask: { readonly group: string; readonly overMs: number }
    readonly answer: { readonly count: number }
  }
  /** Connection attempts of clients so far, in order. Client sites only. */
  attempts: { readonly ask: undefined; readonly answer: Attempts }
  /** Ends every socket without a word, and then revokes a subject, in one turn. Client sites only. */
  loseAndRevoke: { readonly ask: { readonly subject: string }; readonly answer: { readonly atMs: number } }
  /** Revokes a subject. Client sites only. */
  revoke: { readonly ask: { readonly subject: string }; readonly answer: { readonly atMs: number } }
  /** Ends as a server that is stopped: every lease by `shutting_down`. Client sites only. */
  shutDown: { readonly ask: undefined; readonly answer: { readonly atMs: number } }
  /** What leases cost without sockets. Needs `--expose-gc`. */
  leaseCosts: {
    readonly ask: { readonly count: number; readonly rounds: number }
    readonly answer: LeaseCosts
  }
  /** CPU time of one signature check in a hot loop, all threads. */
  checkCost: {
    readonly ask: { readonly key: TokenKey; readonly check: CheckKind; readonly tokens: readonly string[] }
    readonly answer: { readonly us: number }
  }
}

/** What to mint. */
export interface MintOrder {
  readonly what: 'ticket' | 'session'
  readonly count: number
  /** Whose all of them are. @default a fresh subject each */
  readonly subject?: string
  /** When the leases of tickets end, before jitter, ms since the epoch. @default as the library has it */
  readonly leaseEndsAtMs?: number
}

/** Attempts to connect, one entry each. */
export interface Attempts {
  /** Parameter `client` of its URL. */
  readonly client: readonly number[]
  /** When its request was there, by `monotonicMs`. */
  readonly atMs: readonly number[]
}

/** When a group was cut, by `monotonicMs`. */
export interface Cut {
  readonly calledAtMs: number
  /** From here on nothing of the group passes in either direction. */
  readonly shutAtMs: number
  readonly count: number
}

/** Leases of one registry: CPU time, means of many rounds. */
export interface LeaseCosts {
  readonly addNs: number
  readonly refreshNs: number
  readonly endNs: number
  /** One tick of the wheel on which nothing is due, µs. */
  readonly tickUs: number
  readonly bytesEach: number
  /** Timers that the guard's clock was asked for. */
  readonly timers: number
}

/** Memory of a server and how many WebSockets it holds. */
export interface Memory {
  /** After ordinary full collections. */
  readonly foundRssBytes: number
  /** After collections that give back whatever is not retained. */
  readonly rssBytes: number
  readonly heapBytes: number
  readonly sockets: number
}

/** A table of questions: what is asked, what is answered, by name. */
export type Questions<Q> = { readonly [K in keyof Q]: { readonly ask: unknown; readonly answer: unknown } }

/** A question on the wire. */
export interface Request {
  readonly id: number
  readonly kind: string
  readonly ask: unknown
}

/** Its answer. */
export interface Response {
  readonly id: number
  readonly answer?: unknown
  readonly error?: string
}

/** Host and Origin of every measured handshake: the same bytes go to both servers of a pair. */
export const host = 'app.example.com'
export const origin = 'https://app.example.com'
export const audience = 'bench'
export const issuer = 'https://id.example.com'
/** Cookie of the session door. */
export const sessionCookie = '__Host-session'
