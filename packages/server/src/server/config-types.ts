/** A configuration as values: every default filled in, nothing about text or lines. */

/** An address to listen on. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/** PEM files of a TLS server. */
export interface TlsConfig {
  readonly cert: string
  readonly key: string
}

/** Where a ticket may travel. */
export type TicketPlace = 'query' | 'first-message' | 'subprotocol' | 'bearer' | 'basic'
/** Where a session may travel: the site's cookie, the hidden frame's cookie, or the first message. */
export type SessionPlace = 'cookie' | 'frame-cookie' | 'first-message'
/** Where a JWT may travel. */
export type JwtPlace = 'bearer' | 'subprotocol' | 'first-message'
/** Where an API key may travel. */
export type KeyPlace = 'bearer' | 'basic' | 'first-message'

/** Algorithms of JWTs that public keys verify. */
export type PublicAlgorithm =
  | 'EdDSA'
  | 'Ed25519'
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'

/** Tokens of an issuer; without `issuer` the site's own. */
export interface JwtConfig {
  readonly method: 'jwt'
  readonly from: readonly JwtPlace[]
  readonly issuer?: string | undefined
  readonly jwks?: string | undefined
  readonly algorithms?: readonly PublicAlgorithm[] | undefined
  /** [the guard's name] */
  readonly audience?: string | undefined
  readonly typ?: string | undefined
}

/** Client certificates, by authority or by fingerprint. */
export interface CertificateConfig {
  readonly method: 'certificate'
  /** PEM file; subjects are the common names of what it signed. */
  readonly authority?: string | undefined
  /** Roles of subjects that the authority vouches for. */
  readonly roles: readonly string[]
  readonly fingerprints: Readonly<
    Record<string, { readonly subject: string; readonly roles: readonly string[] }>
  >
}

/** One way in. */
export type AcceptConfig =
  | { readonly method: 'ticket'; readonly from: readonly TicketPlace[] }
  | { readonly method: 'session'; readonly from: readonly SessionPlace[] }
  | { readonly method: 'password'; readonly from: readonly 'basic'[] }
  | { readonly method: 'api_key'; readonly from: readonly KeyPlace[] }
  | { readonly method: 'preauth' }
  | { readonly method: 'wampcra' }
  | JwtConfig
  | CertificateConfig

/** Bounds of a guard; what is left out keeps the library's default. */
export interface LimitsConfig {
  readonly deadlineMs?: number | undefined
  readonly maxBytes?: number | undefined
  readonly maxMessages?: number | undefined
  readonly handshakesPerSecond?: number | undefined
  readonly maxLeaseMs?: number | undefined
  readonly graceMs?: number | undefined
  readonly pool?:
    Readonly<Partial<Record<'total' | 'perSource' | 'perSubnet' | 'talking', number | undefined>>> | undefined
}

/** One guarded endpoint. */
export interface GuardConfig {
  readonly name: string
  readonly listen?: ListenAddress | undefined
  readonly path: string
  readonly tls?: TlsConfig | undefined
  readonly url?: string | undefined
  readonly origins?: readonly string[] | undefined
  readonly hosts?: readonly string[] | undefined
  readonly accept: readonly AcceptConfig[]
  readonly refusals: 'auto' | 'http' | 'close'
  readonly limits?: LimitsConfig | undefined
  readonly application: 'echo'
  readonly dangerouslyAllowCleartext: boolean
}

/** One secret for challenge-response. */
export interface ChallengeSecretConfig {
  readonly authid: string
  readonly secret?: string | undefined
  readonly secretFile?: string | undefined
  readonly subject?: string | undefined
  readonly roles: readonly string[]
  readonly salting?:
    { readonly salt: string; readonly iterations: number; readonly keylen: number } | undefined
}

/** A whole configuration. */
export interface ConfigText {
  /** SQLite file. */
  readonly store: string
  readonly keyFile?: string | undefined
  /** Where the keys that sign access tokens are kept; without it they are made afresh at every start. */
  readonly tokenKeyFile?: string | undefined
  readonly site: {
    readonly listen: ListenAddress
    readonly tls?: TlsConfig | undefined
    readonly url?: string | undefined
    readonly origins: readonly string[]
    readonly dangerouslyAllowCleartext: boolean
  }
  readonly proxies?:
    { readonly trusted: readonly string[]; readonly header: 'x-forwarded-for' | 'forwarded' } | undefined
  readonly guards: readonly GuardConfig[]
  readonly challengeSecrets: readonly ChallengeSecretConfig[]
}
