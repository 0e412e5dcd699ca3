/** Tokens of the target's own issuer that are not for this socket: signed as they should be, and to be refused all the same. */
import { verify, type KeyObject } from 'node:crypto'
import { isJsonObject, type JsonObject } from 'countersign/wire'
import type { Scene } from './check.ts'
import { remark } from './exchange.ts'
import { jsonOf } from './json-of.ts'
import { partsOf } from './jws-forgeries.ts'
import { LoginFailed, type Identity } from './identity.ts'
import type { MisdirectedToken } from './options.ts'
import type { Sight } from './oracle.ts'

/** A token of the configuration, and what it was worth. */
export interface Misdirected extends Sight {
  readonly name: string
  /** It says what a token for this socket says: its acceptance proves nothing. */
  readonly fits: boolean
  /** Why its refusal proves nothing; `undefined` when it does. */
  readonly doubt: string | undefined
}

const maxTokens = 10

/** What is needed beside the scene. */
export interface Measure {
  readonly identity: Identity
  /** A token that is for this socket. */
  readonly good: string
  readonly keys: readonly KeyObject[]
}

/** Shows each of them where the token of `low` goes. @throws BudgetSpent, OutOfScope */
export async function showMisdirected(
  { oracle, options: { misdirected = [] } }: Scene,
  { identity, good, keys }: Measure,
): Promise<readonly Misdirected[]> {
  const show = async (source: MisdirectedToken): Promise<Misdirected> => {
    const token = await tokenOf(identity, source)
    if (token instanceof LoginFailed) return missing(source, token.message)
    const sight = await oracle.look(identity.presentToken(token))
    const fits = saysTheSame(token, good)
    return { name: source.name, fits, doubt: fits ? sameAsGood : doubtOf(token, keys), ...sight }
  }
  return Promise.all(misdirected.slice(0, maxTokens).map(show))
}

/** A token that does not come hides nothing of what else was tried. */
async function tokenOf(identity: Identity, source: MisdirectedToken): Promise<string | LoginFailed> {
  try {
    return await identity.token(source)
  } catch (error) {
    if (error instanceof LoginFailed) return error
    throw error
  }
}

function missing({ name }: MisdirectedToken, why: string): Misdirected {
  return { name, fits: false, doubt: why, view: { kind: 'unreachable', why }, exchange: remark(why) }
}

/** Claims by which a token of one time is not one of another. */
const passing = new Set(['iat', 'nbf', 'exp', 'jti', 'auth_time', 'at_hash', 'c_hash', 'nonce'])

const sameAsGood = 'it says the same as a token that is for this socket'

function saysTheSame(token: string, good: string): boolean {
  const [parts, usual] = [partsOf(token), partsOf(good)]
  if (parts === undefined || usual === undefined) return token === good
  return (
    textOf(claimsOf(parts.payload)) === textOf(claimsOf(usual.payload)) &&
    parts.header['typ'] === usual.header['typ']
  )
}

/** What else a token would be refused for. */
function doubtOf(token: string, keys: readonly KeyObject[]): string | undefined {
  const parts = partsOf(token)
  if (parts === undefined) return 'it is no signed JWT'
  const ends = claimsOf(parts.payload)['exp']
  if (typeof ends === 'number' && ends * 1_000 < Date.now()) return 'it has expired'
  return keys.length > 0 && verdictOf(token, parts.header, keys) === 'wrong'
    ? 'no key of jwks verifies its signature'
    : undefined
}

function claimsOf(payload: string): JsonObject {
  const claims = jsonOf(payload)
  return isJsonObject(claims) ? claims : {}
}

function textOf(claims: JsonObject): string {
  const lasting = Object.entries(claims).filter(([name]) => !passing.has(name))
  return JSON.stringify(lasting.toSorted(([one], [other]) => (one < other ? -1 : 1)))
}

/** How each algorithm of RFC 7518 and RFC 8037 verifies. */
const digests: Readonly<Record<string, string | null>> = {
  RS256: 'sha256',
  RS384: 'sha384',
  RS512: 'sha512',
  ES256: 'sha256',
  ES384: 'sha384',
  ES512: 'sha512',
  EdDSA: null,
  Ed25519: null,
}

/** Whether one of the keys made the signature; `unknown` for an algorithm that is not verified here. */
function verdictOf(
  token: string,
  { alg }: JsonObject,
  keys: readonly KeyObject[],
): 'right' | 'wrong' | 'unknown' {
  const digest = typeof alg === 'string' && Object.hasOwn(digests, alg) ? digests[alg] : undefined
  if (digest === undefined) return 'unknown'
  const at = token.lastIndexOf('.')
  const [input, signature] = [Buffer.from(token.slice(0, at)), Buffer.from(token.slice(at + 1), 'base64url')]
  const isBy = (key: KeyObject): boolean => {
    try {
      return verify(digest, input, { key, dsaEncoding: 'ieee-p1363' }, signature)
    } catch {
      return false
    }
  }
  return keys.some(isBy) ? 'right' : 'wrong'
}
