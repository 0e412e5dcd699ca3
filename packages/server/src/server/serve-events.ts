/** The receiver of security events that a configuration names, and how its issuers are called. */
import type { Guard } from 'countersign'
import { jwks, securityEvents, type EventIssuer, type SecurityEvents } from 'countersign/methods'
import type { ConfigText, IssuerConfig } from './config-types.ts'

/**
 * Builds the receiver.
 * @param guard any of the configuration's: they share records and bus
 * @returns `undefined` where no issuer is named
 * @throws MisuseError for keys or names that cannot be used
 */
export function eventsOf({ issuers }: ConfigText, guard: Guard): SecurityEvents | undefined {
  const [first] = issuers
  if (first === undefined) return undefined
  return securityEvents({
    guard,
    names: 'issuer',
    issuers: Object.fromEntries(issuers.map((one) => [one.issuer, issuerOf(one)])),
  })
}

/**
 * Issuers about whose subjects events are received. What they name is kept apart from the site's accounts and from each
 * other: an event of one ends nothing of another's.
 */
export function namedApart({ issuers }: Pick<ConfigText, 'issuers'>): ReadonlySet<string> {
  return new Set(issuers.flatMap(({ issuer, subjectIssuers }) => [issuer, ...subjectIssuers]))
}

function issuerOf(one: IssuerConfig): EventIssuer {
  return {
    audience: one.audience,
    algorithms: one.algorithms,
    keys: jwks({ url: one.jwks }),
    logoutEnds: one.logoutEnds,
    subjectIssuers: one.subjectIssuers,
    maxAgeMs: one.maxAgeMs,
    dangerouslyAllowUntyped: one.dangerouslyAllowUntyped,
    dangerouslyAllowWithoutExpiry: one.dangerouslyAllowWithoutExpiry,
  }
}
