/** Advice by the word of a refusal, where a protocol has words and no close codes. */
import type { Advice, Reason } from '../core/reasons.ts'

/** Words whose advice is not to stop. */
const table: Readonly<Partial<Record<Reason, Advice>>> = {
  missing_credential: 'new_credential',
  expired_credential: 'new_credential',
  lease_expired: 'new_credential',
  invalid_credential: 'new_credential',
  authentication_timeout: 'retry',
  too_many_attempts: 'wait',
  too_many_connections: 'wait',
  overloaded: 'back_off',
  shutting_down: 'reconnect',
  protocol_violation: 'fix',
  message_too_big: 'fix',
  internal: 'back_off',
}

/** What the table of refusals advises; words that nobody knows stop. */
export function reasonAdvice(reason: string): Advice {
  // A word of the table or not: the table says.
  return Object.hasOwn(table, reason) ? (table[reason as Reason] ?? 'stop') : 'stop'
}
