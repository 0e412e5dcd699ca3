/** WAMP-CRA: an HMAC of the challenge, under the secret or what is derived of it (WAMP, "Challenge Response Authentication"). */
import type { ChallengeMethod, ChallengeSecret } from './challenge.ts'
import { base64, bytesOf, hmac, isCount, pbkdf2 } from './challenge-bytes.ts'
import { UnanswerableChallenge } from './errors.ts'

const maxKeyBytes = 256
const maxChallengeLength = 4_096

/** The method `wampcra`, plain and salted. */
export function wampcra(): ChallengeMethod {
  return { name: 'wampcra', begin: (who) => ({ answer: (extra) => answer(who, extra) }) }
}

async function answer(
  { secret }: ChallengeSecret,
  extra: Readonly<Record<string, unknown>>,
): Promise<{ readonly signature: string }> {
  const { challenge } = extra
  if (typeof challenge !== 'string' || challenge.length > maxChallengeLength)
    throw new UnanswerableChallenge('no challenge')
  const key = 'salt' in extra ? await derived(secret, extra) : secret
  return { signature: base64(await hmac(bytesOf(key), challenge)) }
}

/** The key of a salted secret is the base64 text of what PBKDF2 gives. */
async function derived(
  secret: string,
  { salt, iterations, keylen }: Readonly<Record<string, unknown>>,
): Promise<string> {
  if (typeof salt !== 'string' || !isCount(keylen, 1, maxKeyBytes))
    throw new UnanswerableChallenge('salting is malformed')
  return base64(await pbkdf2(secret, { salt: bytesOf(salt), iterations, least: 1, keyBytes: keylen }))
}
