/** What a method answers. A refusal is a value; nothing is thrown for a wrong credential. */
import type { Grant, Principal } from './principal.ts'
import type { Reason } from './reasons.ts'

/** The verdict of one conversation. */
export type Verdict = Accept | Deny

/** Someone is who they say, until `untilMs`. */
export interface Accept {
  readonly kind: 'accept'
  readonly principal: Principal
  readonly grant: Grant
  /** End of the credential's own validity, ms since the epoch; `Infinity` where it has none. */
  readonly untilMs: number
  /** Instant that no refresh may pass (a certificate's expiry); `Infinity` where there is none. */
  readonly neverAfterMs: number
  /** Lease id that was promised when the credential was issued. */
  readonly lease: string | undefined
}

/**
 * Refused. The reason is public and its words are the table's; `retryAfterMs`, ms from now, is told only
 * where the reason's row has `Retry-After`.
 */
export interface Deny {
  readonly kind: 'deny'
  readonly reason: Reason
  readonly retryAfterMs: number | undefined
}

/** Everything of an acceptance but its `kind`; what is left out takes the value that promises least. */
export interface Acceptance {
  readonly principal: Principal
  readonly grant: Grant
  readonly untilMs: number
  readonly neverAfterMs?: number
  readonly lease?: string | undefined
}

/**
 * Builds an acceptance. What is left out takes the value that promises least: no end but `untilMs`, a fresh
 * lease id.
 */
export function accept(values: Acceptance): Accept {
  return {
    kind: 'accept',
    principal: values.principal,
    grant: values.grant,
    untilMs: values.untilMs,
    neverAfterMs: values.neverAfterMs ?? Infinity,
    lease: values.lease,
  }
}

/** Builds a refusal. @param retryAfterMs how long the peer must wait, ms, where that is known */
export function deny(reason: Reason, retryAfterMs?: number): Deny {
  return { kind: 'deny', reason, retryAfterMs }
}
