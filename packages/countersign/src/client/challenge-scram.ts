/** SCRAM with SHA-256 (RFC 5802, RFC 7677): a proof that the password is known, and of the server that it keeps its keys. */
import { authMessage, escapeName, isNonce, saslPrep } from '../wire/scram-text.ts'
import type { ChallengeMethod, ChallengeSecret, ChallengeTalk } from './challenge.ts'
import { base64, hmac, pbkdf2, type Bytes } from './challenge-bytes.ts'
import { UnanswerableChallenge } from './errors.ts'

/** Less makes what is heard of the exchange cheap to guess from (RFC 7677 §4). */
const leastIterations = 4_096
/** GS2 header of a client that binds to no channel, base64 (RFC 5802 §6). */
const noBinding = 'biws'
/** Longest salt, characters of base64: 64 bytes. */
const maxSaltLength = 88

/**
 * The method `scram-sha-256`, for keys that were derived by PBKDF2. Web Crypto has no argon2id: a challenge that asks for
 * it is not answered, nor is one of fewer than 4,096 iterations. A server that does not prove its keys is left.
 */
export function scramSha256(): ChallengeMethod {
  return { name: 'scram-sha-256', begin: exchange }
}

function exchange({ authid, secret }: ChallengeSecret, clientNonce: string): ChallengeTalk {
  let verifier: string | undefined
  return {
    async answer({ nonce, salt, kdf, iterations }) {
      if (kdf !== 'pbkdf2') throw new UnanswerableChallenge('only pbkdf2 can be derived here, no argon2id')
      if (!isNonce(nonce) || !nonce.startsWith(clientNonce) || nonce === clientNonce)
        throw new UnanswerableChallenge('the nonce is not made of ours')
      const bytes = saltOf(salt)
      const password = saslPrep(secret) ?? secret
      const salted = await pbkdf2(password, { salt: bytes, iterations, least: leastIterations, keyBytes: 32 })
      const signed = authMessage({
        name: escapeName(saslPrep(authid) ?? authid),
        clientNonce,
        nonce,
        salt: String(salt),
        iterations: Number(iterations),
        channel: noBinding,
      })
      const clientKey = await hmac(salted, 'Client Key')
      const storedKey = new Uint8Array(await crypto.subtle.digest('SHA-256', clientKey))
      const signature = await hmac(storedKey, signed)
      verifier = base64(await hmac(await hmac(salted, 'Server Key'), signed))
      return { signature: base64(clientKey.map((byte, at) => byte ^ (signature[at] ?? 0))) }
    },
    confirms: (extra) => verifier !== undefined && extra['verifier'] === verifier,
  }
}

function saltOf(salt: unknown): Bytes {
  if (typeof salt !== 'string' || salt.length > maxSaltLength || !/^[A-Za-z0-9+/]{8,}={0,2}$/.test(salt))
    throw new UnanswerableChallenge('the salt is malformed')
  try {
    return Uint8Array.from(atob(salt), (character) => character.charCodeAt(0))
  } catch {
    throw new UnanswerableChallenge('the salt is malformed')
  }
}
