/** A judgement that is awaited while roles may change: it counts only for the principal that the lease then has. */
import { answerInTime } from '../core/deadline.ts'
import { isThenable } from '../core/drive.ts'
import { judge, refusedMessage, type Judged, type Judgement } from '../core/judgement.ts'
import type { Lease } from '../core/lease.ts'
import type { Policy, Witness } from '../core/policy.ts'
import type { MaybePromise } from '../core/records.ts'

/** How often a message is judged anew because roles changed while its judgement was awaited. */
const maxJudgements = 3

/** Whose message is judged, and by what. */
export interface Court {
  readonly policy: Policy
  /** The guard: its clock measures the wait, its journal hears of failures. */
  readonly guard: Witness & { now(): number }
  readonly lease: Lease
  /** Once a side has begun to close, nobody is judged anew. */
  isOpen(): boolean
}

/** A judgement and the question that it answers: under another row than at first, where roles changed. */
export interface Awaited<Q extends Judged> {
  readonly asked: Q
  readonly judgement: Judgement
}

/** Waits for a judgement within the policy's deadline, and asks again when the principal has been replaced meanwhile. */
export async function awaitJudgement<Q extends Judged>(
  court: Court,
  question: Q,
  first: PromiseLike<Judgement>,
): Promise<Awaited<Q>> {
  const { policy, guard, lease } = court
  const endMs = guard.now() + policy.limits.deadlineMs
  let asked = question
  let awaited: MaybePromise<Judgement> = first
  for (let judgements = 1; ; judgements++) {
    const judgement = isThenable(awaited) ? await inTime(court, awaited, endMs) : awaited
    const { principal } = lease
    if (!court.isOpen() || principal === asked.principal) return { asked, judgement }
    const rule = policy.ruleFor(principal, asked.action)
    if (rule === undefined || judgements === maxJudgements)
      return { asked, judgement: refusedMessage.forbidden }
    asked = { ...asked, rule, principal }
    awaited = judge(policy, asked, guard)
  }
}

function inTime(
  { policy, guard }: Court,
  awaited: PromiseLike<Judgement>,
  endMs: number,
): Promise<Judgement> {
  const { deadlineMs } = policy.limits
  // A clock that is set back does not make the wait longer.
  const withinMs = Math.min(endMs - guard.now(), deadlineMs)
  return answerInTime(policy.clock, { awaited, withinMs, otherwise: refusedMessage.forbidden })
}
