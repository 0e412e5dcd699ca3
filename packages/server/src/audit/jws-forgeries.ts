/** Tokens made from a good one without its key: whoever takes one of them does not verify what he was given (RFC 7515, RFC 8725). */
import { createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { isJsonObject, type JsonObject } from 'countersign/wire'
import { jsonOf } from './json-of.ts'

/** A token that must be refused. */
export interface Forgery {
  readonly name: string
  /** `forged`: says what nobody signed; `respelled`: the same token, written in another way. */
  readonly kind: 'forged' | 'respelled'
  readonly token: string
}

/** A compact JWS, taken apart. */
interface Parts {
  readonly header: JsonObject
  readonly payload: string
  readonly segments: readonly [header: string, payload: string, signature: string]
}

/** An address that nothing listens on: a target that asked there would learn no key. */
const nowhere = 'https://keys.invalid/jwks.json'

const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** Takes a token apart. @returns `undefined` for what is no JWS of three parts with a JSON header */
export function partsOf(token: string): Parts | undefined {
  const [head = '', payload = '', signature = '', ...more] = token.split('.')
  if (signature === '' || more.length > 0) return undefined
  const header = jsonOf(Buffer.from(head, 'base64url').toString('utf8'))
  const text = Buffer.from(payload, 'base64url').toString('utf8')
  if (!isJsonObject(header) || typeof header['alg'] !== 'string' || !isJsonObject(jsonOf(text)))
    return undefined
  return { header, payload: text, segments: [head, payload, signature] }
}

/**
 * Every forgery of a token.
 * @param keys the public keys of its issuer, for the confusion of a public key with a shared one
 */
export function forgeriesOf(token: string, keys: readonly KeyObject[]): readonly Forgery[] {
  const parts = partsOf(token)
  if (parts === undefined) return []
  const forged = [
    ...unsigned(parts),
    ...signedByNobody(parts),
    ...signedByStrangers(parts),
    ...confused(parts, keys),
  ]
  return [
    ...forged.map(([name, text]): Forgery => ({ name, kind: 'forged', token: text })),
    ...respelled(parts).map(([name, text]): Forgery => ({ name, kind: 'respelled', token: text })),
  ].filter((forgery) => forgery.token !== token)
}

type Named = readonly [name: string, token: string]

function unsigned({ header, segments: [head, payload] }: Parts): readonly Named[] {
  const nones = ['none', 'None', 'NONE', 'nOnE'].map((alg): Named => [
    `alg ${alg}`,
    `${encode({ ...header, alg })}.${payload}.`,
  ])
  return [...nones, ['no signature', `${head}.${payload}.`], ['no third part', `${head}.${payload}`]]
}

function signedByNobody({
  header,
  payload: claims,
  segments: [head, payload, signature],
}: Parts): readonly Named[] {
  const flipped = (signature.startsWith('A') ? 'B' : 'A') + signature.slice(1)
  const zeros = Buffer.alloc(64).toString('base64url')
  const more = encode(claims.replace(/\}\s*$/, ',"audit":true}'))
  const twice = encode(claims.replace(/\}\s*$/, `,${claims.trim().slice(1)}`))
  return [
    ['changed signature', `${head}.${payload}.${flipped}`],
    ['changed claims', `${head}.${more}.${signature}`],
    ['claims that stand twice', `${head}.${twice}.${signature}`],
    ['ES256 signature of zeros', `${encode({ ...header, alg: 'ES256' })}.${payload}.${zeros}`],
  ]
}

/** Signed by a key that the scanner made, which the header recommends. */
function signedByStrangers({ header, segments: [, payload] }: Parts): readonly Named[] {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const signed = (name: string, members: JsonObject): Named => {
    const input = `${encode({ ...header, alg: 'ES256', ...members })}.${payload}`
    const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' })
    return [name, `${input}.${signature.toString('base64url')}`]
  }
  const { kty = '', crv = '', x = '', y = '' } = publicKey.export({ format: 'jwk' })
  return [
    signed('key in the header (jwk)', { jwk: { kty, crv, x, y } }),
    signed('address of a key (jku)', { jku: nowhere }),
    signed('address of a certificate (x5u)', { x5u: nowhere }),
    signed('unknown kid', { kid: 'audit-unknown-key' }),
    withSecret('kid that is a path', { ...header, kid: '../../../../../../../../dev/null' }, [payload, '']),
    withSecret('HMAC by an empty key', header, [payload, '']),
  ]
}

/** RFC 8725 §2.1: a verifier that lets the token choose takes its public key for a shared secret. */
function confused({ header, segments: [, payload] }: Parts, keys: readonly KeyObject[]): readonly Named[] {
  return keys.flatMap((key): readonly Named[] => {
    const pem = key.export({ format: 'pem', type: 'spki' }).toString()
    const forms: readonly (readonly [string, string | Buffer])[] = [
      ['PEM', pem],
      ['PEM without its last line break', pem.trimEnd()],
      ['DER', key.export({ format: 'der', type: 'spki' })],
      ['JWK', JSON.stringify(key.export({ format: 'jwk' }))],
    ]
    return forms.map(([form, secret]) =>
      withSecret(`HMAC by the public key (${form})`, header, [payload, secret]),
    )
  })
}

function withSecret(
  name: string,
  header: JsonObject,
  [payload, secret]: readonly [payload: string, secret: string | Buffer],
): Named {
  const input = `${encode({ ...header, alg: 'HS256' })}.${payload}`
  return [name, `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`]
}

/** The signature is right, and is written as RFC 7515 §2 does not write it: such a token has many names. */
function respelled({ segments: [head, payload, signature] }: Parts): readonly Named[] {
  const half = Math.floor(signature.length / 2)
  const spell = (text: string): string => `${head}.${payload}.${text}`
  return [
    ['blank in the signature', spell(`${signature.slice(0, half)} ${signature.slice(half)}`)],
    ['padding behind the signature', spell(signature + '='.repeat((4 - (signature.length % 4)) % 4))],
    ['alphabet of plain base64', spell(signature.replaceAll('-', '+').replaceAll('_', '/'))],
    ['unused bits that are set', spell(withTailBits(signature))],
  ]
}

/** The same bytes with another last character, where it has bits that mean nothing (RFC 4648 §3.5). */
function withTailBits(segment: string): string {
  if (segment.length % 4 === 0 || segment.length % 4 === 1) return segment
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = alphabet.indexOf(segment.slice(-1))
  return segment.slice(0, -1) + (alphabet[last ^ 1] ?? '')
}
