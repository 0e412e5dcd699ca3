/** What a carrier of the client is: it prepares one attempt. */

/** Why a credential is asked for. */
export interface Ask {
  /** To open a connection, or to renew the lease of an open one. */
  readonly purpose: 'connect' | 'renew'
  /** Why the former credential was refused, where it was: it must not come again. */
  readonly refused: string | undefined
  /** Aborted when nobody waits any more. */
  readonly signal: AbortSignal
}

/** A credential together with what its issuer said about the lease that it opens. */
export interface IssuedCredential {
  /** What is shown at the door. */
  readonly credential: string
  /** Id of the lease. */
  readonly lease?: string | undefined
  /** How long the lease will be, ms, where it is known. */
  readonly leaseMs?: number | undefined
}

/** A value or a promise of one. */
export type MaybePromise<T> = T | PromiseLike<T>

/**
 * Gets a credential, anew for every attempt. Throw `Unauthorized` to stop, `RetryLater` to wait; anything else that is
 * thrown counts as a failed attempt.
 */
export type GetCredential = (ask: Ask) => MaybePromise<string | IssuedCredential>

/** Where to: given to a carrier, which adds what it carries. */
export interface Target {
  readonly url: string
  readonly protocols: readonly string[]
}

/** What is said on an open socket before it counts as open, and again to renew its lease. */
export interface Talk {
  /** The first text. */
  readonly first: string
  /** Whether the server answers it. Where it does not, saying it is all. */
  readonly replies: boolean
  /** Answers a challenge: the text to be sent. @throws UnanswerableChallenge when it cannot or must not be answered */
  answer?(method: unknown, extra: unknown): Promise<string>
  /** Whether `extra` of `auth_ok` is a server's that may be trusted; if not, the socket ends for good. @default any is */
  confirms?(extra: unknown): boolean
}

/** One attempt, prepared. */
export interface Attempt extends Target {
  /** What is shown, to be compared with what was refused; `undefined` where the browser shows it by itself. */
  readonly credential: string | undefined
  /** A lasting secret: it is good for another lease when one has run out. */
  readonly outlivesLease?: boolean
  readonly lease?: string | undefined
  readonly leaseMs?: number | undefined
  readonly talk?: Talk | undefined
}

/** Prepares an attempt: gets the credential and says how it travels. */
export type Carrier = (target: Target, ask: Ask) => MaybePromise<Attempt>

/** A bare text as an issued credential. */
export function issued(credential: string | IssuedCredential): IssuedCredential {
  return typeof credential === 'string' ? { credential } : credential
}
