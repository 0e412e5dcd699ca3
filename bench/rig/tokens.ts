/** JSON Web Tokens for the bench: keys, and any number of distinct tokens signed with them. */
import { createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { audience, issuer, type TokenKey } from './protocol.ts'

/** A key of a guarded server and the signer that goes with it. */
export interface Signer {
  readonly key: TokenKey
  /** A fresh token, good for some minutes. @param subject whose it is; @default a fresh one's */
  token(subject?: string): string
}

/** For servers whose JWT method is in place but not measured. */
export const unusedKey: TokenKey = hmacSigner(0).key

/** HS256 under a fresh secret. */
export function hmacSigner(cacheSize: number): Signer {
  const secret = randomBytes(32)
  const jwk = { kty: 'oct', k: secret.toString('base64url') }
  return {
    key: { algorithm: 'HS256', jwk, cacheSize },
    token: (subject) =>
      signed('HS256', { sign: (input) => createHmac('sha256', secret).update(input).digest(), subject }),
  }
}

/** EdDSA over Ed25519 with a fresh key pair. */
export function ed25519Signer(cacheSize: number): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const { x = '' } = publicKey.export({ format: 'jwk' })
  const jwk = { kty: 'OKP', crv: 'Ed25519', kid: 'bench', alg: 'EdDSA', x }
  return {
    key: { algorithm: 'EdDSA', jwk, cacheSize },
    token: (subject) =>
      signed('EdDSA', { sign: (input) => sign(null, Buffer.from(input), privateKey), kid: 'bench', subject }),
  }
}

let lastToken = 0

/** Who signs, and for whom. */
interface Signing {
  sign(input: string): Buffer
  readonly kid?: string
  readonly subject: string | undefined
}

function signed(alg: string, { sign, kid, subject }: Signing): string {
  lastToken++
  const seconds = Math.floor(Date.now() / 1_000)
  const header = { alg, typ: 'JWT', ...(kid === undefined ? {} : { kid }) }
  const payload = {
    iss: issuer,
    sub: subject ?? `user-${lastToken}`,
    aud: audience,
    iat: seconds,
    exp: seconds + 600,
    jti: String(lastToken),
    roles: ['member'],
  }
  const input = `${encoded(header)}.${encoded(payload)}`
  return `${input}.${sign(input).toString('base64url')}`
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
