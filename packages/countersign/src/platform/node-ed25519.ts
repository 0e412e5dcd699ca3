/** Ed25519 (RFC 8032) over raw keys and raw bytes, by Node's one-shot calls. */
import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import { MisuseError } from '../core/errors.ts'
import type { Ed25519Signature, Signer } from '../core/ports.ts'

/** What stands before the 32 bytes of a raw public key in DER (RFC 8410 §4). */
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex')
/** The same before a raw seed (RFC 8410 §7). */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')

/** The `verifyEd25519` of `Platform`. Answers at once: a check takes some 50 µs. */
export function verifyEd25519({ publicKey, message, signature }: Ed25519Signature): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false
  const der = Buffer.concat([spkiPrefix, publicKey])
  return verify(null, message, createPublicKey({ key: der, format: 'der', type: 'spki' }), signature)
}

/** A signer that also says what its signatures are checked with. */
export interface Ed25519Signer extends Signer {
  /** 64 lower-case hex digits. */
  readonly publicKey: string
}

/**
 * A signer over the 32 bytes of a private seed, for routers that prove who they are.
 * @throws MisuseError for a seed of another length
 */
export function ed25519Signer(seed: Uint8Array): Ed25519Signer {
  if (seed.length !== 32) throw new MisuseError('invalid_option', 'ed25519Signer: a seed is 32 bytes')
  const key = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' })
  return { publicKey: rawPublicKey(key).toString('hex'), sign: (message) => sign(null, message, key) }
}

function rawPublicKey(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(spkiPrefix.length)
}
