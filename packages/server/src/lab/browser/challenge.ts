/** The members of a WAMP-CRA challenge's `extra`. */
export interface ChallengeExtra {
  readonly challenge: string
  readonly salt?: string
  readonly iterations?: number
  readonly keylen?: number
}

const encoder = new TextEncoder()

/** Base64 of HMAC-SHA-256 over the challenge, keyed by the secret or, when salted, by what PBKDF2 makes of it. */
export async function signChallenge(secret: string, extra: ChallengeExtra): Promise<string> {
  const keyText = extra.salt === undefined ? secret : await deriveKey(secret, extra.salt, extra)
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const key = await crypto.subtle.importKey('raw', encoder.encode(keyText), algorithm, false, ['sign'])
  return toBase64(await crypto.subtle.sign('HMAC', key, encoder.encode(extra.challenge)))
}

async function deriveKey(secret: string, salt: string, extra: ChallengeExtra): Promise<string> {
  const { iterations = 1_000, keylen = 32 } = extra
  const base = await crypto.subtle.importKey('raw', encoder.encode(secret), 'PBKDF2', false, ['deriveBits'])
  const how = { name: 'PBKDF2', hash: 'SHA-256', salt: encoder.encode(salt), iterations }
  return toBase64(await crypto.subtle.deriveBits(how, base, keylen * 8))
}

function toBase64(bytes: ArrayBuffer): string {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)))
}

/** Reads the `extra` of a challenge frame; `undefined` when the frame is something else. */
export function readChallenge(frame: Readonly<Record<string, unknown>>): ChallengeExtra | undefined {
  const { type, extra } = frame
  if (type !== 'challenge' || typeof extra !== 'object' || extra === null) return undefined
  if (!('challenge' in extra) || typeof extra.challenge !== 'string') return undefined
  const salt = 'salt' in extra && typeof extra.salt === 'string' ? { salt: extra.salt } : {}
  const iterations =
    'iterations' in extra && typeof extra.iterations === 'number' ? { iterations: extra.iterations } : {}
  const keylen = 'keylen' in extra && typeof extra.keylen === 'number' ? { keylen: extra.keylen } : {}
  return { challenge: extra.challenge, ...salt, ...iterations, ...keylen }
}

const challengeMembers = 'authid authmethod authprovider authrole nonce session timestamp'

/** Whether a challenge looks like one of a real user: the members of the text, and all of the salting or none. */
export function hasRealShape(extra: ChallengeExtra): boolean {
  const salting = [extra.salt, extra.iterations, extra.keylen].filter((one) => one !== undefined).length
  if (salting !== 0 && salting !== 3) return false
  try {
    const text: unknown = JSON.parse(extra.challenge)
    return (
      typeof text === 'object' && text !== null && Object.keys(text).toSorted().join(' ') === challengeMembers
    )
  } catch {
    return false
  }
}
