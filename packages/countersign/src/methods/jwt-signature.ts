/** Whether a token was signed by its issuer. */
import { findKey, hmac, verify } from '../core/ask.ts'
import { isThenable, type Talk } from '../core/drive.ts'
import type { CompactJws, KeyFinder } from '../core/ports.ts'
import { sameText } from '../core/same-text.ts'
import { isJwtAlgorithm, jwtAlgorithms, type JwtAlgorithm } from './jwt-algorithms.ts'
import type { WantedKey } from './jwt-jwk.ts'
import type { KeySource, PublicKeySource } from './jwt-keys.ts'

/** One issuer's keys and the algorithms that they may be used with, all of the source's kind. */
export interface Signing {
  readonly keys: KeySource
  readonly algorithms: readonly JwtAlgorithm[]
}

/** Longest key identifier, UTF-16 code units. */
const maxKidLength = 256

/**
 * Checks the signature of a token that passed the strict pre-parse. `kid` is compared and nothing else; `jku`, `jwk`,
 * `x5u` and `x5c` are never looked at (RFC 8725 §3.10).
 *
 * @throws OutageError when keys cannot be fetched
 */
export function* isSigned(signing: Signing, jws: CompactJws, now: number): Talk<boolean> {
  const wanted = wantedKey(jws.header, signing.algorithms)
  if (wanted === undefined) return false
  const { keys } = signing
  if (keys.kind === 'public') {
    // Before the key is looked for: a signature of the wrong length costs neither a fetch nor a check.
    const { signatureBytes = jws.signature.length } = jwtAlgorithms[wanted.alg]
    if (jws.signature.length !== signatureBytes) return false
    const key = yield* findKey(finderOf(keys, wanted), now)
    return key !== undefined && (yield* verify(key, jws.signingInput, jws.signature))
  }
  if (wanted.kid !== undefined && wanted.kid !== keys.kid) return false
  // The pre-parse allows one spelling of each signature: texts are equal exactly when the bytes are.
  return sameText(
    jws.token.slice(jws.signingInput.length + 1),
    unpadded(yield* hmac(keys.secret(), jws.signingInput)),
  )
}

/** Standard base64 of 32 bytes, which ends in one `=`, as RFC 7515 §2 writes it. */
function unpadded(base64: string): string {
  return base64.slice(0, -1).replaceAll('+', '-').replaceAll('/', '_')
}

/** What the header asks for, when the issuer is allowed it; `alg` is compared exactly. */
function wantedKey(header: CompactJws['header'], algorithms: readonly JwtAlgorithm[]): WantedKey | undefined {
  const { alg, kid } = header
  if (!isJwtAlgorithm(alg) || !algorithms.includes(alg)) return undefined
  if (kid === undefined) return { alg, kid, algorithms }
  return typeof kid === 'string' && kid.length <= maxKidLength ? { alg, kid, algorithms } : undefined
}

/** A look-up is a promise only while keys are fetched, or imported for their first token. */
function finderOf(keys: PublicKeySource, wanted: WantedKey): KeyFinder {
  return {
    find(now) {
      const found = keys.find(wanted, now)
      return isThenable(found) ? found.then((key) => key?.()) : found?.()
    },
  }
}
