/**
 * WAMP-CRA: HMAC-SHA-256 over a fresh challenge, with a plain or a salted (PBKDF2) secret. The secret never travels.
 * Unknown names are challenged like known ones, in a shape drawn from the real ones.
 */
import {
  attempt,
  attempted,
  decoy,
  findChallengeSecret,
  hear,
  hmac,
  listSaltings,
  random,
  takeChallengeSecret,
} from '../core/ask.ts'
import type { Talk } from '../core/drive.ts'
import { placesOf, type From, type Method, type Shown } from '../core/method.ts'
import type { ChallengeSecretRow, Salting } from '../core/records.ts'
import { secretGrant } from '../core/rows.ts'
import { sameText } from '../core/same-text.ts'
import { accept, deny, type Verdict } from '../core/verdict.ts'

/** Options of the WAMP-CRA method. */
export interface WampcraOptions {
  /** Where the conversation opens: `challengeFrames()`. */
  readonly from: From
}

/** What signs: a real row's key or a decoy's, of one shape. */
interface Key {
  readonly secret: string
  readonly salting: Salting | undefined
}

/**
 * Accepts whoever signs the challenge with the secret of a challenge-secret row (WAMP, advanced profile,
 * WAMP-CRA).
 * Unknown names, wrong signatures and spent secrets are all `invalid_credential`; `expired_credential` is
 * said of right signatures alone. The clock is read again when the answer comes: a slow peer gains nothing.
 */
export function wampcra(options: WampcraOptions): Method {
  return {
    name: 'wampcra',
    from: placesOf(options.from),
    csrf: undefined,
    recognises: (credential) => credential.kind === 'hello' && credential.methods.includes('wampcra'),
    *judge(shown: Shown): Talk<Verdict> {
      if (shown.credential.kind !== 'hello') return deny('invalid_credential')
      const { authid } = shown.credential
      if (authid === undefined) return deny('missing_credential')
      const source = shown.handshake.remoteAddress
      // People choose these secrets too: guesses are slowed as those of passwords are.
      const waitMs = yield* attempt(authid, source)
      if (waitMs > 0) return deny('too_many_attempts', waitMs)
      const row = yield* findChallengeSecret(authid)
      // Made for known names too, so that both cost the same.
      const unknown = yield* decoyKey(authid)
      const key = row ?? unknown
      const challenge = yield* challengeText(authid, shown.now)
      const expected = yield* hmac(key.secret, challenge)
      const heard = yield* hear({ method: 'wampcra', extra: { challenge, ...key.salting } })
      const right = sameText(heard.text, expected) && row !== undefined
      yield* attempted(authid, source, right)
      if (!right) return deny('invalid_credential')
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

/** A WAMP id: uniform in [1, 2^53], out of nine base64url characters. */
function sessionNumber(entropy: string): number {
  let number = base64url.indexOf(entropy.charAt(8)) & 31
  for (let at = 0; at < 8; at++) number = number * 64 + base64url.indexOf(entropy.charAt(at))
  return number + 1
}

/** For an unknown name: a salting like somebody's, the same each time it is asked, and a key that nobody has. */
function* decoyKey(authid: string): Talk<Key> {
  const secret = yield* decoy(`wampcra-secret\n${authid}`)
  const saltings = yield* listSaltings()
  const drawn = yield* decoy(`wampcra-shape\n${authid}`)
  const draw = base64.indexOf(drawn.charAt(0)) * 64 + base64.indexOf(drawn.charAt(1))
  const model = saltings[draw % Math.max(1, saltings.length)]
  // Drawn even where it is not needed: an unsalted answer costs the same.
  const salt = yield* decoySalt(authid, model?.salt ?? '', saltings)
  return { secret, salting: model && { salt, iterations: model.iterations, keylen: model.keylen } }
}

/** Text of the length and the alphabet in which real salts like `model` are written. */
function* decoySalt(authid: string, model: string, saltings: readonly (Salting | undefined)[]): Talk<string> {
  const body = model.replace(/=+$/, '')
  const alike = saltings.map((one) => one?.salt ?? '').filter((salt) => salt.length === model.length)
  const alphabet = alphabetOf(alike.join('').replaceAll('=', ''))
  let salt = ''
  for (let block = 0; block === 0 || salt.length < body.length; block++) {
    const entropy = yield* decoy(`wampcra-salt ${block}\n${authid}`)
    for (const char of entropy.slice(0, 42)) salt += alphabet.charAt(base64.indexOf(char) % alphabet.length)
  }
  return salt.slice(0, body.length) + model.slice(body.length)
}

// Alphabets that salts are commonly written in, narrow before wide.
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const base64 = `${letters}0123456789+/`
const base64url = `${letters}0123456789-_`
const alphabets: readonly string[] = [
  '0123456789',
  '0123456789abcdef',
  '0123456789ABCDEF',
  `${letters}0123456789`,
  base64url,
]

/** The smallest alphabet that holds all of the sample. */
function alphabetOf(sample: string): string {
  return alphabets.find((alphabet) => Array.from(sample).every((char) => alphabet.includes(char))) ?? base64
}

function acceptSecret(row: ChallengeSecretRow): Verdict {
  const { subject, roles } = row
  return accept({
    principal: {
      id: subject,
      roles,
      realm: undefined,
      method: 'wampcra',
      provider: 'records',
      claims: { authid: row.authid },
    },
    grant: secretGrant(row),
    untilMs: row.expiresAtMs,
  })
}
