/**
 * WAMP-CRA: HMAC-SHA-256 over a fresh challenge, with a plain or a salted (PBKDF2) secret. The secret never travels.
 * Unknown names are challenged like known ones, in a shape drawn from the real ones.
 */
import { decoy, findChallengeSecret, hear, hmac, listSaltings, random, takeChallengeSecret } from '../core/ask.ts'
import type { Talk } from '../core/drive.ts'
import { placesOf, type From, type Method, type Shown } from '../core/method.ts'
import type { ChallengeSecretRow, Salting } from '../core/records.ts'
import { sameText } from '../core/same-text.ts'
import { accept, deny, type Verdict } from '../core/verdict.ts'

/** Options of the WAMP-CRA method. */
export interface WampcraOptions {
  readonly from: From
}

interface Key {
  readonly secret: string
  readonly salting: Salting | undefined
}

/** Accepts whoever signs the challenge with the secret of a challenge-secret row. */
export function wampcra(options: WampcraOptions): Method {
  return {
    name: 'wampcra',
    from: placesOf(options.from),
    csrf: undefined,
    recognises: (credential) => credential.kind === 'hello' && credential.methods.includes('wampcra'),
    *judge(shown: Shown): Talk<Verdict> {
      if (shown.credential.kind !== 'hello') return deny('invalid_credential')
      const { authid } = shown.credential
      const row = yield* findChallengeSecret(authid)
      const key = row ?? (yield* decoyKey(authid))
      const challenge = yield* challengeText(authid, shown.now)
      const expected = yield* hmac(key.secret, challenge)
      const heard = yield* hear({ method: 'wampcra', extra: { challenge, ...key.salting } })
      const right = sameText(heard.text, expected)
      if (!right || row === undefined) return deny('invalid_credential')
      if (row.expiresAtMs <= heard.now) return deny('expired_credential')
      if (row.uses === 'one' && !(yield* takeChallengeSecret(authid))) return deny('invalid_credential')
      return acceptSecret(row)
    },
  }
}

/** The members and their order are those of the WAMP specification; role and provider say nothing about the user. */
function* challengeText(authid: string, now: number): Talk<string> {
  const nonce = yield* random(24)
  return JSON.stringify({
    authid,
    authrole: 'user',
    authmethod: 'wampcra',
    authprovider: 'countersign',
    nonce,
    timestamp: new Date(now).toISOString(),
    session: sessionNumber(yield* random(8)),
  })
}

/** A WAMP id: uniform in [1, 2^53]. */
function sessionNumber(entropy: string): number {
  let number = 0
  for (let at = 0; at < 8; at++) number = number * 64 + (entropy.charCodeAt(at) & 63)
  return number + 1
}

/** For an unknown name: a salting like somebody's, the same each time it is asked, and a key that nobody has. */
function* decoyKey(authid: string): Talk<Key> {
  const secret = yield* decoy(`wampcra-secret\n${authid}`)
  const saltings = yield* listSaltings()
  const drawn = yield* decoy(`wampcra-shape\n${authid}`)
  const model = saltings[(drawn.charCodeAt(0) * 64 + drawn.charCodeAt(1)) % Math.max(1, saltings.length)]
  if (model === undefined) return { secret, salting: undefined }
  const salt = likeSalt(model.salt, yield* decoy(`wampcra-salt\n${authid}`))
  return { secret, salting: { salt, iterations: model.iterations, keylen: model.keylen } }
}

/** Text of the same length and alphabet as a real salt. */
function likeSalt(model: string, entropy: string): string {
  const alphabet = [...new Set(model)].every((char) => '0123456789abcdef'.includes(char)) ? '0123456789abcdef' : letters
  let salt = ''
  for (let at = 0; at < model.length; at++) {
    const code = entropy.charCodeAt(at % 43) * 31 + at * 17 + entropy.charCodeAt((at + 7) % 43)
    salt += alphabet[code % alphabet.length] ?? ''
  }
  return salt
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

function acceptSecret(row: ChallengeSecretRow): Verdict {
  const { subject, roles } = row
  return accept({
    principal: { id: subject, roles, realm: undefined, method: 'wampcra', provider: 'records', claims: { authid: row.authid } },
    grant: {
      subject, roles,
      session: row.session, token: row.authid, apiKey: undefined, certificate: undefined, issuedAtMs: row.issuedAtMs,
    },
    untilMs: row.expiresAtMs,
  })
}
