/** A fresh judgement on behalf of a lease that lives: who may renew it, and the turns until it is renewed. */
import { isThenable, type Turn } from './drive.ts'
import type { Lease } from './lease.ts'
import type { Reason } from './reasons.ts'
import type { MaybePromise } from './records.ts'
import { deny, type Accept, type Verdict } from './verdict.ts'

/** A renewal may bring other roles, and nobody else. */
export function sameHolder(lease: Lease, verdict: Accept): boolean {
  const { id, realm, method, provider } = verdict.principal
  const held = lease.principal
  return held.id === id && held.realm === realm && held.method === method && held.provider === provider
}

/**
 * The turns of a judgement, and behind its verdict the lease that takes it over.
 * @param takeOver never rejects
 * @returns in the end the reason of a refusal, or `undefined` when renewed
 */
export function renewing(
  turn: MaybePromise<Turn<Verdict>>,
  takeOver: (verdict: Verdict) => Promise<Reason | undefined>,
): MaybePromise<Turn<Reason | undefined>> {
  if (isThenable(turn)) return turn.then((value) => renewing(value, takeOver))
  if (turn.kind === 'done') return takeOver(turn.value).then((value) => ({ kind: 'done', value }))
  return {
    kind: 'peer',
    say: turn.say,
    answer: (heard) => renewing(turn.answer(heard), takeOver),
    leave: (reason) => turn.leave(deny(reason ?? 'forbidden')),
  }
}
