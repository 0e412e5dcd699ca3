/** Signature checks by Node's one-shot call, which answers at once where a promise would cost more than the check. */
import { constants, KeyObject, verify, type VerifyKeyObjectInput } from 'node:crypto'
import type { Platform, PublicKey } from '../core/ports.ts'
import { schemeOf, type SignatureScheme } from './signatures.ts'

/** A key as the one-shot call takes it. */
interface Prepared {
  readonly digest: string | null
  readonly input: KeyObject | VerifyKeyObjectInput
  /** Whether a check takes so long that forged tokens would hold up everyone else: it goes to the thread pool. */
  readonly slow: boolean
}

/** Up to this size RSA takes less than twice as long as Ed25519. */
const maxQuickRsaBits = 4096
/** Of the NIST curves only P-256 has an implementation made for speed; the others take ten times as long. */
const slowCurves: ReadonlySet<unknown> = new Set(['secp384r1', 'secp521r1'])

/** The `verify` of `Platform`. Keys are prepared once and forgotten with their owner. */
export function oneShotVerify(): Platform['verify'] {
  const prepared = new WeakMap<PublicKey, Prepared>()
  return (key, text, signature) => {
    let ready = prepared.get(key)
    if (ready === undefined) {
      ready = prepare(key)
      prepared.set(key, ready)
    }
    const data = Buffer.from(text)
    return ready.slow
      ? verifyLater(ready, data, signature)
      : verify(ready.digest, data, ready.input, signature)
  }
}

function verifyLater({ digest, input }: Prepared, data: Uint8Array, signature: Uint8Array): Promise<boolean> {
  return new Promise((resolve, reject) => {
    verify(digest, data, input, signature, (error, right) => {
      if (error === null) resolve(right)
      else reject(error)
    })
  })
}

function prepare(publicKey: PublicKey): Prepared {
  const scheme = schemeOf(publicKey)
  const key = KeyObject.from(publicKey)
  const { modulusLength = 0, namedCurve } = detailsOf(key)
  const form = formOf(scheme)
  return {
    digest: scheme.hash ?? null,
    // A key alone where nothing need be said besides: to look into an object for one costs Node 20 to 40 µs a check.
    input: form === undefined ? key : { key, ...form },
    slow: modulusLength > maxQuickRsaBits || slowCurves.has(namedCurve),
  }
}

function detailsOf(key: KeyObject): { readonly modulusLength?: number; readonly namedCurve?: string } {
  return key.asymmetricKeyDetails ?? {}
}

/** What OpenSSL must be told besides: RFC 7518 §3.4 writes ECDSA signatures as two numbers, not as DER. */
function formOf({ name, saltBytes }: SignatureScheme): Omit<VerifyKeyObjectInput, 'key'> | undefined {
  if (name === 'ECDSA') return { dsaEncoding: 'ieee-p1363' }
  if (name === 'RSA-PSS') return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: saltBytes }
  // Ed25519 knows one form only, and PKCS #1 v1.5 is the padding of plain RSA keys, as Web Crypto's are.
  return undefined
}
