import { beforeAll, describe, expect, test } from 'vitest'
import { grantOf } from '../../../packages/countersign/src/core/rows.ts'
import { MisuseError } from '../../../packages/countersign/src/core/errors.ts'
import {
  hmacSecret,
  localJwks,
  securityEvents,
  type EventIssuer,
} from '../../../packages/countersign/src/methods/index.ts'
import {
  accessToken,
  caep,
  client,
  connect,
  eventToken,
  issuer,
  issuerOf,
  logoutEvent,
  logoutToken,
  openStand,
  refusedLogout,
  sendEvent,
  sendLogout,
  signedWith,
  type Members,
  type Stand,
} from './event-support.ts'
import { macced, pairOf, type Pair } from './jwt-support.ts'

let pair: Pair

beforeAll(async () => {
  pair = await pairOf('ES256')
})

describe('two issuers that know one name', () => {
  const second = 'https://second.example.com'
  let other: Pair

  beforeAll(async () => {
    other = await pairOf('ES256')
  })

  function both(): Stand {
    return openStand(pair, {
      issuers: { [issuer]: issuerOf(pair), [second]: issuerOf(other) },
      names: 'issuer',
    })
  }

  test.each<[string, Members]>([
    ['subject', {}],
    ['session', { sid: 's-1' }],
  ])('end their own %s alone', async (_kind, claims) => {
    const stand = both()
    const mine = await connect(stand, await accessToken(pair, stand, { sid: 's-1' }))
    const theirs = await connect(stand, await accessToken(other, stand, { iss: second, sid: 's-1' }))
    await sendLogout(stand, await logoutToken(other, stand, { claims: { iss: second, ...claims } }))
    expect([mine.reason, theirs.reason]).toEqual([undefined, 'logged_out'])
  })

  test('do not end what the application calls by it', async () => {
    const stand = both()
    await sendLogout(stand, await logoutToken(pair, stand))
    const own = { ...plainGrant, subject: 'user-17' }
    expect(await stand.records.findMark(own, 'l')).toBeUndefined()
    expect(await stand.records.findMark({ ...own, subject: `${issuer} user-17` }, 'l')).toBeDefined()
  })

  test('cannot sign for each other', async () => {
    const stand = both()
    expect(await sendLogout(stand, await logoutToken(other, stand))).toEqual(refusedLogout)
  })

  test('need names that differ', () => {
    const { guard } = both()
    const issuers: Readonly<Record<string, EventIssuer>> = {
      [issuer]: issuerOf(pair),
      [second]: issuerOf(other),
    }
    expect(() => securityEvents({ guard, issuers })).toThrow('several issuers')
    expect(() => securityEvents({ guard, issuers, subjectOf: () => 'x' })).toThrow('several issuers')
    expect(() => securityEvents({ guard, issuers, subjectOf: () => 'x', sessionOf: () => 'y' })).not.toThrow()
  })
})

const plainGrant = grantOf({ subject: '', roles: [], issuedAtMs: 0 })

describe('names of the application', () => {
  test('stand for those of the issuer', async () => {
    const asked: unknown[] = []
    const stand = openStand(pair, {
      events: {
        subjectOf: async (...who) => {
          asked.push(who)
          return Promise.resolve(['local-1', 'local-2'])
        },
        sessionOf: (...what) => {
          asked.push(what)
          return undefined
        },
      },
    })
    await sendLogout(stand, await logoutToken(pair, stand))
    for (const subject of ['local-1', 'local-2'])
      expect(await stand.records.findMark({ ...plainGrant, subject }, 'l')).toMatchObject({ value: subject })
    expect((await sendLogout(stand, await logoutToken(pair, stand, { claims: { sid: 's-9' } }))).status).toBe(
      200,
    )
    expect(asked).toEqual([
      [issuer, 'user-17'],
      [issuer, 's-9'],
    ])
  })

  test('are asked for only once a token is believed', async () => {
    const stand = openStand(pair, {
      events: {
        subjectOf: () => {
          throw new Error('asked')
        },
      },
    })
    const foreign = await pairOf('ES256')
    expect(await sendLogout(stand, await logoutToken(foreign, stand))).toEqual(refusedLogout)
    expect((await sendLogout(stand, await logoutToken(pair, stand))).status).toBe(503)
  })
})

describe('a receiver', () => {
  test.each<[string, Partial<Parameters<typeof securityEvents>[0]>]>([
    ['no issuer', { issuers: {} }],
    ['a clock that is off by an hour', { clockToleranceMs: 3_600_000 }],
  ])('is not built with %s', (_name, options) => {
    const { guard } = openStand(pair)
    const issuers = { [issuer]: issuerOf(pair) }
    expect(() => securityEvents({ guard, issuers, ...options })).toThrow(MisuseError)
  })

  test.each<[string, Partial<EventIssuer>]>([
    ['no audience', { audience: [] }],
    ['a window of no length', { maxAgeMs: 0 }],
    ['a window of a year', { maxAgeMs: 31_536_000_000 }],
    ['no algorithm', { algorithms: [] }],
    ['an algorithm without keys of its kind', { algorithms: ['ES256', 'HS256'] }],
  ])('is not built with an issuer of %s', (_name, more) => {
    const { guard } = openStand(pair)
    expect(() => securityEvents({ guard, issuers: { [issuer]: issuerOf(pair, more) } })).toThrow(MisuseError)
  })

  test('is not built with a named issuer that has a blank in its name', () => {
    const { guard } = openStand(pair)
    const issuers = { 'an issuer': issuerOf(pair) }
    expect(() => securityEvents({ guard, issuers, names: 'issuer' })).toThrow(MisuseError)
  })

  test('takes HS256 of a client secret, where that is configured', async () => {
    const secret = new Uint8Array(32).fill(7)
    const { guard, seconds } = openStand(pair)
    const keys = hmacSecret(secret)
    const events = securityEvents({
      guard,
      issuers: { [issuer]: { audience: client, algorithms: ['HS256'], keys } },
    })
    const claims = {
      iss: issuer,
      aud: client,
      iat: seconds(),
      exp: seconds() + 60,
      jti: 'j',
      sub: 'user-17',
      events: { [logoutEvent]: {} },
    }
    const good = macced({ alg: 'HS256', typ: 'logout+jwt' }, claims, secret)
    const bad = macced({ alg: 'HS256', typ: 'logout+jwt' }, claims, 'guess')
    expect(await sendLogout({ events }, bad)).toEqual(refusedLogout)
    expect((await sendLogout({ events }, good)).status).toBe(200)
    // A token of the pair's, whose public key nobody configured here.
    expect(await sendLogout({ events }, await signedWith(pair, { typ: 'logout+jwt' }, claims))).toEqual(
      refusedLogout,
    )
  })

  test('does not do for hundreds of names what it could not finish', async () => {
    const names = (count: number): string[] => Array.from({ length: count }, (_, at) => `local-${String(at)}`)
    const few = openStand(pair, { events: { subjectOf: () => names(256) } })
    expect((await sendLogout(few, await logoutToken(pair, few))).status).toBe(200)
    const many = openStand(pair, { events: { subjectOf: () => names(257) } })
    expect((await sendLogout(many, await logoutToken(pair, many))).status).toBe(503)
    expect(many.calls).not.toContain('putMark')
    expect(many.calls).not.toContain('putSpent')
  })

  test('asks who pushes an event to come again as well', async () => {
    const stand = openStand(pair, {
      events: { subjectOf: () => Promise.reject(new Error('database is away')) },
    })
    const answer = await sendEvent(stand, await eventToken(pair, stand, `${caep}session-revoked`))
    expect(answer).toEqual({
      status: 503,
      headers: { 'cache-control': 'no-store', 'retry-after': '5' },
      body: '',
    })
  })

  test('answers what it can neither refuse nor do with a wish to come again', async () => {
    const { guard, seconds, journal } = openStand(pair)
    const keys = { ...localJwks({ keys: [pair.jwk] }), find: () => Promise.reject(new Error('no route')) }
    const events = securityEvents({ guard, issuers: { [issuer]: issuerOf(pair, { keys }) } })
    expect((await sendLogout({ events }, await logoutToken(pair, { seconds }))).status).toBe(503)
    expect(journal).toContainEqual(expect.objectContaining({ kind: 'error', detail: 'Error' }))
  })
})
