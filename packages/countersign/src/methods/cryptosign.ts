/** Cryptosign: an Ed25519 signature of a fresh challenge (WAMP, advanced profile, "Cryptosign-based Authentication"). */
import { hear, random, sign, verifyEd25519 } from '../core/ask.ts'
import type { HelloCredential } from '../core/credential.ts'
import type { Talk } from '../core/drive.ts'
import { MisuseError } from '../core/errors.ts'
import { placesOf, type From, type Method, type Shown } from '../core/method.ts'
import type { Signer } from '../core/ports.ts'
import { deny, type Verdict } from '../core/verdict.ts'
import { cryptosignSources, type CryptosignFound } from './cryptosign-sources.ts'
import { answeredBytes, decodeHex, encodeHex, sameBytes, xor } from './wamp-bytes.ts'
import { admit, aroundOf, lookUp, sourcesOf, type SourceOption } from './wamp-source.ts'

/** Options of the cryptosign method. */
export interface CryptosignOptions {
  /** Where the conversation opens: `wampHello()`, `challengeFrames()`, or both. */
  readonly from: From
  /** Who knows public keys, in this order; the first who knows the name or the key decides. */
  readonly sources: readonly SourceOption<CryptosignFound, never>[]
  /** Role of those who have none. @default none: they cannot join a realm */
  readonly defaultRole?: string
  /** Key by which clients that send a challenge of their own know this router. @default none: they get no signature */
  readonly router?: Signer & { readonly publicKey: string }
}

/**
 * Accepts whoever signs the challenge with the private key of a principal. The signed message must be the challenge
 * that was sent, or its exclusive or with the channel's id where both sides are bound to one: a signature of another
 * session proves nothing.
 * Unknown names and keys are challenged and refused like wrong signatures: `invalid_credential`. On plain sockets the
 * key comes beside the signature, as `pubkey` of `extra`.
 * @throws MisuseError without any source, and for a router key that is none
 */
export function cryptosign(options: CryptosignOptions): Method {
  const sources = sourcesOf(options.sources, cryptosignSources)
  const { router, defaultRole } = options
  if (router !== undefined && decodeHex(router.publicKey, 32) === undefined) {
    throw new MisuseError('invalid_option', 'cryptosign: the router\u2019s public key is 64 hex digits')
  }
  return {
    name: 'cryptosign',
    from: placesOf(options.from),
    csrf: undefined,
    recognises: (credential) => credential.kind === 'hello' && credential.methods.includes('cryptosign'),
    *judge(shown: Shown): Talk<Verdict> {
      const hello = shown.credential
      if (hello.kind !== 'hello') return deny('invalid_credential')
      const announced = decodeHex(hello.join?.authextra['pubkey'], 32)
      if (announced === undefined && hello.join !== undefined) return deny('missing_credential')
      const found = yield* lookUp(sources, aroundOf(shown, hello, about(hello, announced)))
      const challenge = answeredBytes(yield* random(32))
      const channel = channelOf(hello)
      const proof = router === undefined ? {} : yield* routerProof(hello, router, channel)
      const heard = yield* hear({
        method: 'cryptosign',
        extra: { challenge: encodeHex(challenge), channel_binding: channel?.type ?? null, ...proof },
      })
      const publicKey = announced ?? decodeHex(heard.extra?.['pubkey'], 32) ?? new Uint8Array(32)
      const answer = decodeHex(heard.text, 96) ?? new Uint8Array(96)
      const expected = channel === undefined ? challenge : xor(challenge, channel.id)
      const fresh = sameBytes(answer.subarray(64), expected)
      // Over what was sent, not over what came back; for everyone, so that known and unknown cost the same.
      const signed = yield* verifyEd25519({ publicKey, message: expected, signature: answer.subarray(0, 64) })
      const theirs = found !== undefined && found.keys.includes(encodeHex(publicKey))
      if (!fresh || !signed || !theirs) return deny('invalid_credential')
      return yield* admit(found.who, { shown, hello, method: 'cryptosign', now: heard.now, defaultRole })
    },
  }
}

function about(
  { authid, join }: HelloCredential,
  publicKey: Uint8Array | undefined,
): Parameters<typeof aroundOf>[2] {
  return {
    method: 'cryptosign',
    details: {
      authid: authid ?? null,
      authrole: join?.authrole ?? null,
      pubkey: publicKey === undefined ? null : encodeHex(publicKey),
    },
  }
}

interface Channel {
  readonly type: string
  readonly id: Uint8Array
}

/** The channel that the client asks to be bound to, if this connection has such a one; else the challenge says none. */
function channelOf({ join }: HelloCredential): Channel | undefined {
  const type = join?.authextra['channel_binding']
  if (type !== 'tls-exporter' && type !== 'tls-unique') return undefined
  const id = decodeHex(join?.channels[type], 32)
  return id === undefined ? undefined : { type, id }
}

/** Router authentication: the client's own challenge, signed in the form in which clients sign. */
function* routerProof(
  { join }: HelloCredential,
  router: Signer & { readonly publicKey: string },
  channel: Channel | undefined,
): Talk<Readonly<Record<string, unknown>>> {
  const asked = decodeHex(join?.authextra['challenge'], 32)
  if (asked === undefined) return {}
  const message = channel === undefined ? asked : xor(asked, channel.id)
  const signature = yield* sign(router, message)
  return { pubkey: router.publicKey, signature: encodeHex(signature) + encodeHex(message) }
}
