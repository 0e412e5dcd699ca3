/** Ed25519 keys that sign the site's JWTs: one that signs, earlier ones that are still published for verification. */
import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  sign,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto'
import {
  closeSync,
  existsSync,
  fchmodSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs'
import { MisuseError } from 'countersign'
import { z } from 'zod'

/** A public key as `/.well-known/jwks.json` shows it (RFC 7517, RFC 8037). */
export interface PublicJwk {
  readonly kty: 'OKP'
  readonly crv: 'Ed25519'
  readonly x: string
  /** Thumbprint of the key (RFC 7638). */
  readonly kid: string
  readonly alg: 'EdDSA'
  readonly use: 'sig'
}

/** Signs with the newest key, publishes all that may still be met. */
export interface KeyRing {
  /** A compact JWS of this payload, with `kid`. */
  sign(typ: string, payload: Readonly<Record<string, unknown>>): string
  /** The JSON Web Key Set, newest first. Private parts are never in it. */
  jwks(): { readonly keys: readonly PublicJwk[] }
  /** Makes a fresh key sign from now on; the one before is still published, the one before that no longer. */
  rotate(): void
}

/** A private key and what is published of it. */
interface Signer {
  readonly jwk: PublicJwk
  readonly key: KeyObject
}

const storedKey = z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string(), d: z.string() })
const storedRing = z.object({
  current: storedKey,
  previous: storedKey.pick({ kty: true, crv: true, x: true }).array(),
})

/**
 * Opens a ring.
 * @param file where the keys are kept, readable by the owner alone; made on first use. @default memory: tokens then die
 * with the process
 * @throws MisuseError when the file can be read by others or is no key ring
 */
export function openKeyRing(file?: string): KeyRing {
  let { current, previous } = file !== undefined && existsSync(file) ? load(file) : fresh()
  const save = (): void => {
    if (file !== undefined) store(file, current, previous)
  }
  save()
  return {
    sign: (typ, payload) => signed(current, typ, payload),
    jwks: () => ({ keys: [current.jwk, ...previous] }),
    rotate() {
      previous = [current.jwk]
      current = newSigner()
      save()
    },
  }
}

function fresh(): { current: Signer; previous: readonly PublicJwk[] } {
  return { current: newSigner(), previous: [] }
}

/** A fresh pair from the runtime's generator. */
function newSigner(): Signer {
  return signerOf(generateKeyPairSync('ed25519').privateKey)
}

function signerOf(key: KeyObject): Signer {
  return { key, jwk: published(key.export({ format: 'jwk' }).x ?? '') }
}

function published(x: string): PublicJwk {
  // RFC 7638 §3.2: the required members in lexicographic order.
  const kid = createHash('sha256')
    .update(JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x }))
    .digest('base64url')
  return { kty: 'OKP', crv: 'Ed25519', x, kid, alg: 'EdDSA', use: 'sig' }
}

/** RFC 7515 §7.1, compact. Ed25519 hashes by itself, hence no digest is named. */
function signed(signer: Signer, typ: string, payload: Readonly<Record<string, unknown>>): string {
  const header = encode({ alg: 'EdDSA', typ, kid: signer.jwk.kid })
  const input = `${header}.${encode(payload)}`
  return `${input}.${sign(null, Buffer.from(input), signer.key).toString('base64url')}`
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

/**
 * @throws MisuseError when others may read the file, or it is no ring: tokens of a ring that leaked are
 * anyone's
 */
function load(file: string): { current: Signer; previous: readonly PublicJwk[] } {
  if (process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0) {
    throw new MisuseError('invalid_option', `${file}: must be readable by its owner alone (chmod 600)`)
  }
  try {
    const ring = storedRing.parse(JSON.parse(readFileSync(file, 'utf8')))
    const current = signerOf(createPrivateKey({ key: ring.current, format: 'jwk' }))
    return { current, previous: ring.previous.map((key) => published(key.x)) }
  } catch {
    // The original error may quote the file's content.
    throw new MisuseError('invalid_option', `${file}: is no key ring`)
  }
}

/** Written beside and renamed, so that a crash leaves the old ring or the new one. */
function store(file: string, current: Signer, previous: readonly PublicJwk[]): void {
  const { kty, crv, x, d }: JsonWebKey = current.key.export({ format: 'jwk' })
  const beside = `${file}.new`
  const descriptor = openSync(beside, 'w', 0o600)
  try {
    fchmodSync(descriptor, 0o600)
    writeSync(descriptor, JSON.stringify({ current: { kty, crv, x, d }, previous }))
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  renameSync(beside, file)
}
