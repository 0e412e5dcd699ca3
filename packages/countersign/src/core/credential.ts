/** What was laid on the table, and by whom it may be picked up. */
import type { PeerCertificate } from './handshake.ts'

/** A credential as a carrier found it: parsed, unjudged. */
export type Credential = TokenCredential | BasicCredential | CertificateCredential | HelloCredential

/** How a token arrived in a first message, hence whether and how its acceptance is answered. */
export type TokenForm = 'bare' | 'auth' | 'connection_init'

/** An opaque or structured token: ticket, session, JWT, API key. */
export interface TokenCredential {
  readonly kind: 'token'
  readonly text: string
  readonly form: TokenForm
}

/** HTTP Basic user information (RFC 7617). */
export interface BasicCredential {
  readonly kind: 'basic'
  readonly username: string
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
  readonly authid: string
  /** Methods that the peer can answer, in its order of preference. */
  readonly methods: readonly string[]
  readonly nonce: string | undefined
}

/** Whether two credentials say the same, so that presenting both is no contradiction. */
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
