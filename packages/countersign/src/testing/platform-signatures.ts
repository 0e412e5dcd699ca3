/** What every platform promises of signature checks. */
import type { webcrypto } from 'node:crypto'
import type { Platform, PublicKey } from '../core/ports.ts'
import { decodeBase64url } from '../wire/base64.ts'
import { expectEqual, expectFailure } from './suite.ts'

type Verifier = Pick<Platform, 'verify'>
type KeyAlgorithm = webcrypto.RsaHashedKeyGenParams | webcrypto.EcKeyGenParams | webcrypto.Algorithm
type SignAlgorithm = webcrypto.RsaPssParams | webcrypto.EcdsaParams | webcrypto.Algorithm
type PublishedRow = readonly [
  algorithm: webcrypto.EcKeyImportParams | webcrypto.Algorithm,
  jwk: webcrypto.JsonWebKey,
  text: string,
  signature: string,
]

/** Public key, text, signature: RFC 8032 §7.1 (test 2) and RFC 7515 appendix A.3. */
const published: readonly PublishedRow[] = [
  [
    { name: 'Ed25519' },
    { kty: 'OKP', crv: 'Ed25519', x: 'PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw' },
    'r',
    'kqAJqfDUyrhyDoILX2QlQKKye1QWUD-Ps3YiI-vbadoIWsHkPhWZbkWPNhPQ8R2MOHsurrQwKu6wDSkWErsMAA',
  ],
  [
    { name: 'ECDSA', namedCurve: 'P-256' },
    {
      kty: 'EC',
      crv: 'P-256',
      x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
      y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
    },
    'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ',
    'DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q',
  ],
]

/** A key pair of one scheme, and how Web Crypto signs with it. */
interface Signing {
  readonly what: string
  readonly publicKey: PublicKey
  readonly privateKey: webcrypto.CryptoKey
  readonly how: SignAlgorithm
}

const modulus = { modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1) }
/** Digest and length of the salt that goes with it. */
const digests = [
  ['SHA-256', 32],
  ['SHA-384', 48],
  ['SHA-512', 64],
] as const
/** Curve and digest. */
const curves = [
  ['P-256', 'SHA-256'],
  ['P-384', 'SHA-384'],
  ['P-521', 'SHA-512'],
] as const

async function pairOf(what: string, how: SignAlgorithm, algorithm: KeyAlgorithm): Promise<Signing> {
  const made = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  if (!('publicKey' in made)) throw new Error(`${what}: no pair`)
  return { what, how, publicKey: made.publicKey, privateKey: made.privateKey }
}

function ed25519Pair(): Promise<Signing> {
  return pairOf('Ed25519', { name: 'Ed25519' }, { name: 'Ed25519' })
}

function rsaPair(name: string, [hash, saltLength]: (typeof digests)[number]): Promise<Signing> {
  return pairOf(`${name} ${hash}`, { name, saltLength }, { name, hash, ...modulus })
}

/** One pair of each scheme of the contract. */
function allPairs(): Promise<readonly Signing[]> {
  return Promise.all([
    ed25519Pair(),
    ...curves.map(([namedCurve, hash]) =>
      pairOf(namedCurve, { name: 'ECDSA', hash }, { name: 'ECDSA', namedCurve }),
    ),
    ...['RSASSA-PKCS1-v1_5', 'RSA-PSS'].flatMap((name) => digests.map((digest) => rsaPair(name, digest))),
  ])
}

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)

async function sign({ how, privateKey }: Signing, text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.sign(how, privateKey, bytesOf(text)))
}

/** Signatures that differ from a right one in a bit, in their length, or altogether. */
function spoilt(signature: Uint8Array): readonly Uint8Array[] {
  const flipped = [0, signature.length >> 1, signature.length - 1].map((at) =>
    signature.map((byte, index) => (index === at ? byte ^ 1 : byte)),
  )
  return [
    ...flipped,
    signature.subarray(1),
    signature.subarray(0, -1),
    Uint8Array.of(...signature, 0),
    Uint8Array.of(0, ...signature),
    new Uint8Array(signature.length),
    new Uint8Array(signature.length).fill(255),
    new Uint8Array(0),
  ]
}

/** Cases of `platformSuite`. */
export const signatureCases: Readonly<Record<string, (platform: Verifier) => Promise<void>>> = {
  async 'finds published signatures right, and those of another text wrong'(platform) {
    for (const [algorithm, jwk, text, signature] of published) {
      const key = await crypto.subtle.importKey('jwk', jwk, algorithm, true, ['verify'])
      const bytes = decodeBase64url(signature, 1024) ?? new Uint8Array()
      expectEqual(await platform.verify(key, text, bytes), true, algorithm.name)
      expectEqual(await platform.verify(key, `${text} `, bytes), false, `${algorithm.name} of another text`)
    }
  },
  async 'checks signatures of every scheme, and refuses spoilt ones without throwing'(platform) {
    const text = 'ein Schlüssel'
    for (const pair of await allPairs()) {
      const right = await sign(pair, text)
      expectEqual(await platform.verify(pair.publicKey, text, right), true, pair.what)
      expectEqual(await platform.verify(pair.publicKey, text, right), true, `${pair.what}, asked again`)
      expectEqual(await platform.verify(pair.publicKey, '', right), false, `${pair.what}, another text`)
      for (const [index, wrong] of spoilt(right).entries()) {
        const found = await platform.verify(pair.publicKey, text, wrong)
        expectEqual(found, false, `${pair.what}, spoilt signature ${String(index)}`)
      }
    }
  },
  async 'keeps keys of one scheme apart, and schemes of one key'(platform) {
    const [one, other] = await Promise.all([ed25519Pair(), ed25519Pair()])
    expectEqual(await platform.verify(other.publicKey, 'x', await sign(one, 'x')), false, 'another key')
    const rsa = await rsaPair('RSA-PSS', ['SHA-256', 32])
    const jwk = await crypto.subtle.exportKey('jwk', rsa.publicKey)
    const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
    const { n = '', e = '' } = jwk
    const same = await crypto.subtle.importKey('jwk', { kty: 'RSA', n, e }, algorithm, true, ['verify'])
    expectEqual(await platform.verify(same, 'x', await sign(rsa, 'x')), false, 'another scheme')
  },
  async 'throws for keys that cannot verify'(platform) {
    const { privateKey } = await ed25519Pair()
    const hmac = { name: 'HMAC', hash: 'SHA-256' }
    const secret = await crypto.subtle.importKey('raw', new Uint8Array(32), hmac, true, ['verify'])
    for (const key of [privateKey, secret]) {
      await expectFailure(() => platform.verify(key, 'text', new Uint8Array(64)), `a ${key.type} key`)
    }
  },
}
