/** What identity providers of a configuration must keep to, and what is weak in trusting them so. */
import type { Finding, KeyPath } from './config-issues.ts'
import { isLoopbackHost, siteOrigin } from './config-places.ts'
import type { ConfigText, IssuerConfig } from './config-types.ts'

/** All findings about `issuers`. */
export function issuerFindings(config: ConfigText): readonly Finding[] {
  return config.issuers.flatMap((issuer, index) => [
    ...oneFindings(config, issuer, ['issuers', index]),
    ...(config.issuers.findIndex((one) => one.issuer === issuer.issuer) < index
      ? [error(['issuers', index, 'issuer'], 'is listed already: it would have two sets of keys')]
      : []),
  ])
}

function oneFindings(config: ConfigText, issuer: IssuerConfig, path: KeyPath): readonly Finding[] {
  const findings = [...keyFindings(issuer.jwks, path)]
  if (issuer.issuer === siteOrigin(config))
    findings.push(error([...path, 'issuer'], 'is the site itself, whose sessions end by its own logout'))
  if (!isTaken(config, issuer))
    findings.push(
      warning([...path, 'issuer'], 'no guard takes tokens of this issuer: its events end nothing here'),
    )
  if (issuer.dangerouslyAllowUntyped)
    findings.push(
      warning(
        [...path, 'dangerouslyAllowUntyped'],
        'logout tokens are told from its other tokens by their claims alone',
      ),
    )
  if (issuer.dangerouslyAllowWithoutExpiry)
    findings.push(
      warning([...path, 'dangerouslyAllowWithoutExpiry'], 'logout tokens are bounded by their age alone'),
    )
  return findings
}

/** Whether anything here rests on what this issuer names. */
function isTaken({ guards }: ConfigText, { issuer, subjectIssuers }: IssuerConfig): boolean {
  return guards.some(({ accept }) =>
    accept.some(
      (one) =>
        one.method === 'jwt' && one.issuer !== undefined && [issuer, ...subjectIssuers].includes(one.issuer),
    ),
  )
}

/** Keys that come in the clear are anybody's. @param path of what has the `jwks` */
export function keyFindings(jwks: string | undefined, path: KeyPath): readonly Finding[] {
  if (jwks?.startsWith('http:') !== true) return []
  if (isLoopbackHost(new URL(jwks).hostname.replaceAll(/[[\]]/g, ''))) return []
  return [error([...path, 'jwks'], 'keys that are fetched in the clear can be swapped on the way: use https')]
}

function error(path: KeyPath, message: string): Finding {
  return { level: 'error', path, message }
}

function warning(path: KeyPath, message: string): Finding {
  return { level: 'warning', path, message }
}
