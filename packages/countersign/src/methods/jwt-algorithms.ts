/** Signature algorithms of JWTs, as a table. */

/**
 * Names as the header's `alg` spells them, compared exactly (RFC 7518 §3.1, RFC 8037, RFC 9864). `Ed25519` and
 * `EdDSA` are one algorithm under two names; a token and its key must use the same one.
 */
export type JwtAlgorithm =
  | 'HS256'
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'Ed25519'
  | 'EdDSA'

/** One algorithm: what a key must be to serve it. */
export interface AlgorithmRow {
  /** `secret`: one key signs and verifies. `public`: the verifying key is no secret. Never mixed for one source. */
  readonly kind: 'secret' | 'public'
  /** `kty` of its keys (RFC 7518 §6.1). */
  readonly kty: 'oct' | 'RSA' | 'EC' | 'OKP'
  /** `crv` of its keys, where they have one. */
  readonly crv: string | undefined
  /** Length of its signatures where they all have the same (RFC 7518 §3.4, RFC 8032 §5.1.6); else that of the key. */
  readonly signatureBytes: number | undefined
  /** What is computed: names that share it are interchangeable for a key that states no `alg`. */
  readonly scheme: string
}

function rsa(scheme: string): AlgorithmRow {
  return { kind: 'public', kty: 'RSA', crv: undefined, signatureBytes: undefined, scheme }
}

function ec(crv: string, signatureBytes: number): AlgorithmRow {
  return { kind: 'public', kty: 'EC', crv, signatureBytes, scheme: `ecdsa ${crv}` }
}

const ed25519: AlgorithmRow = {
  kind: 'public',
  kty: 'OKP',
  crv: 'Ed25519',
  signatureBytes: 64,
  scheme: 'ed25519',
}

/** The table. `none` is no row, and no row may be added for it (RFC 8725 §3.2). */
export const jwtAlgorithms: Readonly<Record<JwtAlgorithm, AlgorithmRow>> = {
  HS256: { kind: 'secret', kty: 'oct', crv: undefined, signatureBytes: 32, scheme: 'hmac sha-256' },
  RS256: rsa('pkcs1 sha-256'),
  RS384: rsa('pkcs1 sha-384'),
  RS512: rsa('pkcs1 sha-512'),
  PS256: rsa('pss sha-256'),
  PS384: rsa('pss sha-384'),
  PS512: rsa('pss sha-512'),
  ES256: ec('P-256', 64),
  ES384: ec('P-384', 96),
  ES512: ec('P-521', 132),
  Ed25519: ed25519,
  EdDSA: ed25519,
}

/** Whether a text names a row of the table. */
export function isJwtAlgorithm(text: unknown): text is JwtAlgorithm {
  return typeof text === 'string' && Object.hasOwn(jwtAlgorithms, text)
}
