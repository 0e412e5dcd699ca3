/** JSON Web Tokens for the bench: keys, and any number of distinct tokens signed with them. */
import { createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { audience, issuer, type TokenKey } from './protocol.ts'

/** A key of a guarded server and the signer that goes with it. */
export interface Signer {
  readonly key: TokenKey
  /** A fresh token, good for some minutes. */
  token(): string
}

/** For servers whose JWT method is in place but not measured. */
export const unusedKey: TokenKey = hmacSigner(0).key

/** HS256 under a fresh secret. */
export function hmacSigner(cacheSize: number): Signer {
  const secret = randomBytes(32)
  const jwk = { kty: 'oct', k: secret.toString('base64url') }
  return {
    key: { algorithm: 'HS256', jwk, cacheSize },
    token: () => signed('HS256', (input) => createHmac('sha256', secret).update(input).digest()),
  }
}

/** EdDSA over Ed25519 with a fresh key pair. */
export function ed25519Signer(cacheSize: number): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const { x = '' } = publicKey.export({ format: 'jwk' })
  const jwk = { kty: 'OKP', crv: 'Ed25519', kid: 'bench', alg: 'EdDSA', x }
  return {
    key: { algorithm: 'EdDSA', jwk, cacheSize },
    token: () => signed('EdDSA', (input) => sign(null, Buffer.from(input), privateKey), 'bench'),
  }
}

let lastToken = 0

function signed(alg: string, signatureOf: (input: string) => Buffer, kid?: string): string {
  const seconds = Math.floor(Date.now() / 1_000)
  const header = { alg, typ: 'JWT', ...(kid === undefined ? {} : { kid }) }
  const payload = {
    iss: issuer,
    sub: `user-${++lastToken}`,
    aud: audience,
    iat: seconds,
    exp: seconds + 600,
    jti: String(lastToken),
    roles: ['member'],
  }
  const input = `${encoded(header)}.${encoded(payload)}`
  return `${input}.${signatureOf(input).toString('base64url')}`
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
