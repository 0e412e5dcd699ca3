import { connect as connectTcp, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loggedIn, openSite, siteOrigin, Visitor, type TestSite } from './support.ts'

let site: TestSite

beforeEach(async () => {
  site = await openSite()
})

afterEach(() => site.app.close())

describe('every answer', () => {
  it.each(['/login', '/nowhere', '/assets/base.css', '/.well-known/jwks.json'])(
    'of %s has the security headers',
    async (url) => {
      const { headers } = await new Visitor(site.app).get(url)
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'same-origin',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
      })
      const policy = String(headers['content-security-policy'])
      expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'")
      expect(policy).toContain("frame-ancestors 'none'; base-uri 'none'; form-action 'self'")
      expect(policy).toContain("connect-src 'self' ws://localhost:8001 ws://localhost:8002")
      expect(policy).not.toContain('unsafe')
      expect(headers['strict-transport-security']).toBeUndefined()
    },
  )

  it('over TLS demands TLS from then on and has __Host- cookies', async () => {
    const secure = await openSite({ secure: true })
    const answer = await new Visitor(secure.app).post('/login', { username: 'alice', password: 'wonderland' })
    expect(answer.headers['strict-transport-security']).toBe('max-age=31536000')
    expect([answer.headers['set-cookie']].flat()[0]).toMatch(
      /^__Host-countersign-session=css_[\w-]+; Path=\/; Secure; HttpOnly; SameSite=Lax$/,
    )
  })

  it.each(['evil.example', 'localhost:8001', 'localhost', '127.0.0.1:8000', ''])(
    'to the host %j is 421',
    async (host) => {
      for (const url of ['/login', '/healthz', '/nowhere', '/assets/base.css']) {
        const answer = await site.app.inject({ url, headers: { host } })
        expect([answer.statusCode, answer.json()]).toEqual([421, { error: 'wrong_host' }])
      }
    },
  )

  it('to an unknown route is 404 and says nothing more', async () => {
    const answer = await new Visitor(site.app).get('/nowhere?secret=1')
    expect([answer.statusCode, answer.body]).toEqual([404, '{"error":"not_found"}'])
  })
})

describe('a person who navigates', () => {
  const accept = 'text/html,application/xhtml+xml'

  it.each([
    ['/nowhere?secret=marked', 'localhost:8000', 404, 'Nothing is here'],
    ['/login', '127.0.0.1:8000', 421, 'Not this address'],
  ])('to %s of %s sees a page', async (url, host, status, title) => {
    const answer = await site.app.inject({ url, headers: { host, accept } })
    expect(answer.statusCode).toBe(status)
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8')
    expect(answer.headers['content-security-policy']).toContain("default-src 'none'")
    expect(answer.body).toContain(`<h1>${title}</h1>`)
    expect(answer.body).not.toContain('marked')
  })

  it('with a form of a foreign page sees why it was refused', async () => {
    const headers = { origin: 'http://127.0.0.1:8000', accept }
    const answer = await new Visitor(site.app).send({ method: 'POST', url: '/login', headers })
    expect([answer.statusCode, answer.body.includes('<h1>Sent from another origin</h1>')]).toEqual([
      403,
      true,
    ])
  })
})

describe('bad input', () => {
  const headers = { host: 'localhost:8000', origin: siteOrigin }
  const post = { method: 'POST', url: '/login' } as const

  it.each([
    ['text/plain', 'username=alice', 415],
    ['application/xml', '<a/>', 415],
    ['multipart/form-data; boundary=x', '--x--', 415],
    ['application/json', '{"username":"alice","username":"bob","password":"x"}', 400],
    ['application/json', '{"__proto__":{"username":"alice"}}', 400],
    ['application/json', '{not json', 400],
    ['application/json', `"${'x'.repeat(16_400)}"`, 413],
    ['application/x-www-form-urlencoded', 'username=a&username=b&password=x', 400],
  ])('of type %s is refused (%#)', async (type, payload, status) => {
    const answer = await site.app.inject({ ...post, payload, headers: { ...headers, 'content-type': type } })
    expect(answer.statusCode).toBe(status)
    expect(Object.keys(answer.json<object>())).toEqual(['error'])
  })

  it('in a URL is refused', async () => {
    const answer = await site.app.inject({ url: '/%zz', headers })
    expect([answer.statusCode, answer.json()]).toEqual([400, { error: 'invalid_request' }])
  })

  it('that is no HTTP gets a constant answer', async () => {
    await site.app.listen({ port: 0, host: '127.0.0.1' })
    // A listening TCP server has an address with a port.
    const { port } = site.app.server.address() as AddressInfo
    const socket = connectTcp(port, '127.0.0.1')
    socket.end('GET /?ticket=cst_marked HTTP/9.9\r\n\r\n')
    const [data] = await once(socket, 'data')
    expect(String(data)).toBe('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  })

  it('that makes a store fail is 500 without a detail', async () => {
    const visitor = await loggedIn(site)
    const failing = await openSite()
    Object.assign(failing.records, {
      findSession: () => {
        throw new Error('the row of alice is broken')
      },
    })
    const answer = await failing.app.inject({ url: '/me', headers: { ...headers, cookie: visitor.cookies } })
    expect([answer.statusCode, answer.json()]).toEqual([500, { error: 'internal' }])
    expect(failing.logged()).toContain('"name":"Error"')
    expect(failing.logged()).not.toContain('the row of alice')
  })
})

describe('/healthz', () => {
  it('shows the waiting rooms and the limits in force', async () => {
    const answer = await new Visitor(site.app).get('/healthz')
    expect(answer.json()).toMatchObject({
      ok: true,
      guards: expect.arrayContaining([
        expect.objectContaining({
          name: 'D1',
          pool: { size: 0, total: 1_000 },
          limits: expect.objectContaining({ preauth_deadline_ms: 10_000, preauth_per_source: 100 }),
        }),
      ]),
    })
  })
})

describe('assets', () => {
  it('are served with their types and answer 304 to whoever has them', async () => {
    const visitor = new Visitor(site.app)
    const css = await visitor.get('/assets/base.css')
    expect(css.headers['content-type']).toBe('text/css; charset=utf-8')
    const { etag } = css.headers
    const again = await visitor.send({
      method: 'GET',
      url: '/assets/base.css',
      headers: { 'if-none-match': etag },
    })
    expect([again.statusCode, again.body]).toEqual([304, ''])
    const script = await visitor.get('/assets/browser/frame.js')
    expect(script.headers['content-type']).toBe('text/javascript; charset=utf-8')
    expect(script.body).not.toContain(': string')
  })
})

describe('the log', () => {
  it('names routes and never a credential, in whatever place it came', async () => {
    const visitor = await loggedIn(site)
    const secret = 'marked-secret-4711'
    await visitor.get(`/nowhere?ticket=${secret}`)
    await visitor.post(`/countersign/leases/${secret}/refresh`, { credential: secret })
    await visitor.post('/login', { username: secret, password: secret })
    await visitor.post('/countersign/ticket', { audience: secret })
    await visitor.submit('/login', { username: secret, password: secret, csrf: secret })
    const headers = { authorization: `Bearer csk_${secret}`, cookie: `countersign-session=css_${secret}` }
    await visitor.send({ method: 'POST', url: '/countersign/ticket', payload: { audience: 'D2' }, headers })
    const answer = await visitor.post('/countersign/ticket', { audience: 'D2' })
    await visitor.post('/countersign/preauth')
    await visitor.post('/countersign/challenge-secret')
    await visitor.post('/countersign/token', { audience: 'D2' })
    await visitor.post('/logout')
    expect(site.logged()).toContain('"route":"/countersign/leases/:id/refresh"')
    expect(site.logged()).not.toContain(secret)
    expect(site.logged()).not.toContain('wonderland')
    expect(site.logged()).not.toContain(answer.json<{ ticket: string }>().ticket)
    expect(site.logged()).not.toMatch(/cs[tsapck]_[\w-]{20}|eyJ/)
  })

  it('reduces errors to class, code and place, and hides headers and bodies that slip into a line', async () => {
    const { createLog } = await import('../../../packages/server/src/server/log.ts')
    const lines: string[] = []
    const log = createLog({ destination: { write: (line: string) => void lines.push(line) } })
    const secret = 'marked-secret-4711'
    log.info(
      { headers: { authorization: secret, cookie: secret }, password: secret, body: { ticket: secret } },
      'line',
    )
    log.error({ err: Object.assign(new TypeError(secret), { code: 'E_X' }), req: { url: secret } }, 'failed')
    log.error({ err: secret }, 'failed')
    expect(lines.join('')).not.toContain(secret)
    expect(lines[1]).toContain('"name":"TypeError","code":"E_X"')
  })
})

describe('the journal', () => {
  it('tells logins with the name that was proved, refused ones without the name that was typed', async () => {
    const visitor = await loggedIn(site)
    await visitor.post('/login', { username: 'hunter2', password: 'wrong-wrong' })
    const entries = site.journal.recent().filter((entry) => entry.guard === 'site')
    expect(entries.map(({ kind, subject, reason }) => [kind, subject, reason])).toEqual([
      ['accepted', 'alice', undefined],
      ['refused', undefined, 'invalid_credential'],
    ])
  })
})
