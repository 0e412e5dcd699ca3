import { beforeAll, describe, expect, test } from 'vitest'
import { expectRefusal, knock, wrapped } from '../support/guard.ts'
import { memory } from '../../../packages/countersign/src/index.ts'
import {
  accessToken,
  client,
  connect,
  form,
  issuer,
  issuerOf,
  logoutEvent,
  logoutToken,
  openStand,
  refusedLogout,
  sendLogout,
  type Members,
  type Stand,
} from './event-support.ts'
import { macced, pairOf, segment, type Pair } from './jwt-support.ts'

let pair: Pair

beforeAll(async () => {
  pair = await pairOf('ES256')
})

/** What a logout of `user-17` comes to: the answer's status, and why the socket ended. */
async function fate(
  stand: Stand,
  changes: { readonly header?: Members; readonly claims?: Members },
): Promise<readonly [number, string | undefined]> {
  const lease = await connect(stand, await accessToken(pair, stand, { sid: 's-1' }))
  const answer = await sendLogout(stand, await logoutToken(pair, stand, changes))
  return [answer.status, lease.reason]
}

const untouched = [400, undefined] as const
const loggedOut = [200, 'logged_out'] as const

describe('a logout token', () => {
  test('of a session ends its sockets, and no other of the same subject', async () => {
    const stand = openStand(pair)
    const one = await connect(stand, await accessToken(pair, stand, { sid: 's-1' }))
    const other = await connect(stand, await accessToken(pair, stand, { sid: 's-2' }))
    const answer = await sendLogout(stand, await logoutToken(pair, stand, { claims: { sid: 's-1' } }))
    expect(answer).toEqual({ status: 200, headers: { 'cache-control': 'no-store' }, body: '' })
    expect([one.reason, other.reason]).toEqual(['logged_out', undefined])
  })

  test('of a session keeps it out for good', async () => {
    const stand = openStand(pair)
    const token = await accessToken(pair, stand, { sid: 's-1' })
    await sendLogout(stand, await logoutToken(pair, stand, { claims: { sid: 's-1', sub: undefined } }))
    stand.clock.advance(10_000)
    expectRefusal(await knock(stand.guard, { authorization: `Bearer ${token}` }), 'invalid_credential')
    const later = await accessToken(pair, stand, { sid: 's-1' })
    expectRefusal(await knock(stand.guard, { authorization: `Bearer ${later}` }), 'invalid_credential')
  })

  test('of a subject ends what is older, and no newer session', async () => {
    const stand = openStand(pair)
    const before = await connect(stand, await accessToken(pair, stand))
    const logout = await logoutToken(pair, stand)
    stand.clock.advance(2_000)
    const after = await connect(stand, await accessToken(pair, stand))
    expect((await sendLogout(stand, logout)).status).toBe(200)
    expect([before.reason, after.reason]).toEqual(['logged_out', undefined])
    stand.clock.advance(2_000)
    await connect(stand, await accessToken(pair, stand))
  })

  test('of a subject ends what began in the very second of the logout', async () => {
    const stand = openStand(pair)
    const logout = await logoutToken(pair, stand)
    stand.clock.advance(400)
    const open = await connect(stand, await accessToken(pair, stand, { iat: stand.seconds() + 0.4 }))
    stand.clock.advance(1_000)
    await sendLogout(stand, logout)
    expect(open.reason).toBe('logged_out')
  })

  test('that tells a fraction of a second ends what is older than that', async () => {
    const stand = openStand(pair)
    const now = stand.seconds()
    const logout = await logoutToken(pair, stand, { claims: { iat: now + 0.4 } })
    const before = await connect(stand, await accessToken(pair, stand, { iat: now + 0.4 }))
    stand.clock.advance(600)
    const after = await connect(stand, await accessToken(pair, stand, { iat: now + 0.5 }))
    await sendLogout(stand, logout)
    expect([before.reason, after.reason]).toEqual(['logged_out', undefined])
  })

  test('of an issuer whose clock is ahead ends what it issued before by that clock', async () => {
    const stand = openStand(pair)
    const ahead = stand.seconds() + 4
    const text = await accessToken(pair, stand, { iat: ahead - 1 })
    const lease = await connect(stand, text)
    const logout = await logoutToken(pair, stand, { claims: { iat: ahead, exp: ahead + 60 } })
    expect((await sendLogout(stand, logout)).status).toBe(200)
    expect(lease.reason).toBe('logged_out')
    expectRefusal(await knock(stand.guard, { authorization: `Bearer ${text}` }), 'invalid_credential')
    await connect(stand, await accessToken(pair, stand, { iat: ahead + 1 }))
  })

  test('with session and subject may end the subject, where tokens name no sessions', async () => {
    const stand = openStand(pair, { issuers: { [issuer]: issuerOf(pair, { logoutEnds: 'subject' }) } })
    const lease = await connect(stand, await accessToken(pair, stand))
    await sendLogout(stand, await logoutToken(pair, stand, { claims: { sid: 's-1' } }))
    expect(lease.reason).toBe('logged_out')
  })

  test('of somebody who is not here succeeds', async () => {
    const stand = openStand(pair)
    expect(
      (await sendLogout(stand, await logoutToken(pair, stand, { claims: { sub: 'nobody' } }))).status,
    ).toBe(200)
  })

  test('is journalled in constant words', async () => {
    const stand = openStand(pair)
    await sendLogout(stand, await logoutToken(pair, stand, { claims: { sid: 'session-of-them' } }))
    await stand.events.receive('logout_token=nonsense', form, '192.0.2.7')
    expect(stand.journal).toMatchObject([
      { kind: 'revoked', detail: 'logout_token' },
      { kind: 'revoked', detail: 'session' },
      {
        kind: 'refused',
        reason: 'invalid_credential',
        detail: 'logout_token invalid_request',
        remoteAddress: '192.0.2.7',
      },
    ])
    expect(JSON.stringify(stand.journal)).not.toMatch(/session-of-them|nonsense/)
  })
})

describe('a logout token ends nothing', () => {
  test.each<[string, Members]>([
    ['for another audience', { aud: 'another' }],
    ['for the audience of access tokens', { aud: 'chat' }],
    ['without an audience', { aud: undefined }],
    ['of an issuer that is not configured', { iss: 'https://evil.example' }],
    ['without an issuer', { iss: undefined }],
    ['with a nonce', { nonce: 'n' }],
    ['with a nonce of null', { nonce: null }],
    ['without events', { events: undefined }],
    ['whose events are a list', { events: [logoutEvent] }],
    ['whose events are a text', { events: logoutEvent }],
    ['whose events are empty', { events: {} }],
    ['whose event is no object', { events: { [logoutEvent]: true } }],
    ['whose event is a list', { events: { [logoutEvent]: [] } }],
    ['whose event is another', { events: { [`${logoutEvent}/`]: {} } }],
    ['with a second event', { events: { [logoutEvent]: {}, 'https://example.com/other': {} } }],
    ['without iat', { iat: undefined }],
    ['whose iat is a text', { iat: '1900000000' }],
    ['without jti', { jti: undefined }],
    ['with an empty jti', { jti: '' }],
    ['without exp', { exp: undefined }],
    ['whose exp is a text', { exp: 'never' }],
    ['of nobody', { sub: undefined }],
    ['of an empty subject', { sub: '' }],
    ['of an empty session', { sid: '' }],
    ['of a session that is a number', { sid: 17 }],
    ['of a subject that is a list', { sub: ['user-17'] }],
    ['of a session whose name is too long', { sid: 's'.repeat(257) }],
  ])('%s', async (_name, claims) => {
    expect(await fate(openStand(pair), { claims })).toEqual(untouched)
  })

  test.each([
    ['older than two minutes', -121, -1],
    ['of the future', 7, 120],
    ['that expired', -60, -6],
    ['that expires before it was issued', 0, -1],
    ['not yet valid', 0, 120, 60],
  ])('%s', async (_name, iat, exp, nbf = undefined as number | undefined) => {
    const stand = openStand(pair)
    const now = stand.seconds()
    const claims = { iat: now + iat, exp: now + exp, ...(nbf === undefined ? {} : { nbf: now + nbf }) }
    expect(await fate(stand, { claims })).toEqual(untouched)
  })

  test.each(['JWT', 'at+jwt', 'secevent+jwt', 'logout', 'logout+jwt;x', undefined, '', 17])(
    'of type %s',
    async (typ) => {
      expect(await fate(openStand(pair), { header: { typ } })).toEqual(untouched)
    },
  )

  test('without a signature', async () => {
    const stand = openStand(pair)
    const lease = await connect(stand, await accessToken(pair, stand))
    const [, payload = ''] = (await logoutToken(pair, stand)).split('.')
    for (const alg of ['none', 'None', 'NONE', '']) {
      const header = segment({ alg, typ: 'logout+jwt', kid: pair.jwk.kid })
      for (const signature of ['', 'AA'])
        expect(await sendLogout(stand, `${header}.${payload}.${signature}`)).toEqual(refusedLogout)
    }
    expect(lease.ended).toBe(false)
  })

  test('that takes the public key for a shared secret', async () => {
    const stand = openStand(pair)
    const [, payload = ''] = (await logoutToken(pair, stand)).split('.')
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString())
    for (const key of [JSON.stringify(pair.jwk), pair.jwk.x ?? '', pair.jwk.y ?? '']) {
      const token = macced({ alg: 'HS256', typ: 'logout+jwt', kid: pair.jwk.kid }, claims, key)
      expect(await sendLogout(stand, token)).toEqual(refusedLogout)
    }
  })

  test('that somebody else signed, by whatever name of a key', async () => {
    const stand = openStand(pair)
    const foreign = await pairOf('ES256')
    for (const kid of [pair.jwk.kid, 'other', undefined]) {
      const token = await logoutToken(foreign, stand, { header: { kid, jwk: foreign.jwk } })
      expect(await sendLogout(stand, token)).toEqual(refusedLogout)
    }
  })

  test('that was changed, cut off, or is huge', async () => {
    const stand = openStand(pair)
    const token = await logoutToken(pair, stand)
    const [header = '', , signature = ''] = token.split('.')
    const other = (await logoutToken(pair, stand, { claims: { sub: 'user-18' } })).split('.')[1] ?? ''
    const huge = await logoutToken(pair, stand, { claims: { filler: 'x'.repeat(14_000) } })
    for (const wrong of [`${header}.${other}.${signature}`, token.slice(0, -1), `${token}.`, huge, '']) {
      expect(await sendLogout(stand, wrong)).toEqual(refusedLogout)
    }
  })
})

describe('a form', () => {
  test.each([
    ['of two tokens', (token: string) => `logout_token=${token}&logout_token=${token}`],
    ['of a token and an empty one', (token: string) => `logout_token=&logout_token=${token}`],
    ['without one', () => 'state=1'],
    ['that is too long', (token: string) => `logout_token=${token}&pad=${'x'.repeat(40_000)}`],
  ])('%s is refused', async (_name, body) => {
    const stand = openStand(pair)
    const lease = await connect(stand, await accessToken(pair, stand))
    expect(await stand.events.receive(body(await logoutToken(pair, stand)), form)).toEqual(refusedLogout)
    expect(lease.ended).toBe(false)
  })

  test.each([undefined, '', 'application/json', 'text/plain', 'multipart/form-data', `${form}x`])(
    'of type %s is not looked at',
    async (type) => {
      const stand = openStand(pair)
      const body = `logout_token=${await logoutToken(pair, stand)}`
      expect(await stand.events.receive(body, type)).toMatchObject({ status: 415, body: '' })
    },
  )

  test('may have a type with parameters, in any case', async () => {
    const stand = openStand(pair)
    const body = `logout_token=${await logoutToken(pair, stand)}`
    const type = 'Application/X-WWW-Form-Urlencoded; charset=UTF-8'
    expect((await stand.events.receive(body, type)).status).toBe(200)
  })
})

describe('the kinds of tokens', () => {
  test('a logout token opens no door, even of an issuer whose kinds are not told apart', async () => {
    const stand = openStand(pair)
    for (const aud of [client, 'chat', [client, 'chat']]) {
      const token = await logoutToken(pair, stand, { claims: { aud } })
      expectRefusal(await knock(stand.guard, { authorization: `Bearer ${token}` }), 'invalid_credential')
    }
  })

  test('a logout token of no type opens no door, even for the right audience', async () => {
    const stand = openStand(pair)
    for (const typ of ['JWT', undefined]) {
      const claims = { aud: 'chat' }
      const token = await logoutToken(pair, stand, { header: { typ }, claims })
      expectRefusal(await knock(stand.guard, { authorization: `Bearer ${token}` }), 'invalid_credential')
      const access = { ...claims, events: ['opening night'] }
      const other = await logoutToken(pair, stand, { header: { typ }, claims: access })
      await connect(stand, other)
    }
  })

  test('an access token logs nobody out, whatever its claims', async () => {
    const stand = openStand(pair)
    const claims = { aud: [client, 'chat'], jti: 'j', events: { [logoutEvent]: {} } }
    for (const typ of [undefined, 'JWT', 'at+jwt'] as const) {
      const token = await accessToken(pair, stand, claims, { typ })
      expect(await sendLogout(stand, token)).toEqual(refusedLogout)
    }
  })

  test.each([undefined, 'JWT', 'jwt'])('%s is taken where it is allowed by name', async (typ) => {
    const issuers = { [issuer]: issuerOf(pair, { dangerouslyAllowUntyped: true }) }
    expect(await fate(openStand(pair, { issuers }), { header: { typ } })).toEqual(loggedOut)
    const refused = await fate(openStand(pair, { issuers }), { header: { typ }, claims: { nonce: 'n' } })
    expect(refused).toEqual(untouched)
    expect(await fate(openStand(pair, { issuers }), { header: { typ: 'at+jwt' } })).toEqual(untouched)
  })

  test('no expiry is taken where it is allowed by name', async () => {
    const issuers = { [issuer]: issuerOf(pair, { dangerouslyAllowWithoutExpiry: true }) }
    expect(await fate(openStand(pair, { issuers }), { claims: { exp: undefined } })).toEqual(loggedOut)
  })
})

describe('a logout token that was used', () => {
  test('is refused, and ends nothing more', async () => {
    const stand = openStand(pair)
    const token = await logoutToken(pair, stand)
    expect((await sendLogout(stand, token)).status).toBe(200)
    const entries = stand.journal.length
    stand.calls.length = 0
    expect(await sendLogout(stand, token)).toEqual(refusedLogout)
    expect(stand.calls).toEqual(['findSpent'])
    expect(stand.journal.slice(entries)).toMatchObject([{ kind: 'refused', detail: 'logout_token replayed' }])
  })

  test('twenty times at once counts once', async () => {
    const stand = openStand(pair, { records: wrapped(memory(), async (_name, call) => call()) })
    const token = await logoutToken(pair, stand)
    const answers = await Promise.all(Array.from({ length: 20 }, () => sendLogout(stand, token)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(19)
  })

  test('with the `jti` of another issuer is another', async () => {
    const other = await pairOf('ES256')
    const second = 'https://second.example.com'
    const issuers = { [issuer]: issuerOf(pair), [second]: issuerOf(other) }
    const stand = openStand(pair, { issuers, names: 'issuer' })
    await sendLogout(stand, await logoutToken(pair, stand, { claims: { jti: 'same' } }))
    const token = await logoutToken(other, stand, { claims: { jti: 'same', iss: second } })
    expect((await sendLogout(stand, token)).status).toBe(200)
  })

  test('may come again when its effect has failed', async () => {
    let broken = true
    const records = wrapped(memory(), (name, call) => {
      if (broken && name === 'putMark') throw new Error('disk full')
      return call()
    })
    const stand = openStand(pair, { records })
    const lease = await connect(stand, await accessToken(pair, stand))
    const token = await logoutToken(pair, stand)
    expect(await sendLogout(stand, token)).toMatchObject({
      status: 503,
      body: '',
      headers: { 'retry-after': '5' },
    })
    expect(stand.journal).toContainEqual(expect.objectContaining({ kind: 'error', detail: 'Error' }))
    broken = false
    expect((await sendLogout(stand, token)).status).toBe(200)
    expect(lease.reason).toBe('logged_out')
  })
})
