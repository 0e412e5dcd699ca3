import { generateKeyPair, exportJWK, SignJWT, type CryptoKey } from 'jose'
import { authorization, createGuard, type Guard } from 'countersign'
import { jwt, localJwks, securityEvents } from 'countersign/methods'
import type { LightMyRequestResponse } from 'fastify'
import { beforeAll, describe, expect, test } from 'vitest'
import { connected, loggedIn, openSite, siteOrigin, type TestSite } from './support.ts'

const issuer = 'https://id.example.com'
const client = 'chat-client'
const form = 'application/x-www-form-urlencoded'
const set = 'application/secevent+jwt'
const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout'
const revoked = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked'

let key: CryptoKey
let keys: ReturnType<typeof localJwks>

beforeAll(async () => {
  const pair = await generateKeyPair('EdDSA', { extractable: true })
  key = pair.privateKey
  keys = localJwks({ keys: [{ ...(await exportJWK(pair.publicKey)), alg: 'EdDSA', kid: 'one' }] })
})

interface EventSite extends TestSite {
  readonly door: Guard
  token(typ: string, claims: Readonly<Record<string, unknown>>): Promise<string>
}

/** A site that takes events of the issuer, and a guard that takes its tokens. */
async function openEventSite(): Promise<EventSite> {
  const plain = await openSite()
  const { records, platform, journal, guards } = plain
  const accept = [
    jwt({
      from: authorization('Bearer'),
      issuer,
      audience: 'chat',
      algorithms: ['EdDSA'],
      keys,
      names: 'issuer',
    }),
  ]
  const door = createGuard({ records, platform, journal, accept, audience: 'chat', limits: { jitter: 0 } })
  const events = securityEvents({
    guard: door,
    names: 'issuer',
    issuers: { [issuer]: { audience: client, algorithms: ['EdDSA'], keys } },
  })
  const site = await openSite({ events, records, platform, journal, issuer: guards.D2 })
  let count = 0
  return {
    ...site,
    platform,
    journal,
    door,
    guards,
    clock: plain.clock,
    token(typ, claims) {
      count++
      const now = Math.floor(platform.clock.now() / 1000)
      const common = { iss: issuer, aud: client, iat: now, exp: now + 120, jti: `event-${String(count)}` }
      return new SignJWT({ ...common, ...claims })
        .setProtectedHeader({ alg: 'EdDSA', kid: 'one', typ })
        .sign(key)
    },
  }
}

const logoutOf = (site: EventSite, claims: Readonly<Record<string, unknown>> = {}): Promise<string> =>
  site.token('logout+jwt', { sub: 'user-17', events: { [logoutEvent]: {} }, ...claims })

interface Post {
  readonly type?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly remoteAddress?: string
}

function post(
  site: EventSite,
  url: string,
  payload: string,
  { type = form, headers, remoteAddress = '192.0.2.1' }: Post = {},
): Promise<LightMyRequestResponse> {
  return site.app.inject({
    method: 'POST',
    url,
    payload,
    remoteAddress,
    headers: { host: 'localhost:8000', 'content-type': type, ...headers },
  })
}

const logoutRoute = '/countersign/backchannel-logout'
const eventRoute = '/countersign/events'

describe('the route of back-channel logout', () => {
  test('ends sockets of whom the provider logs out', async () => {
    const site = await openEventSite()
    const access = await site.token('JWT', { aud: 'chat', sub: 'user-17', sid: 's-1' })
    const lease = await connected(site.door, { authorization: `Bearer ${access}`, origin: undefined })
    const answer = await post(site, logoutRoute, `logout_token=${await logoutOf(site, { sid: 's-1' })}`)
    expect([answer.statusCode, answer.body, answer.headers['cache-control']]).toEqual([200, '', 'no-store'])
    expect(answer.headers['set-cookie']).toBeUndefined()
    expect(lease.reason).toBe('logged_out')
  })

  test('answers everything that is wrong alike', async () => {
    const site = await openEventSite()
    const good = await logoutOf(site)
    const wrong = [
      '',
      'logout_token=',
      'logout_token=nonsense',
      `logout_token=${good.slice(0, -2)}`,
      `logout_token=${await logoutOf(site, { aud: 'another' })}`,
      `logout_token=${await logoutOf(site, { iss: 'https://evil.example' })}`,
      `logout_token=${good}&logout_token=${good}`,
    ]
    for (const body of wrong) {
      const answer = await post(site, logoutRoute, body)
      expect([answer.statusCode, answer.json()]).toEqual([400, { error: 'invalid_request' }])
      expect(answer.headers['cache-control']).toBe('no-store')
    }
    expect((await post(site, logoutRoute, `logout_token=${good}`)).statusCode).toBe(200)
  })

  test('takes forms alone, and none that is too long', async () => {
    const site = await openEventSite()
    const token = await logoutOf(site)
    for (const type of ['application/json', set, 'text/plain']) {
      const answer = await post(site, logoutRoute, token, { type })
      expect([answer.statusCode, answer.json()]).toEqual([415, { error: 'unsupported_media_type' }])
    }
    const answer = await post(site, logoutRoute, `logout_token=${token}&pad=${'x'.repeat(40_000)}`)
    expect([answer.statusCode, answer.json()]).toEqual([413, { error: 'too_large' }])
  })

  test('keeps to the site’s rules on hosts and origins', async () => {
    const site = await openEventSite()
    const body = `logout_token=${await logoutOf(site)}`
    const send = async (headers: Readonly<Record<string, string>>): Promise<number> =>
      (await post(site, logoutRoute, body, { headers })).statusCode
    expect(await send({ origin: 'https://evil.example' })).toBe(403)
    expect(await send({ cookie: 'countersign-session=css_x' })).toBe(403)
    expect(await send({ host: 'evil.example' })).toBe(421)
    expect(await send({ origin: siteOrigin })).toBe(200)
  })

  test('ends no session of an account that has the provider’s name for somebody', async () => {
    const site = await openEventSite()
    const alice = await loggedIn(site)
    await post(site, logoutRoute, `logout_token=${await logoutOf(site, { sub: 'alice' })}`)
    expect((await alice.get('/me')).statusCode).toBe(200)
    await site.guards.D2.revoke({ subject: 'alice' })
    expect((await alice.get('/me')).statusCode).toBe(401)
  })

  test('lets one address send so much in a minute, and tells it when to come again', async () => {
    const site = await openEventSite()
    for (let at = 0; at < 600; at++) await post(site, logoutRoute, 'logout_token=nonsense')
    const body = `logout_token=${await logoutOf(site)}`
    const slow = await post(site, logoutRoute, body)
    expect([slow.statusCode, slow.json()]).toEqual([429, { error: 'too_many_attempts' }])
    expect(Number(slow.headers['retry-after'])).toBeGreaterThan(0)
    expect((await post(site, eventRoute, 'x', { type: set })).statusCode).toBe(429)
    expect((await post(site, logoutRoute, body, { remoteAddress: '192.0.2.2' })).statusCode).toBe(200)
    for (let at = 0; at < 600; at++)
      await post(site, eventRoute, 'x', { type: set, remoteAddress: `2001:db8::${at.toString(16)}` })
    const neighbour = { type: set, remoteAddress: '2001:db8::ffff' }
    expect((await post(site, eventRoute, 'x', neighbour)).statusCode).toBe(429)
    site.clock.advance(60_000)
    const later = `logout_token=${await logoutOf(site)}`
    expect((await post(site, logoutRoute, later)).statusCode).toBe(200)
  })
})

describe('the route of security events', () => {
  const sub_id = { format: 'iss_sub', iss: issuer, sub: 'user-17' }
  const eventOf = (site: EventSite, claims: Readonly<Record<string, unknown>> = {}): Promise<string> =>
    site.token('secevent+jwt', { sub_id, exp: undefined, events: { [revoked]: {} }, ...claims })

  test('ends sockets of whom the issuer revokes, and answers 202 each time', async () => {
    const site = await openEventSite()
    const access = await site.token('JWT', { aud: 'chat', sub: 'user-17' })
    const lease = await connected(site.door, { authorization: `Bearer ${access}`, origin: undefined })
    const event = await eventOf(site)
    for (let at = 0; at < 2; at++) {
      const answer = await post(site, eventRoute, event, { type: set })
      expect([answer.statusCode, answer.body]).toEqual([202, ''])
    }
    expect(lease.reason).toBe('revoked')
  })

  test('refuses in the words of RFC 8935', async () => {
    const site = await openEventSite()
    const answer = await post(site, eventRoute, await eventOf(site, { aud: 'another' }), { type: set })
    expect(answer.statusCode).toBe(400)
    expect(answer.headers).toMatchObject({ 'content-language': 'en', 'cache-control': 'no-store' })
    expect(answer.headers['content-type']).toMatch(/^application\/json/)
    expect(answer.json()).toEqual({ err: 'invalid_audience', description: expect.any(String) })
  })

  test('takes security event tokens alone', async () => {
    const site = await openEventSite()
    const event = await eventOf(site)
    for (const type of [form, 'application/json', 'application/jwt'])
      expect((await post(site, eventRoute, event, { type })).statusCode).toBe(415)
  })

  test('journals where a refused token came from, and logs nothing of it', async () => {
    const site = await openEventSite()
    const event = await eventOf(site, { aud: 'another' })
    await post(site, eventRoute, event, { type: set, remoteAddress: '192.0.2.9' })
    expect(site.journal.recent().at(-1)).toMatchObject({
      kind: 'refused',
      detail: 'secevent invalid_audience',
      remoteAddress: '192.0.2.9',
    })
    expect(site.logged()).not.toContain(event.slice(-20))
  })
})

test('a site without issuers has no such routes', async () => {
  const { app } = await openSite()
  for (const url of [logoutRoute, eventRoute]) {
    const answer = await app.inject({
      method: 'POST',
      url,
      headers: { host: 'localhost:8000', 'content-type': form },
      payload: 'logout_token=a',
    })
    expect([404, 415]).toContain(answer.statusCode)
  }
})
