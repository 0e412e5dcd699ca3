/** Cryptosign: an Ed25519 signature of the challenge (WAMP, "Cryptosign-based Authentication"). */
import type { MaybePromise } from './carrier.ts'
import type { ChallengeMethod, ChallengeSecret } from './challenge.ts'
import { fromHex32, hex, type Bytes } from './challenge-bytes.ts'
import { UnanswerableChallenge } from './errors.ts'

/** Who signs, where the private key is not a text: a key that cannot be extracted, a device. */
export interface ChallengeSigner {
  /** 64 hex digits. */
  readonly publicKey: string
  /** Ed25519 of 32 bytes. */
  sign(message: Uint8Array<ArrayBuffer>): MaybePromise<ArrayBuffer | Uint8Array>
}

/** What stands before the 32 bytes of an Ed25519 seed in PKCS #8 (RFC 8410 §7). */
const pkcs8 = Uint8Array.of(48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32)

/**
 * The method `cryptosign`. The secret is the seed of the private key, 64 hex digits, unless a signer is given. What it
 * signs are 32 bytes of the server's choice: use the key for nothing else.
 */
export function cryptosign(signer?: ChallengeSigner): ChallengeMethod {
  return {
    name: 'cryptosign',
    begin: (who) => ({
      async answer({ challenge, channel_binding: channel }) {
        const message = fromHex32(challenge)
        if (message === undefined) throw new UnanswerableChallenge('no challenge of 32 bytes')
        if (typeof channel === 'string') throw new UnanswerableChallenge('no channel can be bound to here')
        const own = signer ?? (await seedSigner(who))
        const signature = new Uint8Array(await own.sign(message))
        return { signature: hex(signature) + hex(message), extra: { pubkey: own.publicKey } }
      },
    }),
  }
}

/** Browsers know Ed25519 since Chromium 137, Firefox 129 and Safari 17. */
async function seedSigner({ secret }: ChallengeSecret): Promise<ChallengeSigner> {
  const seed = fromHex32(secret)
  if (seed === undefined) throw new UnanswerableChallenge('the secret is no seed of a key')
  const { subtle } = crypto
  const key = await subtle
    .importKey('pkcs8', Uint8Array.of(...pkcs8, ...seed), 'Ed25519', true, ['sign'])
    .catch(() => undefined)
  if (key === undefined) throw new UnanswerableChallenge('there is no Ed25519 here')
  const { x = '' } = await subtle.exportKey('jwk', key)
  const publicKey = hex(fromBase64url(x))
  return { publicKey, sign: (message) => subtle.sign('Ed25519', key, message) }
}

function fromBase64url(text: string): Bytes {
  const characters = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(characters, (character) => character.charCodeAt(0))
}
