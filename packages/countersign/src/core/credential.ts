/** What was laid on the table, and by whom it may be picked up. */
import type { PeerCertificate } from './handshake.ts'

/** A credential as a carrier found it: parsed, unjudged. */
export type Credential = TokenCredential | BasicCredential | CertificateCredential | HelloCredential

/** How a token arrived in a first message, hence whether and how its acceptance is answered. */
export type TokenForm = 'bare' | 'auth' | 'connection_init'

/** How a decision is answered: as the token came, or as the end of a challenge-response conversation. */
export type ReplyForm = TokenForm | 'challenge'

/** An opaque or structured token: ticket, session, JWT, API key. */
export interface TokenCredential {
  readonly kind: 'token'
  /** The token exactly as it was shown: bounded by its carrier, believed by nobody. Secret. */
  readonly text: string
  /** How it came, hence how its acceptance is acknowledged; `bare` everywhere but in JSON first messages. */
  readonly form: TokenForm
}

/** HTTP Basic user information (RFC 7617). */
export interface BasicCredential {
  readonly kind: 'basic'
  /** As typed: methods normalise it before they compare. */
  readonly username: string
  /** May be empty: a token often travels alone, as the user name. */
  readonly password: string
}

/** A client certificate of the TLS connection. */
export interface CertificateCredential {
  readonly kind: 'certificate'
  readonly certificate: PeerCertificate
}

/** The opening of a challenge-response conversation: a name, no secret. */
export interface HelloCredential {
  readonly kind: 'hello'
  /** The name that wants to log in; whether it exists is told to nobody. `undefined`: the method finds it out. */
  readonly authid: string | undefined
  /** Methods that the peer can answer, in its order of preference. */
  readonly methods: readonly string[]
  /** Everything that the peer has listed, where `methods` was narrowed to the one that is being tried. */
  readonly offered?: readonly string[]
  /** What the client wants to be mixed into the conversation, where its method has a use for it. */
  readonly nonce: string | undefined
  /** What a WAMP HELLO says besides; `undefined` on plain sockets. */
  readonly join: JoinRequest | undefined
}

/** A WAMP session that wants to join a realm (WAMP, basic profile, "Session Establishment"). Believed by nobody yet. */
export interface JoinRequest {
  /** The id that the session will have: challenges name it. */
  readonly session: number
  /** `undefined`: the authentication assigns one. */
  readonly realm: string | undefined
  readonly authrole: string | undefined
  /** `authextra` of HELLO, bounded with the message. */
  readonly authextra: Readonly<Record<string, unknown>>
  /** Facts of the transport for authenticators: no secret header but those that they were promised. */
  readonly transport: Readonly<Record<string, unknown>>
  /** Channel bindings of the TLS connection (RFC 9266, RFC 5929), 32 bytes in lower-case hex each; empty without TLS. */
  readonly channels: Readonly<Partial<Record<'tls-exporter' | 'tls-unique', string>>>
}

/**
 * Whether two credentials say the same, so that presenting both is no contradiction. Compares in plain: both
 * come from the same peer, who learns nothing from the time it takes.
 */
export function agree(one: Credential, other: Credential): boolean {
  if (one.kind === 'token' && other.kind === 'token') return one.text === other.text
  if (one.kind === 'basic' && other.kind === 'basic') {
    return one.username === other.username && one.password === other.password
  }
  if (one.kind === 'certificate' && other.kind === 'certificate') {
    return one.certificate.fingerprint === other.certificate.fingerprint
  }
  return false
}
