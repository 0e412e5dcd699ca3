/** A configuration as values: every default filled in, nothing about text or lines. */
import type { SubjectCap } from 'countersign'
import type { JwtAlgorithm } from 'countersign/methods'
import type { RouterNode } from './crossbar/node.ts'

/** An address to listen on. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/** PEM files of a TLS server. */
export interface TlsConfig {
  /** The certificate and what leads to its authority. */
  readonly cert: string
  /** The private key, readable by its owner alone. */
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
export type PublicAlgorithm = Exclude<JwtAlgorithm, 'HS256'>

/** Tokens of an issuer; without `issuer` the site's own. */
export interface JwtConfig {
  readonly method: 'jwt'
  readonly from: readonly JwtPlace[]
  /** `iss`, compared exactly; with it go `jwks` and `algorithms`. */
  readonly issuer?: string | undefined
  /** Where the issuer publishes its keys: `https:`, or `http:` on loopback. */
  readonly jwks?: string | undefined
  readonly algorithms?: readonly PublicAlgorithm[] | undefined
  /** [the guard's name] */
  readonly audience?: string | undefined
  /** Kind of token that is asked for in the header, such as `at+jwt`. [`JWT` or nothing] */
  readonly typ?: string | undefined
}

/** Client certificates, by authority or by fingerprint. */
export interface CertificateConfig {
  readonly method: 'certificate'
  /** PEM file; subjects are the common names of what it signed. */
  readonly authority?: string | undefined
  /** Roles of subjects that the authority vouches for. */
  readonly roles: readonly string[]
  /** SHA-256 in hex: certificates that need no authority, and whom they stand for. */
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
  /** From the upgrade to acceptance, ms. */
  readonly deadlineMs?: number | undefined
  /** Bytes before acceptance. */
  readonly maxBytes?: number | undefined
  /** Messages before acceptance. */
  readonly maxMessages?: number | undefined
  /** Of one source. */
  readonly handshakesPerSecond?: number | undefined
  /** Longest life of a lease, refreshed or not, ms. */
  readonly maxLeaseMs?: number | undefined
  /** How long an expired lease may still speak, ms. */
  readonly graceMs?: number | undefined
  readonly pool?:
    Readonly<Partial<Record<'total' | 'perSource' | 'perSubnet' | 'talking', number | undefined>>> | undefined
}

/** One guarded endpoint. */
export interface GuardConfig {
  readonly name: string
  readonly listen?: ListenAddress | undefined
  /** Path of its sockets, where several guards share an address. */
  readonly path: string
  readonly tls?: TlsConfig | undefined
  readonly url?: string | undefined
  readonly origins?: readonly string[] | undefined
  /** What it answers to. [the host of its URL] */
  readonly hosts?: readonly string[] | undefined
  /** `wamp`: a router stands behind it, and `wamp` says who may join. Left out: messages, and `accept` says it. */
  readonly protocol?: 'wamp' | undefined
  /** The router, its realms and its one transport, with secrets in clear; of `protocol: wamp` alone. */
  readonly wamp?: RouterNode | undefined
  /** The ways in; the first that recognises a credential judges it. Empty with `protocol: wamp`. */
  readonly accept: readonly AcceptConfig[]
  /** How refused credentials are told: see the table of refusals. */
  readonly refusals: 'auto' | 'http' | 'close'
  readonly limits?: LimitsConfig | undefined
  readonly perSubject?: SubjectCap | undefined
  /** What stands behind it, but for WAMP. */
  readonly application: 'echo'
  readonly dangerouslyAllowCleartext: boolean
}

/** One secret for challenge-response. */
export interface ChallengeSecretConfig {
  /** Name to log in with; each once. */
  readonly authid: string
  /** In clear; exactly one of this and `secretFile`. */
  readonly secret?: string | undefined
  /** File whose first line is the secret. */
  readonly secretFile?: string | undefined
  readonly subject?: string | undefined
  readonly roles: readonly string[]
  readonly salting?:
    { readonly salt: string; readonly iterations: number; readonly keylen: number } | undefined
}

/** An identity provider whose logouts and security events end what rests on its tokens. */
export interface IssuerConfig {
  /** `iss`, compared exactly. */
  readonly issuer: string
  /** Where it publishes its keys: `https:`, or `http:` on loopback. */
  readonly jwks: string
  readonly algorithms: readonly PublicAlgorithm[]
  /** For whom its events are: the client's id, the receiver's name. */
  readonly audience: readonly string[]
  /** What a logout with session and subject ends. */
  readonly logoutEnds: 'session' | 'subject'
  /** Other issuers about whose subjects it may speak. */
  readonly subjectIssuers: readonly string[]
  /** Longest time since `iat`, ms. */
  readonly maxAgeMs: number
  readonly dangerouslyAllowUntyped: boolean
  readonly dangerouslyAllowWithoutExpiry: boolean
}

/** A whole configuration. */
export interface ConfigText {
  /** SQLite file. */
  readonly store: string
  /** File of the sealing keys, made at the first start. [`COUNTERSIGN_KEY` alone] */
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
  /** Proxies that are believed about addresses and TLS; nobody is unless named. */
  readonly proxies?:
    { readonly trusted: readonly string[]; readonly header: 'x-forwarded-for' | 'forwarded' } | undefined
  readonly guards: readonly GuardConfig[]
  /** Whose logout tokens and security events are received; without any the routes are not there. */
  readonly issuers: readonly IssuerConfig[]
  /** Secrets for challenge-response that are put in at every start. */
  readonly challengeSecrets: readonly ChallengeSecretConfig[]
}
