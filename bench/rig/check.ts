/** The bare signature check that a JWT door cannot do without: what is left of its cost is the guard's. */
import { createPublicKey, verify, webcrypto } from 'node:crypto'
import type { TokenKey } from './protocol.ts'

/** Checks the signature of a compact token, its claims unread. Throws or rejects for a wrong one. */
export type Check = (token: string) => void | Promise<void>

/** How a signature is checked: by Node's one-shot call, or by WebCrypto, as JOSE libraries do. */
export type CheckKind = 'one-shot' | 'webcrypto'

/** A check of Ed25519 signatures with a key that is imported once. */
export async function checkOf(key: TokenKey, kind: CheckKind): Promise<Check> {
  return kind === 'one-shot' ? oneShot(key) : webCrypto(key)
}

function oneShot(key: TokenKey): Check {
  const publicKey = createPublicKey({ key: key.jwk, format: 'jwk' })
  return (token) => {
    const { input, signature } = split(token)
    assertRight(verify(null, input, publicKey, signature))
  }
}

async function webCrypto(key: TokenKey): Promise<Check> {
  const { x = '' } = key.jwk
  const jwk = { kty: 'OKP', crv: 'Ed25519', x }
  const publicKey = await webcrypto.subtle.importKey('jwk', jwk, 'Ed25519', false, ['verify'])
  return async (token) => {
    const { input, signature } = split(token)
    assertRight(await webcrypto.subtle.verify('Ed25519', publicKey, signature, input))
  }
}

function split(token: string): { readonly input: Buffer; readonly signature: Buffer } {
  const dot = token.lastIndexOf('.')
  return {
    input: Buffer.from(token.slice(0, dot)),
    signature: Buffer.from(token.slice(dot + 1), 'base64url'),
  }
}

function assertRight(right: boolean): void {
  if (!right) throw new Error('wrong signature')
}
