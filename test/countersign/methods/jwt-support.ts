/** Signed tokens, and conversations with the JWT method over a small table of answers. */
import { createHash, createHmac } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose'
import { drive, isThenable, type Turn } from '../../../packages/countersign/src/core/drive.ts'
import type { Method, Shown } from '../../../packages/countersign/src/core/method.ts'
import type { Answers, Platform } from '../../../packages/countersign/src/core/ports.ts'
import type { Hash } from '../../../packages/countersign/src/core/records.ts'
import type { Accept, Verdict } from '../../../packages/countersign/src/core/verdict.ts'
import { authorization } from '../../../packages/countersign/src/carriers/authorization.ts'
import { nodePlatform } from '../../../packages/countersign/src/platform/node.ts'
import {
  jwt,
  localJwks,
  type JwtAlgorithm,
  type JwtOptions,
} from '../../../packages/countersign/src/methods/jwt.ts'

/** The time of every test, ms. */
export const now = 1_900_000_000_000
/** The same, as tokens say it. */
export const seconds: number = now / 1000
export const issuer = 'https://id.example.com'
export const audience = 'chat'

/** A key pair: the private half signs, the public half is published. */
export interface Pair {
  readonly privateKey: CryptoKey
  readonly alg: string
  readonly jwk: JWK
}

/** A fresh pair whose JWK states its `alg`, `kid` and `use`. */
export async function pairOf(alg: string, kid: string | undefined = 'one'): Promise<Pair> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  const jwk = await exportJWK(publicKey)
  return { privateKey, alg, jwk: { ...jwk, alg, use: 'sig', ...(kid === undefined ? {} : { kid }) } }
}

/** Claims of a token that is accepted. */
export const goodClaims: Readonly<Record<string, unknown>> = {
  iss: issuer,
  aud: audience,
  sub: 'user-17',
  iat: seconds - 10,
  exp: seconds + 600,
}

/** What a token shall differ in. `undefined` leaves a member out. */
export interface Changes {
  readonly header?: Readonly<Record<string, unknown>>
  readonly claims?: Readonly<Record<string, unknown>>
}

/** A token signed by `pair`. */
export function signed(pair: Pair, { header = {}, claims = {} }: Changes = {}): Promise<string> {
  return new SignJWT(present({ ...goodClaims, ...claims }))
    .setProtectedHeader({ alg: pair.alg, ...present({ kid: pair.jwk.kid, ...header }) })
    .sign(pair.privateKey)
}

/** Any header and payload, signed with HMAC-SHA-256: what a forger can make with a public text as key. */
export function macced(header: unknown, payload: unknown, key: string | Uint8Array): string {
  const input = `${segment(header)}.${segment(payload)}`
  return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`
}

/** Base64url of JSON, or of a text as it is. */
export function segment(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
}

function present(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}

/** The method with the pair's public key, and whatever else is asked for. */
export function jwtWith(pair: Pair, options: Partial<JwtOptions> = {}): Method {
  const algorithms = [pair.alg] as readonly JwtAlgorithm[]
  return jwt({ ...required, algorithms, keys: localJwks({ keys: [pair.jwk] }), ...options })
}

/** The options that have nothing to do with keys. */
export const required: Pick<JwtOptions, 'from' | 'issuer' | 'audience'> = {
  from: authorization('Bearer'),
  issuer,
  audience,
}

/** How often a question was asked. */
export interface Counts {
  checks: number
}

/** Answers to what the JWT method may ask; anything else fails the test. */
export function answersOf(
  counts: Counts = { checks: 0 },
  platform: Pick<Platform, 'verify'> = nodePlatform(),
): Answers {
  const unasked = (): never => {
    throw new Error('the JWT method does not ask this')
  }
  return {
    takeTicket: unasked,
    askApplication: unasked,
    consult: unasked,
    findSession: unasked,
    touchSession: unasked,
    findApiKey: unasked,
    findAccount: unasked,
    findChallengeSecret: unasked,
    takeChallengeSecret: unasked,
    listSaltings: unasked,
    findScramKey: unasked,
    listScramDerivations: unasked,
    findPublicKey: unasked,
    listPublicKeys: unasked,
    findMark: unasked,
    findSpent: unasked,
    putSpent: unasked,
    attempt: unasked,
    attempted: unasked,
    decoy: unasked,
    derive: unasked,
    sign: unasked,
    verifyEd25519: unasked,
    random: unasked,
    verifyPassword: unasked,
    hash: ({ text }) => createHash('sha256').update(text).digest('base64url') as Hash,
    hmac: ({ key, text }) => createHmac('sha256', key).update(text).digest('base64'),
    findKey: (need) => need.finder.find(need.now),
    verify(need) {
      counts.checks++
      return platform.verify(need.key, need.text, need.signature)
    },
  }
}

/** When a token is shown, and who counts. */
export interface Showing {
  readonly at?: number
  readonly counts?: Counts
}

/** Shows a token and waits for the verdict. */
export async function judge(method: Method, token: string, showing: Showing = {}): Promise<Verdict> {
  return verdictOf(await start(method, token, showing))
}

/** Shows a token whose verdict must be there without waiting. */
export function judgeAtOnce(method: Method, token: string, showing: Showing = {}): Verdict {
  const turn = start(method, token, showing)
  if (isThenable(turn)) throw new Error('the verdict is a promise')
  return verdictOf(turn)
}

/** Shows a token that must be accepted. */
export async function accepted(method: Method, token: string, showing: Showing = {}): Promise<Accept> {
  const verdict = await judge(method, token, showing)
  if (verdict.kind !== 'accept') throw new Error(`refused: ${verdict.reason}`)
  return verdict
}

function start(
  method: Method,
  token: string,
  { at = now, counts }: Showing,
): ReturnType<typeof drive<Verdict>> {
  return drive(method.judge(shown(token, at)), answersOf(counts))
}

function verdictOf(turn: Turn<Verdict>): Verdict {
  if (turn.kind !== 'done') throw new Error('the JWT method does not talk to the peer')
  return turn.value
}

/** What the method is given when a token is shown. */
export function shown(text: string, at: number = now): Shown {
  return {
    credential: { kind: 'token', text, form: 'bare' },
    proof: undefined,
    handshake: {
      target: '/',
      host: 'chat.example.com',
      origin: undefined,
      cookie: undefined,
      authorization: undefined,
      subprotocol: undefined,
      remoteAddress: '192.0.2.1',
      secure: true,
      certificate: undefined,
    },
    audience: 'the guard',
    now: at,
  }
}

/** Refusals as verdicts. */
export const invalid: Verdict = { kind: 'deny', reason: 'invalid_credential', retryAfterMs: undefined }
export const expired: Verdict = { kind: 'deny', reason: 'expired_credential', retryAfterMs: undefined }
