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

/**
 * Revokes the subscriptions and registrations that the session would not get now. Calls under way go on. Where an
 * authorizer has to be asked, what it denies ends as soon as it has answered; what it cannot answer ends as well.
 */
export function recheck(session: Session, { broker, dealer }: RecheckPlaces, authority: Authority): void {
  for (const subscription of session.subscriptions ?? []) {
    const asked = { action: 'subscribe', uri: subscription.topic, match: subscription.match } as const
    holdAgainst(session, authority, { ...asked, revoke: () => broker.revoke(session, subscription, reason) })
  }
  for (const registration of session.registrations ?? []) {
    const asked = { action: 'register', uri: registration.procedure, match: registration.match } as const
    holdAgainst(session, authority, { ...asked, revoke: () => dealer.revoke(session, registration, reason) })
  }
}

interface Held {
  readonly action: 'subscribe' | 'register'
  readonly uri: string
  readonly match: Match
  /** Without effect where the session does not hold it any more. */
  readonly revoke: () => void
}

function holdAgainst(session: Session, authority: Authority, { action, uri, match, revoke }: Held): void {
  const judge = (permit: Permit): void => {
    if ((permit === permits.denied || permit === permits.failed) && !session.gone) revoke()
  }
  const permit = authority.decide(session, action, uri, { match })
  if (isThenable(permit)) permit.then(judge, () => judge(permits.failed))
  else judge(permit)
}
