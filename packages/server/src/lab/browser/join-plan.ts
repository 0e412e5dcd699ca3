/** How a case joins the WAMP realm: under which name, and what answers the challenge. */
import type { Step } from './case.ts'
import type { Credential } from './credential.ts'
import { doorOf, wampUrl, type LabFacts } from './facts.ts'
import { loadAutobahn } from './load-autobahn.ts'
import { withProbe } from './plan.ts'
import type { JoinPlan } from './wamp-join.ts'
import { wampPlace } from './wamp-users.ts'

/** What a plan is made from. */
export interface JoinPlanParts {
  readonly facts: LabFacts
  /** Whose name is given where the credential has none of its own. */
  readonly username: string
  readonly credential: Credential | undefined
  /** Id under which the server records the exchange. */
  readonly probe: string
  /** Answer to an earlier challenge. */
  readonly oldSignature: string
  readonly patienceMs: number
}

/** At the router, whichever door the case belongs to. */
export function joinPlan(
  { by, at, deed }: Extract<Step, { kind: 'join' }>,
  { facts, username, credential, probe, oldSignature, patienceMs }: JoinPlanParts,
): JoinPlan {
  return {
    client: loadAutobahn,
    url: withProbe(wampUrl(facts, at), probe),
    realm: doorOf(facts, wampPlace.id).realm ?? '',
    by,
    authid: credential?.kind === 'pair' ? credential.username : username,
    secret: secretOf(credential),
    oldSignature,
    deed,
    patienceMs,
  }
}

function secretOf(credential: Credential | undefined): string {
  if (credential?.kind === 'pair') return credential.secret
  return credential?.kind === 'text' ? credential.text : ''
}
