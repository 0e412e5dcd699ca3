import { beforeAll, describe, expect, test } from 'vitest'
import { grantOf } from '../../../packages/countersign/src/core/rows.ts'
import { expectRefusal, knock } from '../support/guard.ts'
import {
  accessToken,
  caep,
  client,
  connect,
  errOf,
  eventToken,
  form,
  issuer,
  issuerOf,
  logoutEvent,
  logoutToken,
  openStand,
  sendEvent,
  sendLogout,
  set,
  ssf,
  type Members,
  type Stand,
  type StandOptions,
} from './event-support.ts'
import { pairOf, type Pair } from './jwt-support.ts'

let pair: Pair
const revoked = `${caep}session-revoked`

beforeAll(async () => {
  pair = await pairOf('ES256')
})

/** What an event comes to, for a socket of `user-17` in session `s-1` with token `t-1`, opened two seconds before. */
async function fate(
  uri: string,
  changes: Parameters<typeof eventToken>[3] = {},
  options: StandOptions = {},
): Promise<readonly [unknown, string | undefined]> {
  const stand = openStand(pair, options)
  const lease = await connect(stand, await accessToken(pair, stand, { sid: 's-1', jti: 't-1' }))
  stand.clock.advance(2_000)
  const answer = await sendEvent(stand, await eventToken(pair, stand, uri, changes))
  return [errOf(answer), lease.reason]
}

const ended = [202, 'revoked'] as const
const user = { format: 'iss_sub', iss: issuer, sub: 'user-17' }
const session = { format: 'opaque', id: 's-1' }
const token = { format: 'jwt_id', iss: issuer, jti: 't-1' }

describe('a revoked session', () => {
  test('is answered with 202 and nothing besides', async () => {
    const stand = openStand(pair)
    const answer = await sendEvent(stand, await eventToken(pair, stand, revoked))
    expect(answer).toEqual({ status: 202, headers: { 'cache-control': 'no-store' }, body: '' })
  })

  test.each<[string, Members]>([
    ['by its user', user],
    ['by its identifier', session],
    ['by its token', token],
    ['by its identifier in a complex subject', { format: 'complex', session, user }],
    ['by its user in a complex subject, on whatever device', { format: 'complex', user, device: session }],
    ['by its user, where the session is not named as one', { format: 'complex', session: user, user }],
    ['by an alias', { format: 'aliases', identifiers: [{ format: 'email', email: 'a@b.c' }, user] }],
  ])('%s ends', async (_name, subject) => {
    expect(await fate(revoked, { claims: { sub_id: subject } })).toEqual(ended)
  })

  test('in a complex subject leaves other sessions of the user', async () => {
    const subject = { format: 'complex', session: { format: 'opaque', id: 's-2' }, user }
    expect(await fate(revoked, { claims: { sub_id: subject } })).toEqual([202, undefined])
  })

  test.each<[string, unknown, string]>([
    ['no subject', undefined, 'invalid_request'],
    ['a text', 'user-17', 'invalid_request'],
    ['a list', [user], 'invalid_request'],
    ['no format', { iss: issuer, sub: 'user-17' }, 'invalid_request'],
    ['an empty name', { ...user, sub: '' }, 'invalid_request'],
    ['no name', { format: 'iss_sub', iss: issuer }, 'invalid_request'],
    ['a name that is too long', { ...user, sub: 'u'.repeat(257) }, 'invalid_request'],
    ['no identifier', { format: 'opaque' }, 'invalid_request'],
    ['a token without its own', { format: 'jwt_id', iss: issuer }, 'invalid_request'],
    ['an address that nobody here understands', { format: 'email', email: 'a@b.c' }, 'invalid_request'],
    ['a tenant alone', { format: 'complex', tenant: session }, 'invalid_request'],
    [
      'a complex subject in another',
      { format: 'complex', user: { format: 'complex', user } },
      'invalid_request',
    ],
    [
      'aliases in aliases',
      { format: 'aliases', identifiers: [{ format: 'aliases', identifiers: [user] }] },
      'invalid_request',
    ],
    [
      'too many aliases',
      { format: 'aliases', identifiers: Array.from({ length: 17 }, () => user) },
      'invalid_request',
    ],
    ['a user of another issuer', { ...user, iss: 'https://other.example' }, 'access_denied'],
    ['a token of another issuer', { ...token, iss: 'https://other.example' }, 'access_denied'],
    [
      'a user of another issuer, in a complex subject',
      { format: 'complex', user: { ...user, iss: 'https://other.example' } },
      'access_denied',
    ],
    [
      'a user of another issuer, by an alias',
      { format: 'aliases', identifiers: [{ ...user, iss: 'https://other.example' }] },
      'access_denied',
    ],
  ])('of %s is refused, for it would end nothing', async (_name, subject, err) => {
    expect(await fate(revoked, { claims: { sub_id: subject } })).toEqual([err, undefined])
  })

  test('of another issuer ends where that is configured, under that issuer’s name', async () => {
    const other = 'https://tenant.example.com'
    const stand = openStand(pair, {
      names: 'issuer',
      issuers: { [issuer]: issuerOf(pair, { subjectIssuers: [other] }) },
    })
    const lease = await connect(stand, await accessToken(pair, stand))
    const subject = { ...user, iss: other }
    expect(
      (await sendEvent(stand, await eventToken(pair, stand, revoked, { claims: { sub_id: subject } })))
        .status,
    ).toBe(202)
    expect(lease.ended).toBe(false)
    const grant = grantOf({ subject: `${other} user-17`, roles: [], issuedAtMs: 0 })
    expect(await stand.records.findMark(grant, 'l')).toBeDefined()
  })

  test('by an address ends whom the application knows by it', async () => {
    const events = {
      identifierOf: (_issuer: string, { email }: Members) => (email === 'a@b.c' ? 'user-17' : undefined),
    }
    const byAddress = (email: string): Promise<readonly unknown[]> =>
      fate(revoked, { claims: { sub_id: { format: 'email', email } } }, { events })
    expect(await byAddress('a@b.c')).toEqual(ended)
    expect(await byAddress('x@y.z')).toEqual([202, undefined])
  })

  test('ends what was there when the event took place, and nothing younger', async () => {
    const stand = openStand(pair)
    const before = await connect(stand, await accessToken(pair, stand))
    const at = stand.seconds()
    stand.clock.advance(3_000)
    const after = await connect(stand, await accessToken(pair, stand))
    stand.clock.advance(10_000)
    const event = await eventToken(pair, stand, revoked, { event: { event_timestamp: at } })
    expect((await sendEvent(stand, event)).status).toBe(202)
    expect([before.reason, after.reason]).toEqual(['revoked', undefined])
  })

  test('took place no later than it was told', async () => {
    const stand = openStand(pair)
    const event = await eventToken(pair, stand, revoked, {
      // Milliseconds where seconds are due.
      event: { event_timestamp: stand.clock.now() },
    })
    stand.clock.advance(2_000)
    const after = await connect(stand, await accessToken(pair, stand))
    expect((await sendEvent(stand, event)).status).toBe(202)
    expect(after.reason).toBeUndefined()
  })

  test('tells the journal who was the cause, and no other word', async () => {
    const stand = openStand(pair)
    const reason_admin = { en: 'Seen in two places: C076E82F' }
    for (const initiating_entity of ['policy', 'mallory', undefined]) {
      const event = { reason_admin, reason_user: reason_admin, initiating_entity }
      await sendEvent(stand, await eventToken(pair, stand, revoked, { event }))
    }
    const details = stand.journal.map(({ detail }) => detail)
    expect(details).toEqual([
      'session-revoked by policy',
      'subject',
      'session-revoked',
      'subject',
      'session-revoked',
      'subject',
    ])
  })
})

describe('changed claims', () => {
  const changed = `${caep}token-claims-change`

  test('end what rests on the token, which no longer opens anything', async () => {
    const stand = openStand(pair)
    const text = await accessToken(pair, stand, { jti: 't-1' })
    const lease = await connect(stand, text)
    const event = { claims: { role: 'ro-admin' } }
    await sendEvent(stand, await eventToken(pair, stand, changed, { event, claims: { sub_id: token } }))
    expect(lease.reason).toBe('revoked')
    expectRefusal(await knock(stand.guard, { authorization: `Bearer ${text}` }), 'invalid_credential')
  })

  test('of a user end what is older', async () => {
    expect(await fate(changed, { event: { claims: {} } })).toEqual(ended)
  })

  test('are refused without claims', async () => {
    expect(await fate(changed)).toEqual(['invalid_request', undefined])
    expect(await fate(changed, { event: { claims: ['role'] } })).toEqual(['invalid_request', undefined])
  })
})

describe('a changed credential', () => {
  const changed = `${caep}credential-change`
  const change = (credential_type: unknown, change_type: unknown): ReturnType<typeof fate> =>
    fate(changed, { event: { credential_type, change_type } })

  test.each([
    ['password', 'update'],
    ['password', 'revoke'],
    ['pin', 'update'],
    ['fido2-roaming', 'delete'],
    ['x509', 'revoke'],
  ])('%s, %s, ends the user’s sessions', async (type, how) => {
    expect(await change(type, how)).toEqual(ended)
  })

  test.each([
    ['password', 'create'],
    ['fido2-roaming', 'create'],
    ['fido2-roaming', 'update'],
    ['x509', 'update'],
  ])('%s, %s, ends nothing', async (type, how) => {
    expect(await change(type, how)).toEqual([202, undefined])
  })

  test.each([
    ['password', undefined],
    [undefined, 'revoke'],
    ['password', 'stolen'],
    [1, 'revoke'],
  ])('%s, %s, is refused', async (type, how) => {
    expect(await change(type, how)).toEqual(['invalid_request', undefined])
  })
})

describe('an opaque subject of an event about a user', () => {
  const changed = `${caep}credential-change`
  const event = { credential_type: 'password', change_type: 'update' }
  const events = {
    identifierOf: (_issuer: string, { id }: Members) => (id === 'u-1' ? 'user-17' : undefined),
  }
  const of = (sub_id: unknown, options: StandOptions = {}): ReturnType<typeof fate> =>
    fate(changed, { event, claims: { sub_id } }, options)

  test('is whom the application knows by it, and no session', async () => {
    expect(await of({ format: 'opaque', id: 'u-1' }, { events })).toEqual(ended)
    expect(await of({ format: 'opaque', id: 's-1' }, { events })).toEqual([202, undefined])
  })

  test.each<[string, unknown, StandOptions]>([
    ['where the application knows none', { format: 'opaque', id: 's-1' }, {}],
    ['without an identifier', { format: 'opaque' }, { events }],
    ['in a complex one that names a session alone', { format: 'complex', session }, { events }],
    ['in a complex one whose user is a text', { format: 'complex', user: 'u-1' }, { events }],
    ['of a format that is no text', { format: 1, id: 'u-1' }, { events }],
    ['of a format without a name', { format: '', id: 'u-1' }, { events }],
    ['among aliases that are none', { format: 'aliases', identifiers: ['u-1'] }, { events }],
    ['among no aliases', { format: 'aliases', identifiers: [] }, { events }],
  ])('is refused %s', async (_name, subject, options) => {
    expect(await of(subject, options)).toEqual(['invalid_request', undefined])
  })
})

describe('the stream', () => {
  const stream = { sub_id: { format: 'opaque', id: 'stream-1' } }

  test.each([{ state: 'expected' }, {}])('is verified with %j', async (event) => {
    expect(await fate(`${ssf}verification`, { event, claims: stream })).toEqual([202, undefined])
  })

  test('is verified by the state that was asked for', async () => {
    const asked: unknown[] = []
    const events = {
      isExpectedState: (...what: readonly unknown[]) => {
        asked.push(what)
        return what[2] === 'expected'
      },
    }
    const verify = (state: string): ReturnType<typeof fate> =>
      fate(`${ssf}verification`, { event: { state }, claims: stream }, { events })
    expect(await verify('expected')).toEqual([202, undefined])
    expect(await verify('another')).toEqual(['invalid_state', undefined])
    expect(asked).toEqual([
      [issuer, 'stream-1', 'expected'],
      [issuer, 'stream-1', 'another'],
    ])
  })

  test('that pauses or ends is journalled and told', async () => {
    const told: unknown[] = []
    const stand = openStand(pair, { events: { onStream: (...what) => void told.push(what) } })
    for (const status of ['paused', 'disabled', 'enabled']) {
      const event = { status, reason: 'maintenance until C076E82F' }
      const text = await eventToken(pair, stand, `${ssf}stream-updated`, { event, claims: stream })
      expect((await sendEvent(stand, text)).status).toBe(202)
    }
    expect(told).toEqual(['paused', 'disabled', 'enabled'].map((status) => [issuer, 'stream-1', status]))
    expect(stand.journal.map(({ kind, detail }) => [kind, detail])).toEqual([
      ['error', 'event stream paused'],
      ['error', 'event stream disabled'],
    ])
  })

  test.each<[string, string, Members]>([
    ['a state that is no text', 'verification', { event: { state: 1 }, claims: stream }],
    ['a user for a stream', 'verification', { claims: { sub_id: user } }],
    ['a stream without an identifier', 'verification', { claims: { sub_id: { format: 'opaque' } } }],
    ['no stream', 'stream-updated', { event: { status: 'paused' }, claims: { sub_id: undefined } }],
    ['no status', 'stream-updated', { claims: stream }],
    ['a status that is none', 'stream-updated', { event: { status: 'slow' }, claims: stream }],
  ])('is refused %s', async (_name, what, changes) => {
    expect(await fate(`${ssf}${what}`, changes)).toEqual(['invalid_request', undefined])
  })
})

describe('a security event token', () => {
  test.each<[string, Members, string]>([
    ['for another audience', { aud: 'another' }, 'invalid_audience'],
    ['for nobody', { aud: undefined }, 'invalid_audience'],
    ['of an unknown issuer', { iss: 'https://evil.example' }, 'invalid_issuer'],
    ['with a sub beside its subject', { sub: 'user-17' }, 'invalid_request'],
    ['without jti', { jti: undefined }, 'invalid_request'],
    ['without iat', { iat: undefined }, 'invalid_request'],
    ['without events', { events: undefined }, 'invalid_request'],
    ['whose events are a list', { events: [revoked] }, 'invalid_request'],
    ['whose event is no object', { events: { [revoked]: 'now' } }, 'invalid_request'],
    [
      'of many events',
      { events: Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`e${at}`, {}])) },
      'invalid_request',
    ],
    ['whose event has no time', { events: { [revoked]: { event_timestamp: 'now' } } }, 'invalid_request'],
    ['that has expired', { exp: 1 }, 'invalid_request'],
    ['that is stale', { iat: 1 }, 'invalid_request'],
    ['of the future', { iat: 8e12 }, 'invalid_request'],
  ])('%s is refused', async (_name, claims, err) => {
    expect(await fate(revoked, { claims })).toEqual([err, undefined])
  })

  test.each([undefined, 'JWT', 'logout+jwt', 'at+jwt'])('of type %s is refused', async (typ) => {
    const issuers = { [issuer]: issuerOf(pair, { dangerouslyAllowUntyped: true }) }
    expect(await fate(revoked, { header: { typ } }, { issuers })).toEqual(['invalid_request', undefined])
  })

  test('of another’s key is refused before anything of it is told', async () => {
    const foreign = await pairOf('ES256')
    const stand = openStand(pair)
    const lease = await connect(stand, await accessToken(pair, stand))
    for (const claims of [{}, { aud: 'another' }, { iat: 1 }, { events: {} }]) {
      expect(errOf(await sendEvent(stand, await eventToken(foreign, stand, revoked, { claims })))).toBe(
        'invalid_key',
      )
    }
    expect(lease.ended).toBe(false)
  })

  test('of an event that is not known is acknowledged', async () => {
    expect(await fate(`${caep}device-compliance-change`)).toEqual([202, undefined])
    expect(await fate(logoutEvent)).toEqual([202, undefined])
  })

  test('of several names of an event ends once and for all of them', async () => {
    const events = { [revoked]: {}, 'https://example.com/session-revoked': {} }
    expect(await fate(revoked, { claims: { events } })).toEqual(ended)
  })

  test('is answered as at first when it comes again, and changes nothing', async () => {
    const stand = openStand(pair)
    const text = await eventToken(pair, stand, revoked)
    const first = await sendEvent(stand, text)
    stand.calls.length = 0
    expect(await sendEvent(stand, text)).toEqual(first)
    expect(stand.calls).toEqual(['findSpent'])
  })

  test('is taken for as long as is configured', async () => {
    const late = async (stand: Stand): Promise<unknown> => {
      const text = await eventToken(pair, stand, revoked)
      stand.clock.advance(3_600_000)
      return errOf(await sendEvent(stand, text))
    }
    expect(await late(openStand(pair))).toBe('invalid_request')
    const issuers = { [issuer]: issuerOf(pair, { maxAgeMs: 86_400_000 }) }
    expect(await late(openStand(pair, { issuers }))).toBe(202)
  })

  test.each([undefined, 'application/jwt', 'application/json', 'text/plain'])(
    'sent as %s is not looked at',
    async (type) => {
      const stand = openStand(pair)
      const answer = await stand.events.receive(await eventToken(pair, stand, revoked), type)
      expect(answer.status).toBe(415)
    },
  )

  test('opens no door, and is no logout token, nor that one of these', async () => {
    const stand = openStand(pair)
    const claims = { aud: [client, 'chat'], exp: stand.seconds() + 60 }
    const text = await eventToken(pair, stand, logoutEvent, { claims })
    expect((await sendLogout(stand, text)).status).toBe(400)
    expectRefusal(await knock(stand.guard, { authorization: `Bearer ${text}` }), 'invalid_credential')
    const logout = await logoutToken(pair, stand, { claims: { sub: undefined, sid: 's-1' } })
    expect(errOf(await stand.events.receive(logout, set))).toBe('invalid_request')
    expect((await stand.events.receive(text, form)).status).toBe(400)
  })
})
