/** The facts of one connection attempt, believed by nobody yet. Adapters build it; nothing in it is a promise. */
export interface Handshake {
  /** The request target exactly as sent (RFC 9112 §3.2), query included. */
  readonly target: string
  /** `Host` as sent; `undefined` when absent. */
  readonly host: string | undefined
  /** `Origin` as sent; `undefined` means that the client is no browser. */
  readonly origin: string | undefined
  /** `Cookie` as sent: every cookie that the client attached, in one line. */
  readonly cookie: string | undefined
  /** `Authorization` as sent: scheme and credentials (RFC 9110 §11.6.2). */
  readonly authorization: string | undefined
  /** `Sec-WebSocket-Protocol` as sent, lines joined by commas. */
  readonly subprotocol: string | undefined
  /** Who is calling: the peer's address, or the one that a trusted proxy vouches for. */
  readonly remoteAddress: string
  /** Whether the bytes came over TLS, ended here or at a trusted proxy. */
  readonly secure: boolean
  /** `undefined`: none was presented, or no method of the guard takes one. */
  readonly certificate: PeerCertificate | undefined
}

/** Who is calling and which page asked: what an acceptance is compared with besides its grant. */
export type Caller = Pick<Handshake, 'remoteAddress' | 'origin'>

/** A client certificate whose private key the peer (or a trusted proxy on its behalf) has proved to hold. */
export interface PeerCertificate {
  /** SHA-256 of the DER encoding, 64 lower-case hex digits. */
  readonly fingerprint: string
  /** SHA-1 of the same, 40 lower-case hex digits: lists of other servers are written in it. Vouches for nothing alone. */
  readonly sha1: string
  /** Serial number, lower-case hex. */
  readonly serial: string
  /** Distinguished name, one `KEY=value` a line, as Node prints it. */
  readonly subject: string
  /** First common name of the subject. */
  readonly commonName: string | undefined
  /** Subject alternative names such as `email:a@example.com` or `URI:spiffe://…`. */
  readonly alternativeNames: readonly string[]
  /** First instant of its validity, ms since the epoch. Nobody has compared it with a clock yet. */
  readonly notBeforeMs: number
  /** Last instant of its validity, ms since the epoch. */
  readonly notAfterMs: number
  /** Whether the chain was verified against the configured authorities. */
  readonly trusted: boolean
}
