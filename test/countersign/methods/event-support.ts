/** Logout tokens and security event tokens of real keys, and a guard whose sockets they end. */
import { SignJWT } from 'jose'
import { authorization } from '../../../packages/countersign/src/index.ts'
import type { Lease } from '../../../packages/countersign/src/core/lease.ts'
import type { Records } from '../../../packages/countersign/src/core/records.ts'
import {
  jwt,
  localJwks,
  securityEvents,
  type EventAnswer,
  type EventIssuer,
  type GrantNames,
  type JwtAlgorithm,
  type SecurityEvents,
  type SecurityEventsOptions,
} from '../../../packages/countersign/src/methods/index.ts'
import { expectAcceptance, knock, openGuard, type Opened } from '../support/guard.ts'
import type { Pair } from './jwt-support.ts'

export const issuer = 'https://id.example.com'
export const client = 'chat-client'
/** Audience of access tokens, which is not that of events. */
export const audience = 'chat'

export const form = 'application/x-www-form-urlencoded'
export const set = 'application/secevent+jwt'

export const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout'
export const caep = 'https://schemas.openid.net/secevent/caep/event-type/'
export const ssf = 'https://schemas.openid.net/secevent/ssf/event-type/'

/** Members of a header or a payload; `undefined` leaves one out. */
export type Members = Readonly<Record<string, unknown>>

/** A guard that takes JWTs, and a receiver that ends what rests on them. */
export interface Stand extends Opened {
  readonly events: SecurityEvents
  /** Time of the guard's clock, as tokens say it. */
  readonly seconds: () => number
}

/** What a stand differs in. */
export interface StandOptions {
  readonly issuers?: Readonly<Record<string, EventIssuer>>
  readonly names?: GrantNames
  readonly events?: Partial<SecurityEventsOptions>
  readonly records?: Records
}

/** An issuer with the keys of a pair. */
export function issuerOf(pair: Pair, more: Partial<EventIssuer> = {}): EventIssuer {
  const algorithms = [pair.alg] as readonly JwtAlgorithm[]
  return { audience: client, algorithms, keys: localJwks({ keys: [pair.jwk] }), ...more }
}

export function openStand(pair: Pair, options: StandOptions = {}): Stand {
  const { issuers = { [issuer]: issuerOf(pair) }, names = 'plain', records } = options
  const keys = Object.fromEntries(Object.entries(issuers).map(([name, one]) => [name, one.keys]))
  const opened = openGuard({
    accept: [
      jwt({
        from: authorization('Bearer'),
        issuer: Object.keys(issuers),
        audience,
        algorithms: [...new Set(Object.values(issuers).flatMap((one) => one.algorithms))],
        keys,
        names,
      }),
    ],
    ...(records === undefined ? {} : { records }),
  })
  const events = securityEvents({ guard: opened.guard, issuers, names, ...options.events })
  return { ...opened, events, seconds: () => Math.floor(opened.clock.now() / 1000) }
}

function present(members: Members): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}

export function signedWith(pair: Pair, header: Members, claims: Members): Promise<string> {
  return new SignJWT(present(claims))
    .setProtectedHeader({ alg: pair.alg, ...present({ kid: pair.jwk.kid, ...header }) })
    .sign(pair.privateKey)
}

let count = 0
/** A `jti` that no other token of the process has. */
export function freshId(): string {
  count++
  return `event-${String(count)}`
}

/** A logout token of `user-17`, good now. */
export function logoutToken(
  pair: Pair,
  stand: Pick<Stand, 'seconds'>,
  changes: { readonly header?: Members; readonly claims?: Members } = {},
): Promise<string> {
  const now = stand.seconds()
  return signedWith(
    pair,
    { typ: 'logout+jwt', ...changes.header },
    {
      iss: issuer,
      aud: client,
      iat: now,
      exp: now + 120,
      jti: freshId(),
      sub: 'user-17',
      events: { [logoutEvent]: {} },
      ...changes.claims,
    },
  )
}

/** A security event token with one event, good now. */
export function eventToken(
  pair: Pair,
  stand: Pick<Stand, 'seconds'>,
  uri: string,
  changes: { readonly header?: Members; readonly claims?: Members; readonly event?: Members } = {},
): Promise<string> {
  return signedWith(
    pair,
    { typ: 'secevent+jwt', ...changes.header },
    {
      iss: issuer,
      aud: client,
      iat: stand.seconds(),
      jti: freshId(),
      sub_id: { format: 'iss_sub', iss: issuer, sub: 'user-17' },
      events: { [uri]: changes.event ?? {} },
      ...changes.claims,
    },
  )
}

/** An access token of `user-17`, good now. */
export function accessToken(
  pair: Pair,
  stand: Pick<Stand, 'seconds'>,
  claims: Members = {},
  header: Members = {},
): Promise<string> {
  const now = stand.seconds()
  return signedWith(pair, header, {
    iss: issuer,
    aud: audience,
    sub: 'user-17',
    iat: now,
    exp: now + 3_600,
    ...claims,
  })
}

/** Connects with an access token. */
export async function connect(stand: Stand, token: string): Promise<Lease> {
  const { lease } = expectAcceptance(
    await knock(stand.guard, { authorization: `Bearer ${token}` }),
    'user-17',
  )
  lease.open()
  return lease
}

export function sendLogout(stand: Pick<Stand, 'events'>, token: string): Promise<EventAnswer> {
  return stand.events.receive(new URLSearchParams({ logout_token: token }).toString(), form)
}

export function sendEvent(stand: Pick<Stand, 'events'>, token: string): Promise<EventAnswer> {
  return stand.events.receive(token, set)
}

/** What a logout token is answered with that is not taken. */
export const refusedLogout: EventAnswer = {
  status: 400,
  headers: { 'cache-control': 'no-store', 'content-type': 'application/json' },
  body: '{"error":"invalid_request"}',
}

/** The word of RFC 8935 in an answer, or its status where it has none. */
export function errOf(answer: EventAnswer): unknown {
  if (answer.status !== 400) return answer.status
  const { err, ...rest } = JSON.parse(answer.body) as Record<string, unknown>
  if (Object.keys(rest).join() !== 'description' || answer.headers['content-language'] !== 'en') {
    throw new Error(`not an answer of RFC 8935: ${answer.body}`)
  }
  return err
}
