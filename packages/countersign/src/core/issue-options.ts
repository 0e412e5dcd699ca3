/** What can be issued, for whom, and what comes back. `[…]` is what an option left out means. */
import type { Salting, SessionPurpose, TicketPurpose } from './records.ts'

/** Whom a credential is for. */
export interface IssueFor {
  readonly subject: string
  /** @default [] */
  readonly roles?: readonly string[]
  /** Identifier of the login session that it shall die with. */
  readonly session?: string | undefined
  /**
   * When the subject was found to be who they are, ms since the epoch: a revocation after that instant hits what is
   * issued here, even one that falls between the look and the issuing. @default now
   */
  readonly provedAtMs?: number | undefined
}

/** A ticket. `@default` values in brackets. */
export interface TicketOptions extends IssueFor {
  /** What it may be exchanged at; must equal the guard's or the method's audience. [the guard's audience] */
  readonly audience?: string
  /** [`connect`] */
  readonly purpose?: TicketPurpose
  /** Page origin that alone may use it. [any allowed one] */
  readonly origin?: string | undefined
  /** Identifier of the API key that asks: the ticket and its lease die with it. [none] */
  readonly apiKey?: string | undefined
  /** Life of the ticket, ms, at most 30,000. [30,000] */
  readonly ttlMs?: number
  /** Life of the lease that it opens, ms. [15 minutes] */
  readonly leaseMs?: number
}

/** A session, or a child of one. */
export interface SessionOptions extends IssueFor {
  /** [`login`] */
  readonly purpose?: SessionPurpose
  readonly origin?: string | undefined
  /** Absolute life, ms. [8 hours] */
  readonly ttlMs?: number
  /** Longest silence, ms. [none] */
  readonly idleMs?: number
}

/** A preauth pair: cookie and CSRF token. */
export interface PreauthOptions extends IssueFor {
  /** The preauth cookie that the client already has, so that several tabs share it. */
  readonly cookie?: string | undefined
  /** Life of the pair, ms. [30,000] */
  readonly ttlMs?: number
  /** Life of the lease that it opens, ms. [15 minutes] */
  readonly leaseMs?: number
}

/** A secret for challenge-response. */
export interface ChallengeSecretOptions extends IssueFor {
  /** Name to log in with. [fresh and random] */
  readonly authid?: string
  /** The secret. [fresh and random, 256 bits] */
  readonly secret?: string
  /** Derive the key from the secret by PBKDF2 instead of using it as it is. */
  readonly salting?: Salting
  /** `one`: spent by its first success. [`session`] */
  readonly uses?: 'one' | 'session'
  /** Life, ms; its leases end with it. [8 hours] */
  readonly ttlMs?: number
}

/** A key for a machine. */
export interface ApiKeyOptions {
  readonly subject: string
  readonly name: string
  readonly roles?: readonly string[]
  /** [`connect`] */
  readonly scopes?: readonly string[]
  /** [never expires] */
  readonly ttlMs?: number
}

/** What was issued. The secret is returned once and kept only as a hash. */
export interface Issued {
  /** Public identifier: list and revoke by it. */
  readonly id: string
  readonly expiresAtMs: number
}

/** Issues credentials. Every secret has 256 random bits. */
export interface Issuer {
  /**
   * A single-use ticket, and the id that the lease which it opens will have: to revoke that lease before it
   * exists.
   */
  ticket(options: TicketOptions): Promise<Issued & { readonly ticket: string; readonly lease: string }>
  /** A login session; with `session` given, a child that ends with that login. */
  session(options: SessionOptions): Promise<Issued & { readonly session: string }>
  /** A preauth cookie (kept when still good) and a single-use CSRF token that is bound to it. */
  preauth(
    options: PreauthOptions,
  ): Promise<Issued & { readonly cookie: string; readonly csrf: string; readonly lease: string }>
  challengeSecret(
    options: ChallengeSecretOptions,
  ): Promise<Issued & { readonly authid: string; readonly secret: string }>
  apiKey(options: ApiKeyOptions): Promise<Issued & { readonly key: string }>
}
