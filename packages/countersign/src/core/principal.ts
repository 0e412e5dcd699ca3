/**
 * Who someone is, once proved. Given to the application on the lease; a value, never changed: a refresh that
 * brings other roles replaces it as a whole.
 */
export interface Principal {
  /** The subject: stable, unique within its realm, what applications key their data by. */
  readonly id: string
  readonly roles: readonly string[]
  /** Where the id is unique; `undefined` where there is only one realm. */
  readonly realm: string | undefined
  /** Name of the method that proved it: `ticket`, `jwt`, … */
  readonly method: string
  /** Who vouches: a store, an issuer, an authority. */
  readonly provider: string
  /** What the credential said besides; never the credential itself. */
  readonly claims: Readonly<Record<string, unknown>>
}

/** Claims of credentials that say nothing besides: one object for all connections. */
export const noClaims: Principal['claims'] = Object.freeze({})

/**
 * What an acceptance rests upon. Revocation marks are compared with it, at acceptance and as long as the lease lives.
 * `undefined`: this acceptance has no such root.
 */
export interface Grant {
  readonly subject: string
  readonly roles: readonly string[]
  /** Identifier of the login session (not its secret) that this acceptance descends from. */
  readonly session: string | undefined
  /** Identifier of the token: a ticket's id, a JWT's `jti`. */
  readonly token: string | undefined
  /** Public identifier of the API key, not its secret. */
  readonly apiKey: string | undefined
  /** SHA-256 fingerprint of the client certificate. */
  readonly certificate: string | undefined
  /** Serial number of the client certificate, as `serialOf` writes it: unique among those of one authority. */
  readonly serial: string | undefined
  /** Issuer of the token (`iss` of a JWT). */
  readonly issuer: string | undefined
  /** When the credential was issued, ms since the epoch: a mark at or after this instant revokes it. */
  readonly issuedAtMs: number
}
