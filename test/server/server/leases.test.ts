import { beforeEach, describe, expect, it } from 'vitest'
import { asMachine, connected, loggedIn, openSite, type TestSite, type Visitor } from './support.ts'

let site: TestSite

beforeEach(async () => {
  site = await openSite()
})

async function ticketOf(visitor: Visitor, audience: string): Promise<string> {
  return (await visitor.post('/countersign/ticket', { audience })).json<{ ticket: string }>().ticket
}

describe('GET /countersign/leases', () => {
  it("lists the caller's own over all doors, and nobody else's", async () => {
    const alice = await loggedIn(site)
    const bob = await loggedIn(site, 'bob', 'builder-bob')
    const lease = await connected(site.guards.D2, { target: `/?ticket=${await ticketOf(alice, 'D2')}` })
    await connected(site.guards.D2, { target: `/?ticket=${await ticketOf(bob, 'D2')}` })
    await connected(site.guards.D7, { cookie: alice.cookies })
    const answer = await alice.get('/countersign/leases')
    expect(answer.json()).toEqual({
      leases: [
        {
          lease: lease.id,
          door: 'D2',
          method: 'ticket',
          granted_at: '2026-01-01T00:00:01.000Z',
          expires_in: 900,
          phase: 'live',
        },
        expect.objectContaining({ door: 'D7', method: 'session', expires_in: 8 * 3_600 }),
      ],
    })
  })
})

describe('POST /countersign/leases/{id}/refresh', () => {
  it.each([
    ['D1', (ticket: string) => ({ message: ticket })],
    ['D2', (ticket: string) => ({ target: `/?ticket=${ticket}` })],
    ['D6', (ticket: string) => ({ subprotocol: `countersign.v1, countersign.bearer.${ticket}` })],
  ] as const)('extends a lease at %s by a fresh ticket', async (door, shown) => {
    const alice = await loggedIn(site)
    const lease = await connected(site.guards[door], shown(await ticketOf(alice, door)))
    site.clock.advance(10 * 60_000)
    const credential = await ticketOf(alice, door)
    const answer = await alice.post(`/countersign/leases/${lease.id}/refresh`, { credential })
    expect(answer.json()).toEqual({ ok: true, expires_in: 900 })
    const again = await alice.post(`/countersign/leases/${lease.id}/refresh`, { credential })
    expect([again.statusCode, again.json()]).toEqual([401, { error: 'invalid_credential' }])
  })

  it('extends a password lease and an API key lease at a door of headers', async () => {
    const key = (await site.guards.D5.issue.apiKey({ subject: 'alice', name: 'test' })).key
    const byKey = await connected(site.guards.D5, { authorization: `Bearer ${key}` })
    const basic = Buffer.from('alice:wonderland').toString('base64')
    const byPassword = await connected(site.guards.D5, { authorization: `Basic ${basic}` })
    const visitor = await loggedIn(site)
    for (const [lease, credential] of [
      [byKey, key],
      [byPassword, 'alice:wonderland'],
    ] as const) {
      const answer = await visitor.post(`/countersign/leases/${lease.id}/refresh`, { credential })
      expect(answer.json()).toMatchObject({ ok: true })
    }
  })

  it('extends a session lease by the session, under the Origin rule of its door', async () => {
    const visitor = await loggedIn(site)
    const lease = await connected(site.guards.D7, { cookie: visitor.cookies })
    const credential = visitor.cookie('countersign-session') ?? ''
    const answer = await visitor.post(`/countersign/leases/${lease.id}/refresh`, { credential })
    expect(answer.json()).toEqual({ ok: true, expires_in: 8 * 3_600 })
    const { key } = await site.guards.D2.issue.apiKey({ subject: 'alice', name: 'test' })
    const options = {
      method: 'POST',
      url: `/countersign/leases/${lease.id}/refresh`,
      payload: { credential },
    } as const
    expect((await asMachine(site.app, key, options)).json()).toEqual({ error: 'forbidden_origin' })
  })

  it('extends a session lease by the cookie of the request, where nothing else is shown', async () => {
    const visitor = await loggedIn(site)
    const lease = await connected(site.guards.D7, { cookie: visitor.cookies })
    const answer = await visitor.post(`/countersign/leases/${lease.id}/refresh`, {})
    expect(answer.json()).toEqual({ ok: true, expires_in: 8 * 3_600 })
  })

  it('extends a preauth lease by a fresh CSRF token beside the cookie of the request, once', async () => {
    const visitor = await loggedIn(site)
    const pair = async (): Promise<string> =>
      (await visitor.post('/countersign/preauth', {})).json<{ csrf: string }>().csrf
    const lease = await connected(site.guards.D9, {
      target: `/?csrf=${await pair()}`,
      cookie: visitor.cookies,
    })
    const path = `/countersign/leases/${lease.id}/refresh`
    expect((await visitor.post(path, {})).statusCode).toBe(401)
    const credential = await pair()
    expect((await visitor.post(path, { credential })).json()).toMatchObject({ ok: true })
    expect((await visitor.post(path, { credential })).statusCode).toBe(401)
  })

  it('answers 404 alike for unknown, foreign and ended leases', async () => {
    const alice = await loggedIn(site)
    const bob = await loggedIn(site, 'bob', 'builder-bob')
    const foreign = await connected(site.guards.D2, { target: `/?ticket=${await ticketOf(bob, 'D2')}` })
    const ended = await connected(site.guards.D2, { target: `/?ticket=${await ticketOf(alice, 'D2')}` })
    ended.leave()
    const answers = []
    for (const id of ['unknown', foreign.id, ended.id]) {
      const credential = await ticketOf(alice, 'D2')
      answers.push(await alice.post(`/countersign/leases/${id}/refresh`, { credential }))
    }
    expect(new Set(answers.map((answer) => `${answer.statusCode} ${answer.body}`))).toEqual(
      new Set(['404 {"error":"not_found"}']),
    )
  })

  it('refuses a credential of someone else', async () => {
    const alice = await loggedIn(site)
    const bob = await loggedIn(site, 'bob', 'builder-bob')
    const lease = await connected(site.guards.D2, { target: `/?ticket=${await ticketOf(alice, 'D2')}` })
    const credential = await ticketOf(bob, 'D2')
    const answer = await alice.post(`/countersign/leases/${lease.id}/refresh`, { credential })
    expect([answer.statusCode, answer.json()]).toEqual([403, { error: 'forbidden' }])
  })

  it('lets an issuing key refresh for its users', async () => {
    const { key } = await site.guards.D2.issue.apiKey({ subject: 'web', name: 'web', scopes: ['issue'] })
    const first = await site.guards.D2.issue.ticket({ subject: 'user-17' })
    const lease = await connected(site.guards.D2, { target: `/?ticket=${first.ticket}` })
    const fresh = await site.guards.D2.issue.ticket({ subject: 'user-17' })
    const options = {
      method: 'POST',
      url: `/countersign/leases/${lease.id}/refresh`,
      payload: { credential: fresh.ticket, subject: 'user-17' },
    } as const
    expect((await asMachine(site.app, key, options)).json()).toMatchObject({ ok: true })
    const connectOnly = await site.guards.D2.issue.apiKey({
      subject: 'web',
      name: 'web',
      scopes: ['connect'],
    })
    expect((await asMachine(site.app, connectOnly.key, options)).statusCode).toBe(403)
  })
})

describe('POST /countersign/revoke', () => {
  it('ends what it names, for keys of scope revoke alone', async () => {
    const { key } = await site.guards.D2.issue.apiKey({ subject: 'ops', name: 'ops', scopes: ['revoke'] })
    const other = await site.guards.D2.issue.apiKey({ subject: 'ops', name: 'ops', scopes: ['issue'] })
    const alice = await loggedIn(site)
    const lease = await connected(site.guards.D2, { target: `/?ticket=${await ticketOf(alice, 'D2')}` })
    const options = { method: 'POST', url: '/countersign/revoke', payload: { subject: 'alice' } } as const
    expect((await asMachine(site.app, other.key, options)).statusCode).toBe(403)
    expect((await alice.post('/countersign/revoke', { subject: 'bob' })).statusCode).toBe(403)
    expect((await asMachine(site.app, key, options)).json()).toEqual({ ok: true })
    expect([lease.ended, lease.reason]).toEqual([true, 'revoked'])
  })

  it('ends API keys by their public name', async () => {
    const { key } = await site.guards.D2.issue.apiKey({ subject: 'ops', name: 'ops', scopes: ['revoke'] })
    const victim = await site.guards.D2.issue.apiKey({ subject: 'machine', name: 'old', scopes: ['connect'] })
    site.clock.advance(10)
    const payload = { api_key: victim.id }
    await asMachine(site.app, key, { method: 'POST', url: '/countersign/revoke', payload })
    const ask = { method: 'POST', url: '/countersign/ticket', payload: { audience: 'D2' } } as const
    expect((await asMachine(site.app, victim.key, ask)).statusCode).toBe(401)
  })

  it.each([
    [{ address: '127.0.0.0/8' }, 'revoked'],
    [{ issued_before: '2100-01-01T00:00:00Z', reason: 'logged_out' }, 'logged_out'],
    [{ subject: 'alice', margin: 10 }, undefined],
    [{ subject: 'alice', issued_before: '2020-01-01T00:00:00+01:00' }, undefined],
    [{ address: '2001:db8::/32' }, undefined],
  ] as const)('takes %j', async (payload, reason) => {
    const { key } = await site.guards.D2.issue.apiKey({ subject: 'ops', name: 'ops', scopes: ['revoke'] })
    const alice = await loggedIn(site)
    const lease = await connected(site.guards.D2, { target: `/?ticket=${await ticketOf(alice, 'D2')}` })
    const answer = await asMachine(site.app, key, { method: 'POST', url: '/countersign/revoke', payload })
    expect(answer.json()).toEqual({ ok: true })
    expect(lease.reason).toBe(reason)
    site.clock.advance(10_000)
    expect(lease.passes()).toBe(reason === undefined && !('margin' in payload))
  })

  it('takes exactly one member', async () => {
    const { key } = await site.guards.D2.issue.apiKey({ subject: 'ops', name: 'ops', scopes: ['revoke'] })
    for (const payload of [
      {},
      { subject: 'a', role: 'b' },
      { everything: 'x' },
      { subject: '' },
      { address: 'localhost' },
      { subject: 'a', margin: -1 },
      { subject: 'a', margin: 3_601 },
      { subject: 'a', reason: 'superseded' },
      { subject: 'a', issued_before: 'yesterday' },
      { margin: 1 },
    ]) {
      const answer = await asMachine(site.app, key, { method: 'POST', url: '/countersign/revoke', payload })
      expect(answer.statusCode).toBe(400)
    }
  })
})
