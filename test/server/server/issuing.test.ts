import { createLocalJWKSet, jwtVerify } from 'jose'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { setDisabled, setPassword, setRoles } from '../../../packages/server/src/server/accounts.ts'
import {
  asMachine,
  connect,
  connected,
  loggedIn,
  openSite,
  siteOrigin,
  Visitor,
  type TestSite,
} from './support.ts'

let site: TestSite

beforeEach(async () => {
  site = await openSite()
})

async function keyFor(scopes: readonly string[], ttlMs?: number): Promise<string> {
  const options = { subject: 'machine', name: 'test', roles: ['robot'], scopes }
  const issued = await site.guards.D2.issue.apiKey(ttlMs === undefined ? options : { ...options, ttlMs })
  return issued.key
}

function ask(key: string, url: string, payload: object): ReturnType<typeof asMachine> {
  return asMachine(site.app, key, { method: 'POST', url, payload })
}

describe('POST /countersign/ticket', () => {
  it('issues a ticket that opens its door once, under the lease it promised', async () => {
    const visitor = await loggedIn(site)
    const answer = await visitor.post('/countersign/ticket', { audience: 'D2' })
    const body = answer.json<{ ticket: string; expires_in: number; lease: string }>()
    expect(body).toEqual({
      ticket: expect.stringMatching(/^cst_[\w-]{43}$/),
      expires_in: 30,
      lease: expect.any(String),
    })
    const lease = await connected(site.guards.D2, { target: `/?ticket=${body.ticket}` })
    expect([lease.id, lease.principal.id, lease.principal.roles]).toEqual([body.lease, 'alice', ['user']])
    expect(await connect(site.guards.D2, { target: `/?ticket=${body.ticket}` })).toBe('invalid_credential')
  })

  it('is kept nowhere and tells no referrer', async () => {
    const answer = await (await loggedIn(site)).post('/countersign/ticket', { audience: 'D2' })
    expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' })
  })

  it('issues nothing without audience or for an unknown one', async () => {
    const visitor = await loggedIn(site)
    const answers = [
      await visitor.post('/countersign/ticket'),
      await visitor.post('/countersign/ticket', { audience: '' }),
      await visitor.post('/countersign/ticket', { audience: 'D99' }),
      await visitor.post('/countersign/ticket', { audience: 'D2', more: 1 }),
    ]
    expect(answers.map((answer) => [answer.statusCode, answer.json()])).toEqual([
      [400, { error: 'invalid_request' }],
      [400, { error: 'invalid_request' }],
      [400, { error: 'unknown_audience' }],
      [400, { error: 'invalid_request' }],
    ])
  })

  it('issues nothing to strangers', async () => {
    const stranger = new Visitor(site.app)
    const answer = await stranger.post('/countersign/ticket', { audience: 'D2' })
    expect([answer.statusCode, answer.json()]).toEqual([401, { error: 'missing_credential' }])
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="countersign"')
  })

  it('issues nothing to a foreign page, whatever cookie the browser attaches', async () => {
    const visitor = await loggedIn(site)
    const headers = { origin: 'http://localhost:8030' }
    const answer = await visitor.send({
      method: 'POST',
      url: '/countersign/ticket',
      payload: { audience: 'D2' },
      headers,
    })
    expect([answer.statusCode, answer.json()]).toEqual([403, { error: 'forbidden_origin' }])
    expect(answer.headers['access-control-allow-origin']).toBeUndefined()
  })

  it('issues a frame ticket bound to the page that asks', async () => {
    const visitor = await loggedIn(site)
    const answer = await visitor.post('/countersign/ticket', { audience: 'D2', purpose: 'frame' })
    const { ticket } = answer.json<{ ticket: string }>()
    const row = await site.records.takeTicket(await site.platform.hash(ticket))
    expect(row).toMatchObject({ purpose: 'frame', origin: siteOrigin, audience: 'D2', subject: 'alice' })
  })

  it('lets a session ask for nobody else', async () => {
    const visitor = await loggedIn(site)
    for (const more of [{ subject: 'bob' }, { roles: ['admin'] }, { origin: 'https://app.example' }]) {
      expect((await visitor.post('/countersign/ticket', { audience: 'D2', ...more })).statusCode).toBe(403)
    }
  })

  it('lives no longer than the session: its lease ends with it', async () => {
    const visitor = await loggedIn(site)
    for (let at = 0; at < 19; at++) {
      site.clock.advance(25 * 60_000)
      await visitor.get('/me')
    }
    const { ticket } = (await visitor.post('/countersign/ticket', { audience: 'D2' })).json<{
      ticket: string
    }>()
    const lease = await connected(site.guards.D2, { target: `/?ticket=${ticket}` })
    expect(lease.untilMs - site.platform.clock.now()).toBe(5 * 60_000)
  })
})

describe('an API key', () => {
  it('of scope connect gets tickets for itself', async () => {
    const answer = await ask(await keyFor(['connect']), '/countersign/ticket', { audience: 'D2' })
    const { ticket } = answer.json<{ ticket: string }>()
    const lease = await connected(site.guards.D2, { target: `/?ticket=${ticket}`, origin: undefined })
    expect([lease.principal.id, lease.principal.roles]).toEqual(['machine', ['robot']])
  })

  it('of scope connect gets none for others', async () => {
    const key = await keyFor(['connect'])
    expect((await ask(key, '/countersign/ticket', { audience: 'D2', subject: 'bob' })).statusCode).toBe(403)
  })

  it('of scope issue gets tickets for whom it names, with these roles and no others', async () => {
    const key = await keyFor(['issue'])
    const named = { audience: 'D2', subject: 'user-17' }
    for (const [more, roles] of [
      [{}, []],
      [{ roles: ['member'] }, ['member']],
    ] as const) {
      const { ticket } = (await ask(key, '/countersign/ticket', { ...named, ...more })).json<{
        ticket: string
      }>()
      const lease = await connected(site.guards.D2, { target: `/?ticket=${ticket}` })
      expect([lease.principal.id, lease.principal.roles]).toEqual(['user-17', roles])
    }
  })

  it('of scope issue binds a ticket to the page origin that it names', async () => {
    const key = await keyFor(['issue'])
    const named = { audience: 'D2', subject: 'user-17', purpose: 'frame' }
    expect((await ask(key, '/countersign/ticket', named)).statusCode).toBe(400)
    expect(
      (await ask(key, '/countersign/ticket', { ...named, origin: 'https://a.example/x' })).statusCode,
    ).toBe(400)
    const answer = await ask(key, '/countersign/ticket', { ...named, origin: 'https://a.example' })
    const row = await site.records.takeTicket(
      await site.platform.hash(answer.json<{ ticket: string }>().ticket),
    )
    expect(row?.origin).toBe('https://a.example')
  })

  it('that is wrong, expired, revoked or of another scope gets nothing, and a cookie beside it does not help', async () => {
    const expired = await keyFor(['issue'], 1_000)
    const other = await keyFor(['revoke'])
    const ended = await site.guards.D2.issue.apiKey({ subject: 'machine', name: 'ended', scopes: ['issue'] })
    site.clock.advance(2_000)
    await site.guards.D2.revoke({ apiKey: ended.id })
    const visitor = await loggedIn(site)
    const keys = [expired, ended.key, 'csk_unknown', 'not a token', other]
    const answers = await Promise.all(
      keys.map((key) =>
        visitor.send({
          method: 'POST',
          url: '/countersign/ticket',
          payload: { audience: 'D2' },
          headers: { authorization: `Bearer ${key}` },
        }),
      ),
    )
    expect(answers.map((answer) => answer.statusCode)).toEqual([401, 401, 401, 401, 403])
  })

  it('takes its tickets and their leases with it when it is revoked', async () => {
    const named = await site.guards.D2.issue.apiKey({ subject: 'machine', name: 'n', scopes: ['issue'] })
    const ticketOf = async (): Promise<string> => {
      const answer = await ask(named.key, '/countersign/ticket', { audience: 'D2', subject: 'user-17' })
      return `/?ticket=${answer.json<{ ticket: string }>().ticket}`
    }
    const [shown, kept] = [await ticketOf(), await ticketOf()]
    const lease = await connected(site.guards.D2, { target: shown })
    site.clock.advance(1)
    await site.guards.D2.revoke({ apiKey: named.id })
    expect(lease.reason).toBe('revoked')
    expect(await connect(site.guards.D2, { target: kept })).toBe('invalid_credential')
  })

  it('may not be used by a page of a foreign origin', async () => {
    const headers = { origin: 'http://evil.example' }
    const options = {
      method: 'POST',
      url: '/countersign/ticket',
      payload: { audience: 'D2' },
      headers,
    } as const
    expect((await asMachine(site.app, await keyFor(['issue']), options)).statusCode).toBe(403)
  })
})

describe('POST /countersign/connect', () => {
  it('answers a URL that connects once', async () => {
    const visitor = await loggedIn(site)
    const body = (await visitor.post('/countersign/connect', { audience: 'D2' })).json<{ url: string }>()
    expect(body).toMatchObject({ ok: true, expires_in: 30, lease: expect.any(String) })
    expect(body.url).toMatch(/^ws:\/\/localhost:8002\/\?ticket=cst_/)
    const target = new URL(body.url).search
    await connected(site.guards.D2, { target: `/${target}` })
    expect(await connect(site.guards.D2, { target: `/${target}` })).toBe('invalid_credential')
  })

  it('has an audience of its own when it was given one, and is refused for doors that read no query', async () => {
    const own = await openSite({ connectAudience: 'D2' })
    const visitor = await loggedIn(own)
    expect((await visitor.post('/countersign/connect')).statusCode).toBe(200)
    expect((await visitor.post('/countersign/connect', { audience: 'D1' })).json()).toEqual({
      error: 'unknown_audience',
    })
    expect((await (await loggedIn(site)).post('/countersign/connect')).json()).toEqual({
      error: 'unknown_audience',
    })
  })
})

describe('POST /countersign/preauth', () => {
  it('sets a Strict cookie and keeps it for the second tab, with a CSRF token each', async () => {
    const visitor = await loggedIn(site)
    const first = await visitor.post('/countersign/preauth')
    expect(first.headers['set-cookie']).toMatch(
      /^countersign-preauth=csp_[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/,
    )
    const cookie = visitor.cookie('countersign-preauth')
    const second = await visitor.post('/countersign/preauth')
    expect(visitor.cookie('countersign-preauth')).toBe(cookie)
    expect(second.json<{ csrf: string }>().csrf).not.toBe(first.json<{ csrf: string }>().csrf)
    expect(first.json()).toEqual({
      csrf: expect.stringMatching(/^csc_/),
      expires_in: 30,
      lease: expect.any(String),
    })
  })

  it('gives another login another cookie', async () => {
    const visitor = await loggedIn(site)
    await visitor.post('/countersign/preauth')
    const cookie = visitor.cookie('countersign-preauth') ?? ''
    await visitor.post('/login', { username: 'bob', password: 'builder-bob' })
    visitor.setCookie('countersign-preauth', cookie)
    await visitor.post('/countersign/preauth')
    expect(visitor.cookie('countersign-preauth')).not.toBe(cookie)
  })

  it('is for logins alone', async () => {
    expect((await ask(await keyFor(['issue', 'connect']), '/countersign/preauth', {})).statusCode).toBe(403)
  })
})

describe('POST /countersign/challenge-secret', () => {
  it('makes a name and a secret for this login', async () => {
    const visitor = await loggedIn(site)
    const answer = await visitor.post('/countersign/challenge-secret', { audience: 'D13', uses: 'one' })
    const body = answer.json<{ authid: string; secret: string; expires_in: number }>()
    expect(body.expires_in).toBe(8 * 3_600)
    const row = await site.records.findChallengeSecret(body.authid)
    expect(row).toMatchObject({ subject: 'alice', uses: 'one', secret: body.secret })
    expect(answer.headers['cache-control']).toBe('no-store')
  })
})

describe('POST /countersign/token', () => {
  it('signs an access token that the published keys verify', async () => {
    const visitor = await loggedIn(site)
    const body = (await visitor.post('/countersign/token', { audience: 'D2' })).json<{
      access_token: string
    }>()
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 300 })
    const jwks = (
      await site.app.inject({ url: '/.well-known/jwks.json', headers: { host: 'localhost:8000' } })
    ).json()
    const verified = await jwtVerify(body.access_token, createLocalJWKSet(jwks), {
      issuer: siteOrigin,
      audience: 'D2',
      algorithms: ['EdDSA'],
      typ: 'at+jwt',
      currentDate: new Date(site.platform.clock.now()),
    })
    expect(verified.payload).toMatchObject({ sub: 'alice', roles: ['user'], jti: expect.any(String) })
    const session = await site.records.findSession(
      await site.platform.hash(visitor.cookie('countersign-session') ?? ''),
    )
    expect(verified.payload['sid']).toBe(session?.id)
  })

  it('publishes no private part', async () => {
    const answer = await site.app.inject({
      url: '/.well-known/jwks.json',
      headers: { host: 'localhost:8000' },
    })
    const [key] = answer.json<{ keys: Record<string, unknown>[] }>().keys
    expect(Object.keys(key ?? {}).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x'])
  })

  it('needs a known audience', async () => {
    const visitor = await loggedIn(site)
    expect((await visitor.post('/countersign/token')).json()).toEqual({ error: 'unknown_audience' })
  })
})

describe('what is asked for while an account changes', () => {
  it.each([
    ['disabled', (s: TestSite) => setDisabled(s.accounts, 'alice', true)],
    ['given another password', (s: TestSite) => setPassword(s.accounts, 'alice', 'looking-glass')],
    ['given other roles', (s: TestSite) => setRoles(s.accounts, 'alice', [])],
    ['revoked', (s: TestSite) => s.guards.D2.revoke({ subject: 'alice' })],
  ])('opens nothing once it is %s', async (_what, change) => {
    // The change falls behind the look at the session and before the ticket is made.
    const visitor = await loggedIn(site)
    site.clock.advance(10)
    const { D2 } = site.guards
    const issue = D2.issue.ticket.bind(D2.issue)
    const spy = vi.spyOn(D2.issue, 'ticket').mockImplementationOnce(async (options) => {
      site.clock.advance(1)
      await change(site)
      site.clock.advance(1)
      return issue(options)
    })
    const answer = await visitor.post('/countersign/ticket', { audience: 'D2' })
    spy.mockRestore()
    expect(answer.statusCode).toBe(200)
    const { ticket } = answer.json<{ ticket: string }>()
    expect(await connect(D2, { target: `/?ticket=${ticket}` })).toBe('invalid_credential')
  })
})

describe('one login', () => {
  it('gets so many challenge secrets a minute, and more in the next', async () => {
    const visitor = await loggedIn(site)
    const ask = async (): Promise<number> => (await visitor.post('/countersign/challenge-secret')).statusCode
    for (let at = 0; at < 60; at++) expect(await ask()).toBe(200)
    expect(await ask()).toBe(429)
    expect(
      (await (await loggedIn(site, 'bob', 'builder-bob')).post('/countersign/challenge-secret')).statusCode,
    ).toBe(200)
    site.clock.advance(60_000)
    expect(await ask()).toBe(200)
  })
})
