import { beforeEach, describe, expect, it } from 'vitest'
import { setDisabled, setPassword, setRoles } from '../../../packages/server/src/server/accounts.ts'
import { connected, loggedIn, openSite, siteOrigin, Visitor, type TestSite } from './support.ts'

let site: TestSite

beforeEach(async () => {
  site = await openSite()
})

describe('login by JSON', () => {
  it('answers name and roles and sets an HttpOnly, SameSite=Lax, host-only cookie', async () => {
    const answer = await new Visitor(site.app).post('/login', { username: 'alice', password: 'wonderland' })
    expect(answer.statusCode).toBe(200)
    expect(answer.json()).toEqual({ ok: true, username: 'alice', roles: ['user'] })
    expect([answer.headers['set-cookie']].flat()[0]).toMatch(
      /^countersign-session=css_[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/,
    )
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(answer.headers['referrer-policy']).toBe('no-referrer')
  })

  it('takes a name in any case and width', async () => {
    const answer = await new Visitor(site.app).post('/login', { username: 'ＡLICE', password: 'wonderland' })
    expect(answer.json()).toMatchObject({ ok: true, username: 'alice' })
  })

  it('answers a wrong name, a wrong password and a disabled account with the same bytes', async () => {
    await setDisabled(site.accounts, 'bob', true)
    const tries = [
      { username: 'nobody', password: 'wonderland' },
      { username: 'alice', password: 'wrong-wrong' },
      { username: 'bob', password: 'builder-bob' },
    ]
    const answers = await Promise.all(tries.map((body) => new Visitor(site.app).post('/login', body)))
    expect(new Set(answers.map((answer) => `${answer.statusCode} ${answer.body}`))).toEqual(
      new Set(['401 {"ok":false,"error":"invalid_credential"}']),
    )
    expect(answers.map((answer) => answer.cookies)).toEqual([[], [], []])
  })

  it('makes known and unknown names wait alike after five failures', async () => {
    for (const username of ['alice', 'nobody']) {
      const visitor = new Visitor(site.app)
      for (let at = 0; at < 5; at++) await visitor.post('/login', { username, password: 'wrong-wrong' })
      const answer = await visitor.post('/login', { username, password: 'wonderland' })
      expect(answer.statusCode).toBe(429)
      expect(answer.headers['retry-after']).toBe('1')
      expect(answer.json()).toEqual({ ok: false, error: 'too_many_attempts' })
    }
    site.clock.advance(1_001)
    const answer = await new Visitor(site.app).post('/login', { username: 'alice', password: 'wonderland' })
    expect(answer.statusCode).toBe(200)
  })

  it('answers 503 to everyone while password hashing is full', async () => {
    const full = { hash: () => '', verify: () => 'busy' as const }
    const busy = await openSite({ passwords: full })
    for (const username of ['alice', 'nobody']) {
      const answer = await new Visitor(busy.app).post('/login', { username, password: 'wonderland' })
      expect([answer.statusCode, answer.json()]).toEqual([503, { ok: false, error: 'overloaded' }])
    }
  })

  it('needs no Origin from a program, whatever cookies it keeps', async () => {
    const payload = { username: 'alice', password: 'wonderland' }
    for (const cookie of [undefined, 'other=1', 'countersign-session=css_old']) {
      const headers = { host: 'localhost:8000', ...(cookie === undefined ? {} : { cookie }) }
      expect((await site.app.inject({ method: 'POST', url: '/login', payload, headers })).statusCode).toBe(
        200,
      )
    }
  })

  it.each([
    'http://evil.example',
    'http://localhost:8001',
    'null',
    'https://localhost:8000',
    `${siteOrigin}, ${siteOrigin}`,
  ])('refuses the Origin %s before anything is judged', async (origin) => {
    const visitor = new Visitor(site.app)
    const payload = { username: 'alice', password: 'wonderland' }
    const answer = await visitor.send({ method: 'POST', url: '/login', payload, headers: { origin } })
    expect([answer.statusCode, answer.json()]).toEqual([403, { error: 'forbidden_origin' }])
  })

  it.each([
    [{ username: 'alice' }],
    [{ username: 'alice', password: 1 }],
    [{ username: 'alice', password: 'x'.repeat(1_025) }],
    [{ username: 'alice', password: 'wonderland', admin: true }],
    [['alice', 'wonderland']],
  ])('refuses the body %j', async (body) => {
    const answer = await new Visitor(site.app).post('/login', body)
    expect([answer.statusCode, answer.json()]).toEqual([400, { error: 'invalid_request' }])
  })
})

describe('login by form', () => {
  it('leads from / over the form back to / and shows who is logged in', async () => {
    const visitor = new Visitor(site.app)
    expect((await visitor.get('/')).headers.location).toBe('/login')
    const answer = await visitor.submitLogin('alice', 'wonderland')
    expect([answer.statusCode, answer.headers.location]).toEqual([303, '/'])
    const home = await visitor.get('/')
    expect(home.body).toContain('<dd>alice</dd>')
    expect((await visitor.get('/login')).statusCode).toBe(303)
  })

  it('leads to the home that was configured', async () => {
    const other = await openSite({ home: '/lab' })
    const visitor = new Visitor(other.app)
    expect((await visitor.submitLogin('alice', 'wonderland')).headers.location).toBe('/lab')
    expect((await visitor.get('/')).headers.location).toBe('/lab')
  })

  it('shows the form again with one message, keeping the name and never the password', async () => {
    const answer = await new Visitor(site.app).submitLogin('alice"><script>', 'wrong-wrong')
    expect(answer.statusCode).toBe(401)
    expect(answer.body).toContain('That name and password do not belong together.')
    expect(answer.body).toContain('value="alice&quot;&gt;&lt;script&gt;"')
    expect(answer.body).not.toContain('wrong-wrong')
  })

  it('tells a form that it must wait', async () => {
    const visitor = new Visitor(site.app)
    for (let at = 0; at < 5; at++) await visitor.submitLogin('alice', 'wrong-wrong')
    const answer = await visitor.submitLogin('alice', 'wonderland')
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([429, '1'])
    expect(answer.body).toContain('Too many tries.')
  })

  it('refuses a form without the token of its own cookie', async () => {
    const visitor = new Visitor(site.app)
    const other = new Visitor(site.app)
    const token = /name="csrf" value="([^"]+)"/.exec((await other.get('/login')).body)?.[1] ?? ''
    await visitor.get('/login')
    for (const csrf of ['', 'x', token]) {
      const answer = await visitor.submit('/login', { csrf, username: 'alice', password: 'wonderland' })
      expect(answer.statusCode).toBe(403)
      expect(visitor.cookie('countersign-session')).toBeUndefined()
    }
  })

  it('takes name and password alone from a program, which has no form', async () => {
    const payload = 'username=alice&password=wonderland'
    const form = { 'content-type': 'application/x-www-form-urlencoded', host: 'localhost:8000' }
    const program = [
      {},
      { origin: siteOrigin },
      { origin: siteOrigin, cookie: 'countersign-session=css_old' },
      { cookie: 'countersign-form=kept' },
    ]
    for (const extra of program) {
      const answer = await site.app.inject({
        method: 'POST',
        url: '/login',
        payload,
        headers: { ...form, ...extra },
      })
      expect([answer.statusCode, answer.cookies[0]?.name]).toEqual([303, 'countersign-session'])
    }
  })

  it.each([
    ['same-origin', { origin: siteOrigin }],
    ['none', {}],
    ['cross-site', {}],
  ])('demands its token of a browser, which says Sec-Fetch-Site: %s', async (place, extra) => {
    const payload = 'username=alice&password=wonderland'
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      host: 'localhost:8000',
      'sec-fetch-site': place,
      ...extra,
    }
    const answer = await site.app.inject({ method: 'POST', url: '/login', payload, headers })
    expect([answer.statusCode, answer.cookies.map(({ name }) => name)]).toEqual([403, ['countersign-form']])
  })

  it('offers demonstration accounts only where they are given', async () => {
    expect((await new Visitor(site.app).get('/login')).body).not.toContain('Demonstration')
    const accounts = [{ username: 'alice', password: 'wonderland', api_key: 'csk_x', roles: ['user'] }]
    const demo = await openSite({ demo: { accounts } })
    const page = await new Visitor(demo.app).get('/login')
    expect(page.body).toContain('data-username="alice"')
    expect(page.body).not.toContain('csk_x')
    expect((await new Visitor(demo.app).get('/assets/browser/login.js')).body).toContain('querySelectorAll')
  })
})

describe('session', () => {
  it('tells who is logged in and until when', async () => {
    const visitor = await loggedIn(site)
    const answer = await visitor.get('/me')
    expect(answer.json()).toEqual({ username: 'alice', roles: ['user'], session_expires_in: 1_800 })
    expect((await new Visitor(site.app).get('/me')).statusCode).toBe(401)
  })

  it('gets a new identifier at every login and ends the one before', async () => {
    const visitor = await loggedIn(site)
    const before = visitor.cookie('countersign-session') ?? ''
    await visitor.post('/login', { username: 'alice', password: 'wonderland' })
    expect(visitor.cookie('countersign-session')).not.toBe(before)
    const thief = new Visitor(site.app)
    thief.setCookie('countersign-session', before)
    expect((await thief.get('/me')).statusCode).toBe(401)
    expect((await visitor.get('/me')).statusCode).toBe(200)
  })

  it('never adopts an identifier that the client brings', async () => {
    const visitor = new Visitor(site.app)
    visitor.setCookie('countersign-session', 'css_planted')
    await visitor.post('/login', { username: 'alice', password: 'wonderland' })
    expect(visitor.cookie('countersign-session')).not.toBe('css_planted')
  })

  it('ends after 30 minutes of silence, and lives on while it is used', async () => {
    const visitor = await loggedIn(site)
    for (let at = 0; at < 3; at++) {
      site.clock.advance(29 * 60_000)
      expect((await visitor.get('/me')).statusCode).toBe(200)
    }
    site.clock.advance(30 * 60_000 + 1)
    expect((await visitor.get('/me')).statusCode).toBe(401)
  })

  it('ends after 8 hours however much it is used', async () => {
    const visitor = await loggedIn(site)
    for (let at = 0; at < 8 * 4 - 1; at++) {
      site.clock.advance(15 * 60_000)
      expect((await visitor.get('/me')).statusCode).toBe(200)
    }
    expect((await visitor.get('/me')).json()).toMatchObject({ session_expires_in: 900 })
    site.clock.advance(15 * 60_000)
    expect((await visitor.get('/me')).statusCode).toBe(401)
  })

  it.each([
    ['a new password', (s: TestSite) => setPassword(s.accounts, 'alice', 'looking-glass')],
    ['other roles', (s: TestSite) => setRoles(s.accounts, 'alice', ['admin'])],
    ['being disabled', (s: TestSite) => setDisabled(s.accounts, 'alice', true)],
    ['a revocation of its subject', (s: TestSite) => s.guards.D2.revoke({ subject: 'alice' })],
  ])('ends by %s', async (_name, change) => {
    const visitor = await loggedIn(site)
    site.clock.advance(10)
    await change(site)
    expect((await visitor.get('/me')).statusCode).toBe(401)
  })

  it('is not opened when the password changes while the login is judged', async () => {
    let change = async (): Promise<unknown> => undefined
    const slow = {
      hash: () => '',
      verify: async () => {
        await change()
        return 'right' as const
      },
    }
    const racing = await openSite({ passwords: slow })
    change = () => {
      racing.clock.advance(1)
      return setPassword(racing.accounts, 'alice', 'looking-glass')
    }
    const visitor = new Visitor(racing.app)
    const answer = await visitor.post('/login', { username: 'alice', password: 'wonderland' })
    expect(answer.statusCode).toBe(401)
    expect(visitor.cookie('countersign-session')).toBeUndefined()
  })

  it('does not count when it is of another purpose', async () => {
    const visitor = new Visitor(site.app)
    const issued = await site.guards.D2.issue.session({ subject: 'alice', purpose: 'frame' })
    visitor.setCookie('countersign-session', issued.session)
    expect((await visitor.get('/me')).statusCode).toBe(401)
  })
})

describe('logout', () => {
  it('ends the session, its leases and its cookie, with the reason logged_out', async () => {
    const visitor = await loggedIn(site)
    const issued = (await visitor.post('/countersign/ticket', { audience: 'D2' })).json<{ ticket: string }>()
    const lease = await connected(site.guards.D2, { target: `/?ticket=${issued.ticket}` })
    const cookies = visitor.cookies
    site.clock.advance(10)
    const answer = await visitor.post('/logout')
    expect(answer.json()).toEqual({ ok: true })
    expect([lease.ended, lease.reason]).toEqual([true, 'logged_out'])
    expect(visitor.cookie('countersign-session')).toBeUndefined()
    const thief = new Visitor(site.app)
    expect((await thief.send({ method: 'GET', url: '/me', headers: { cookie: cookies } })).statusCode).toBe(
      401,
    )
  })

  it('by form needs the token of the session', async () => {
    const visitor = await loggedIn(site)
    expect((await visitor.submit('/logout', { csrf: 'x' })).statusCode).toBe(403)
    const csrf = /name="csrf" value="([^"]+)"/.exec((await visitor.get('/')).body)?.[1] ?? ''
    expect((await visitor.submit('/logout', { csrf })).headers.location).toBe('/login')
    expect((await visitor.get('/me')).statusCode).toBe(401)
  })

  it('is not possible from another origin, nor without one', async () => {
    const visitor = await loggedIn(site)
    const foreign = { method: 'POST', url: '/logout', headers: { origin: 'http://localhost:8030' } } as const
    expect((await visitor.send(foreign)).statusCode).toBe(403)
    const headers = { host: 'localhost:8000', cookie: visitor.cookies }
    expect((await site.app.inject({ method: 'POST', url: '/logout', headers })).statusCode).toBe(403)
    expect((await visitor.get('/me')).statusCode).toBe(200)
  })

  it('without a session is no error', async () => {
    expect((await new Visitor(site.app).post('/logout')).json()).toEqual({ ok: true })
  })
})
