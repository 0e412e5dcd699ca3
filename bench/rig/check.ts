/** The bare signature check that a JWT door cannot do without: what is left of its cost is the guard's. */
import { createHmac, createPublicKey, createSecretKey, timingSafeEqual, verify } from 'node:crypto'
import type { TokenKey } from './protocol.ts'

/** Checks the signature of a compact token, its claims unread. Rejects a wrong one. */
export type Check = (token: string) => Promise<void>

/** The cheapest check that this runtime offers: one-shot, with a key that was imported once. */
export function checkOf(key: TokenKey): Check {
  const isRight = key.algorithm === 'HS256' ? hmacCheck(key) : signatureCheck(key)
  return async (token) => {
    const dot = token.lastIndexOf('.')
    if (!isRight(token.slice(0, dot), token.slice(dot + 1))) throw new Error('wrong signature')
  }
}

function hmacCheck(key: TokenKey): (input: string, signature: string) => boolean {
  const secret = createSecretKey(key.jwk['k'] ?? '', 'base64url')
  return (input, signature) => {
    const mac = createHmac('sha256', secret).update(input).digest()
    return timingSafeEqual(mac, Buffer.from(signature, 'base64url'))
  }
}

function signatureCheck(key: TokenKey): (input: string, signature: string) => boolean {
  const publicKey = createPublicKey({ key: key.jwk, format: 'jwk' })
  return (input, signature) => verify(null, Buffer.from(input), publicKey, Buffer.from(signature, 'base64url'))
}
