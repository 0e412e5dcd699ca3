/** Challenge-response with a secret that never travels: WAMP-CRA on a plain socket (`countersign.challenge.v1`). */
import type { Ask, Attempt, Carrier, MaybePromise } from './carrier.ts'
import { Unauthorized } from './errors.ts'

/** A name and the secret that proves it. */
export interface ChallengeSecret {
  readonly authid: string
  readonly secret: string
}

/** How the secret of a salted account is derived. */
interface Salting {
  readonly salt: string
  readonly iterations: number
  readonly keylen: number
}

/** Most work that a server may ask for: as much as the server's own bound, and about five seconds. */
const maxIterations = 10_000_000
const maxKeyBytes = 256
const maxChallengeLength = 4_096

const utf8 = new TextEncoder()

/**
 * `hello`, `challenge`, `authenticate`, with the method `wampcra`, plain or salted. Needs Web Crypto, which browsers
 * lend to secure pages only; elsewhere the client stops.
 */
export function challengeResponse(getSecret: (ask: Ask) => MaybePromise<ChallengeSecret>): Carrier {
  return async (target, ask): Promise<Attempt> => {
    const { authid, secret } = await getSecret(ask)
    if (typeof globalThis.crypto?.subtle === 'undefined') throw new Unauthorized('needs a secure page')
    const talk = {
      first: JSON.stringify({ type: 'hello', authid, methods: ['wampcra'] }),
      replies: true,
      answer: async (method: unknown, extra: unknown): Promise<string> => {
        const signature = method === 'wampcra' ? await sign(secret, extra) : undefined
        if (signature === undefined) throw new Unauthorized('a challenge that cannot be answered')
        return JSON.stringify({ type: 'authenticate', signature })
      },
    }
    return { ...target, credential: `${authid}\n${secret}`, outlivesLease: true, talk }
  }
}

async function sign(secret: string, extra: unknown): Promise<string | undefined> {
  if (typeof extra !== 'object' || extra === null || !('challenge' in extra)) return undefined
  const { challenge } = extra
  if (typeof challenge !== 'string' || challenge.length > maxChallengeLength) return undefined
  const salting = saltingOf(extra)
  if (salting === 'malformed') return undefined
  return hmac(salting === undefined ? secret : await derive(secret, salting), challenge)
}

function saltingOf(extra: object): Salting | 'malformed' | undefined {
  if (!('salt' in extra)) return undefined
  const { salt, iterations, keylen }: { salt: unknown; iterations?: unknown; keylen?: unknown } = extra
  if (typeof salt !== 'string' || !isCount(iterations, maxIterations) || !isCount(keylen, maxKeyBytes)) {
    return 'malformed'
  }
  return { salt, iterations, keylen }
}

function isCount(value: unknown, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most
}

/** The key of a salted secret is the base64 text of what PBKDF2 gives. */
async function derive(secret: string, { salt, iterations, keylen }: Salting): Promise<string> {
  const key = await crypto.subtle.importKey('raw', utf8.encode(secret), 'PBKDF2', false, ['deriveBits'])
  const how = { name: 'PBKDF2', hash: 'SHA-256', salt: utf8.encode(salt), iterations }
  return base64(await crypto.subtle.deriveBits(how, key, keylen * 8))
}

async function hmac(key: string, text: string): Promise<string> {
  const how = { name: 'HMAC', hash: 'SHA-256' }
  const imported = await crypto.subtle.importKey('raw', utf8.encode(key), how, false, ['sign'])
  return base64(await crypto.subtle.sign('HMAC', imported, utf8.encode(text)))
}

function base64(bytes: ArrayBuffer): string {
  return btoa(Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join(''))
}
