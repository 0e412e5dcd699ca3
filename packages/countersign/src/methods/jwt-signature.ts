/** Whether a token was signed by its issuer: the one question that the library answers. */
import { compactVerify, errors } from 'jose'
import { checkSignature, hmac } from '../core/ask.ts'
import type { Talk } from '../core/drive.ts'
import type { CompactJws, SignatureChecker } from '../core/ports.ts'
import { sameText } from '../core/same-text.ts'
import { isJwtAlgorithm, type JwtAlgorithm } from './jwt-algorithms.ts'
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
  if (keys.kind === 'public') return yield* checkSignature(checkerOf(keys, wanted), jws, now)
  if (wanted.kid !== undefined && wanted.kid !== keys.kid) return false
  // The pre-parse allows one spelling of each signature: texts are equal exactly when the bytes are.
  return sameText(
    jws.token.slice(jws.signingInput.length + 1),
    unpadded(yield* hmac(keys.secret(), jws.signingInput)),
  )
}

/** Standard base64 as RFC 7515 §2 writes it. */
function unpadded(base64: string): string {
  return base64.replaceAll('=', '').replaceAll('+', '-').replaceAll('/', '_')
}

/** What the header asks for, when the issuer is allowed it; `alg` is compared exactly. */
function wantedKey(header: CompactJws['header'], algorithms: readonly JwtAlgorithm[]): WantedKey | undefined {
  const { alg, kid } = header
  if (!isJwtAlgorithm(alg) || !algorithms.includes(alg)) return undefined
  if (kid === undefined) return { alg, kid, algorithms }
  return typeof kid === 'string' && kid.length <= maxKidLength ? { alg, kid, algorithms } : undefined
}

/** The hand that verifies: the only place where the library sees a token. */
function checkerOf(keys: PublicKeySource, wanted: WantedKey): SignatureChecker {
  return {
    async check(jws, now) {
      const key = await keys.find(wanted, now)
      if (key === undefined) return false
      try {
        await compactVerify(jws.token, await key(), { algorithms: [wanted.alg] })
        return true
      } catch (error) {
        // Only what the library calls wrong with the token refuses it: a failure of the runtime is an outage.
        if (error instanceof errors.JOSEError) return false
        throw error
      }
    },
  }
}
