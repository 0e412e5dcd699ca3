/** What Countersign itself says on a plain socket, as text frames of JSON. */
import type { ReplyForm } from '../core/credential.ts'
import type { Lease } from '../core/lease.ts'
import type { MessageReason } from '../core/policy-options.ts'
import type { Challenge } from '../core/ports.ts'
import type { Reason } from '../core/reasons.ts'
import type { ToldIssue } from '../core/standard-schema.ts'

/** `{"type":"challenge","method":…,"extra":{…}}`: to be answered by `{"type":"authenticate","signature":…}`. */
export function challengeFrame(say: Challenge): string {
  return JSON.stringify({ type: 'challenge', method: say.method, extra: say.extra })
}

/**
 * Acknowledges a credential that came as JSON: `{"type":"auth_ok","expires_in":seconds,"lease":id}`, or
 * graphql-ws's `connection_ack`. After a challenge there may be `extra`, what WAMP says in `authextra`: the proof of the
 * server (`verifier`), what the authenticator has for the client. `undefined` for a bare token: nothing is said, and the
 * application's first word is the first.
 */
export function acceptanceFrame(form: ReplyForm, lease: Lease, now: number): string | undefined {
  if (form === 'bare') return undefined
  if (form === 'connection_init') return '{"type":"connection_ack"}'
  const seconds = Math.max(0, Math.floor((lease.untilMs - now) / 1_000))
  // Claims of other methods are for the application. Without a value the member is left out.
  const extra = form === 'challenge' ? lease.principal.claims['authextra'] : undefined
  return JSON.stringify({ type: 'auth_ok', expires_in: seconds, lease: lease.id, extra })
}

/** Whether a client that came in this form knows the frames `auth_…`. */
export function isFramed(form: ReplyForm): boolean {
  return form === 'auth' || form === 'challenge'
}

/**
 * Refuses a credential that came as JSON: `{"type":"auth_invalid","reason":word}`. The close that follows
 * says the same; `undefined` for every other form, whose clients know no such frame.
 */
export function refusalFrame(form: ReplyForm, reason: Reason): string | undefined {
  return isFramed(form) ? JSON.stringify({ type: 'auth_invalid', reason }) : undefined
}

/**
 * Tells the holder of a lease that it ends in so many seconds, rounded up:
 * `{"type":"auth_expiring","in":seconds}`. A client answers by a fresh credential, in the same form as its first.
 */
export function expiringFrame(inMs: number): string {
  return JSON.stringify({ type: 'auth_expiring', in: Math.ceil(inMs / 1_000) })
}

/** What is said about a message that did not pass. */
export interface MessageError {
  readonly reason: MessageReason
  /** The message's own `type`, where it had one. */
  readonly action: string | undefined
  /** The message's own `id`, where it had one. */
  readonly id: string | number | undefined
  readonly retryInMs?: number | undefined
  readonly issues?: readonly ToldIssue[] | undefined
}

/**
 * Refuses one message; the socket stays: `{"type":"error","reason":word,"action"?:type,"id"?:id,"retry_in"?:seconds,
 * "issues"?:[{"path":[…]}]}`. Members without a value are left out.
 */
export function errorFrame({ reason, action, id, retryInMs, issues }: MessageError): string {
  const retry_in = retryInMs === undefined ? undefined : retryInMs / 1_000
  return JSON.stringify({ type: 'error', reason, action, id, retry_in, issues })
}
