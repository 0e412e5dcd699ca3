/** What a session holds is held against the rules again: after a role has changed, or the rules have. */
import { isThenable } from '../core/drive.ts'
import type { Broker } from './broker.ts'
import type { Dealer } from './dealer.ts'
import { permits, type Authority, type Permit } from './permit.ts'
import type { Session } from './session.ts'
import type { Match } from './uri.ts'

/** Where subscriptions and registrations are taken back. */
export interface RecheckPlaces {
  readonly broker: Pick<Broker, 'revoke'>
  readonly dealer: Pick<Dealer, 'revoke'>
}

/** Why they are taken back, as the client is told. */
const reason = 'wamp.error.not_authorized'

/** Questions that are asked at once: a session that holds much must not keep an authorizer from everyone else. */
const atOnce = 32
/** Failures of an authorizer after which nothing more is asked: what was not asked about ends as well. */
const maxFailures = 32

/**
 * Revokes the subscriptions and registrations that the session would not get now. Calls under way go on. Where an
 * authorizer has to be asked, what it denies ends as soon as it has answered; what it cannot answer ends as well.
 */
export function recheck(session: Session, { broker, dealer }: RecheckPlaces, authority: Authority): void {
  const held: Held[] = []
  for (const subscription of session.subscriptions ?? []) {
    const asked = { action: 'subscribe', uri: subscription.topic, match: subscription.match } as const
    held.push({ ...asked, revoke: () => broker.revoke(session, subscription, reason) })
  }
  for (const registration of session.registrations ?? []) {
    const asked = { action: 'register', uri: registration.procedure, match: registration.match } as const
    held.push({ ...asked, revoke: () => dealer.revoke(session, registration, reason) })
  }
  const work: Work = { session, authority, held, next: 0, failures: 0 }
  for (let lane = 0; lane < atOnce; lane++) goOn(work)
}

interface Held {
  readonly action: 'subscribe' | 'register'
  readonly uri: string
  readonly match: Match
  /** Without effect where the session does not hold it any more. */
  readonly revoke: () => void
}

/** What is still to be looked at. */
interface Work {
  readonly session: Session
  readonly authority: Authority
  readonly held: readonly Held[]
  next: number
  failures: number
}

/** Looks at one after the other, up to one that has to be waited for; goes on when its decision is there. */
function goOn(work: Work): void {
  const { session, authority, held } = work
  while (work.next < held.length && !session.gone) {
    const one = held[work.next++]
    if (one === undefined) return
    const permit =
      work.failures < maxFailures
        ? authority.decide(session, one.action, one.uri, { match: one.match })
        : permits.failed
    if (isThenable(permit)) {
      const judged = permit.then(
        (decided) => judge(work, one, decided),
        () => judge(work, one, permits.failed),
      )
      void judged.then(() => goOn(work))
      return
    }
    judge(work, one, permit)
  }
}

function judge(work: Work, { revoke }: Held, permit: Permit): void {
  if (permit === permits.failed) work.failures++
  if ((permit === permits.denied || permit === permits.failed) && !work.session.gone) revoke()
}
