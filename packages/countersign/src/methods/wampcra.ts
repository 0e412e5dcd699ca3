/**
 * WAMP-CRA: HMAC-SHA-256 over a fresh challenge, with a plain or a salted (PBKDF2) secret. The secret never travels.
 * Unknown names are challenged like known ones, in a shape drawn from the real ones.
 */
import { attempt, attempted, derive, hear, hmac } from '../core/ask.ts'
import type { Talk } from '../core/drive.ts'
import { placesOf, type From, type Method, type Shown } from '../core/method.ts'
import { sameText } from '../core/same-text.ts'
import { deny, type Verdict } from '../core/verdict.ts'
import { encodeBase64 } from '../wire/base64.ts'
import { accounts, admit, aroundOf, lookUp, shapesOf, sourcesOf, type SourceOption } from './wamp-source.ts'
import { challengeText } from './wampcra-challenge.ts'
import { decoyKey, type DecoyKey } from './wampcra-decoy.ts'
import { craSources, type CraFound, type CraShape } from './wampcra-sources.ts'

/** Options of the WAMP-CRA method. */
export interface WampcraOptions {
  /** Where the conversation opens: `wampHello()`, `challengeFrames()`, or both. */
  readonly from: From
  /** Who is asked for a secret, in this order; the first who knows the name decides. @default [accounts()] */
  readonly sources?: readonly SourceOption<CraFound, CraShape>[]
  /** Role of those who have none. @default none: they cannot join a realm */
  readonly defaultRole?: string
}

/**
 * Accepts whoever signs the challenge with the secret that a source has for the name (WAMP, advanced profile,
 * WAMP-CRA).
 * Unknown names, wrong signatures and spent secrets are all `invalid_credential`; `expired_credential` is
 * said of right signatures alone. The clock is read again when the answer comes: a slow peer gains nothing.
 * @throws MisuseError without any source
 */
export function wampcra(options: WampcraOptions): Method {
  const sources = sourcesOf(options.sources ?? [accounts()], craSources)
  return {
    name: 'wampcra',
    from: placesOf(options.from),
    csrf: undefined,
    recognises: (credential) => credential.kind === 'hello' && credential.methods.includes('wampcra'),
    *judge(shown: Shown): Talk<Verdict> {
      const hello = shown.credential
      if (hello.kind !== 'hello') return deny('invalid_credential')
      const { authid } = hello
      if (authid === undefined) return deny('missing_credential')
      const address = shown.handshake.remoteAddress
      // People choose these secrets too: guesses are slowed as those of passwords are.
      const waitMs = yield* attempt(authid, address)
      if (waitMs > 0) return deny('too_many_attempts', waitMs)
      const details = { authid, authrole: hello.join?.authrole ?? null }
      const found = yield* lookUp(sources, aroundOf(shown, hello, { method: 'wampcra', details }))
      // Made for known names too, so that both cost the same.
      const unknown = yield* decoyKey(authid, yield* shapesOf(sources))
      const key = found ?? unknown
      const challenge = yield* challengeText(hello, authid, shown.now)
      const heard = yield* hear({ method: 'wampcra', extra: { challenge, ...key.salting } })
      const signed = yield* isSigned(key, challenge, heard.text)
      const right = signed && found !== undefined
      const lateMs = yield* attempted(authid, address, right)
      if (lateMs > 0) return deny('too_many_attempts', lateMs)
      if (!right) return deny('invalid_credential')
      const { defaultRole } = options
      return yield* admit(found.who, { shown, hello, method: 'wampcra', now: heard.now, defaultRole })
    },
  }
}

/**
 * Whether one of the keys made this signature. The key is text, as every client has it: of a salted secret the base64 of
 * the derived bytes, not the bytes. Compared as text: base64 has one canonical spelling, and clients send it.
 */
function* isSigned(key: CraFound | DecoyKey, challenge: string, signature: string): Talk<boolean> {
  const [one, other] = key.keys
  const first = sameText(signature, yield* hmac(one, challenge))
  // A secret without a salt has one meaning. With one, both are tried whether they differ or not: nobody's cost less.
  if (key.salting === undefined) return first
  const second = sameText(signature, yield* hmac(other, challenge))
  if (first || second || !key.derives) return first || second
  const derived = encodeBase64(yield* derive(one, key.salting))
  return sameText(signature, yield* hmac(derived, challenge))
}
