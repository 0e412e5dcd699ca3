/** How what an issuer names is called where revocations are compared with it. */

/**
 * `plain`: `sub`, `sid` and `jti` as they are. `issuer`: as `issuerName`, so that what two issuers, or an issuer and the
 * application itself, call by one name stays two.
 */
export type GrantNames = 'plain' | 'issuer'

/**
 * The name of something that an issuer knows as `name`. Issuers that are named so have no blank in their own name: no two
 * pairs share a result.
 */
export function issuerName(issuer: string, name: string): string {
  return `${issuer} ${name}`
}

/** The name under one of the two ways. */
export function grantName(names: GrantNames, issuer: string, name: string): string {
  return names === 'plain' ? name : issuerName(issuer, name)
}
