import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { logIn, postAs, runLab, type RunningLab } from '../support/running-lab.ts'
import { raw, request, visit } from './support/attacker.ts'

let lab: RunningLab
let cookie = ''
const site = (): string => `http://localhost:${lab.port}`

beforeAll(async () => {
  lab = await runLab()
  cookie = await logIn(lab, 'alice')
})

afterAll(async () => {
  await lab.stop()
})

const changing = [
  '/login',
  '/logout',
  '/countersign/ticket',
  '/countersign/connect',
  '/countersign/preauth',
  '/countersign/challenge-secret',
  '/countersign/token',
  '/countersign/revoke',
  '/countersign/leases/any/refresh',
  '/lab/session',
  '/lab/expired',
  '/lab/forget',
] as const

const foreign = (): readonly string[] => [
  lab.doors.hostile.origin,
  'null',
  `https://localhost:${lab.port}`,
  `http://localhost:${lab.port}.evil.example`,
  `http://evil.example/http://localhost:${lab.port}`,
  `${site()}/`,
]

describe('a foreign page', () => {
  it.each(changing)('gets nothing from POST %s, whatever it calls its body', async (path) => {
    for (const origin of foreign()) {
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json']) {
        const answer = await fetch(site() + path, {
          method: 'POST',
          headers: { origin, cookie, 'content-type': type },
          body: type.endsWith('json') ? '{}' : 'username=alice&password=alice-in-the-lab',
          redirect: 'manual',
        })
        expect([answer.status, answer.headers.get('set-cookie')]).toEqual([403, null])
      }
    }
    expect((await fetch(`${site()}/me`, { headers: { cookie } })).status).toBe(200)
  })

  it.each([...changing, '/me', '/lab/alias', '/lab/wire', '/lab/doors.json', '/countersign/leases'])(
    'may not read %s: there is no CORS, and a preflight is answered by nothing',
    async (path) => {
      for (const method of ['OPTIONS', 'GET']) {
        const answer = await fetch(site() + path, {
          method,
          headers: {
            cookie,
            origin: lab.doors.hostile.origin,
            'access-control-request-method': 'POST',
            'access-control-request-headers': 'content-type',
          },
        })
        const names = [...answer.headers.keys()].filter((name) => name.startsWith('access-control-'))
        expect(names).toEqual([])
        expect(answer.headers.get('cross-origin-resource-policy')).toBe('same-origin')
      }
    },
  )

  it.each(['/login', '/lab', '/lab/doors.json', '/nothing'])('may not frame %s', async (path) => {
    const answer = await fetch(site() + path, {
      headers: { cookie, accept: 'text/html' },
      redirect: 'manual',
    })
    expect(answer.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
  })

  it('gets no page of a rebound name', async () => {
    for (const path of ['/', '/login', '/lab', '/lab/doors.json', '/healthz'])
      expect(await statusAs(request(`GET ${path} HTTP/1.1`, 'evil.example'))).toBe(421)
  })
})

describe('a body', () => {
  it.each([
    ['that names a prototype', '{"__proto__":{"roles":["admin"]},"audience":"D2"}'],
    ['with a constructor', '{"constructor":{"prototype":{"x":1}},"audience":"D2"}'],
    ['that says the same twice', '{"audience":"D2","audience":"D1"}'],
    ['that nests', `{"audience":${'['.repeat(500)}${']'.repeat(500)}}`],
    ['that is no UTF-8', '{"audience":"\xff\xfe"}'],
    ['that is no object', '["D2"]'],
    ['with a member more', '{"audience":"D2","ttlMs":1e9}'],
  ])('%s issues nothing', async (_what, body) => {
    const answer = await fetch(`${site()}/countersign/ticket`, {
      method: 'POST',
      headers: { cookie, origin: site(), 'content-type': 'application/json' },
      body: Buffer.from(body, 'latin1'),
    })
    expect(answer.status).toBe(400)
  })

  it('of a megabyte is refused', async () => {
    const headers = { cookie, origin: site(), 'content-type': 'application/json' }
    const body = `{"audience":"${'D'.repeat(1_000_000)}"}`
    const answer = await fetch(`${site()}/countersign/ticket`, { method: 'POST', headers, body }).catch(
      () => undefined,
    )
    expect(answer === undefined || answer.status === 413).toBe(true)
  })

  it.each(['constructor', '__proto__', 'toString', 'D1', ''])(
    'that asks to forget %j takes no cookie back',
    async (door) => {
      const answer = await fetch(`${site()}/lab/forget`, {
        method: 'POST',
        headers: { cookie, origin: site(), 'content-type': 'application/json' },
        body: `{"door":"${door}"}`,
      })
      expect([answer.status, answer.headers.get('set-cookie')]).toEqual([400, null])
    },
  )
})

describe('a name that is markup', () => {
  const markup = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
  it('is text on the login page', async () => {
    const page = await fetch(`${site()}/login`)
    const form =
      page.headers
        .getSetCookie()
        .find((one) => one.includes('form='))
        ?.split(';', 1)[0] ?? ''
    const csrf = /name="csrf" value="([^"]+)"/.exec(await page.text())?.[1] ?? ''
    const answer = await fetch(`${site()}/login`, {
      method: 'POST',
      headers: { origin: site(), cookie: form },
      body: new URLSearchParams({ csrf, username: markup, password: markup }),
      redirect: 'manual',
    })
    const text = await answer.text()
    expect(answer.status).toBe(401)
    expect(text).not.toContain('<script>alert')
    expect(text).not.toContain('<img src=x')
    expect(text).toContain('&quot;&gt;&lt;script&gt;')
  })

  it('runs nowhere: no page allows inline script or style', async () => {
    for (const path of ['/login', '/lab', '/nothing']) {
      const answer = await fetch(site() + path, {
        headers: { cookie, accept: 'text/html' },
        redirect: 'manual',
      })
      expect(answer.headers.get('content-security-policy')).toMatch(
        /default-src 'none'; script-src 'self'; style-src 'self'/,
      )
      expect(answer.headers.get('content-security-policy')).not.toContain('unsafe')
      expect(await answer.text()).not.toMatch(
        /<[^>]+ on[a-z]+=|<style|<script(?![^>]*(?:src="\/|type="application\/json"))/i,
      )
    }
  })

  it.each([
    '/login?next=//evil.example',
    '/login?return_to=https://evil.example',
    '/?home=//evil.example',
    '/lab?x=%0d%0aLocation:%20//evil.example',
  ])('and a parameter leads nowhere else: %s', async (path) => {
    const answer = await fetch(site() + path, {
      headers: { cookie, host: `localhost:${lab.port}` },
      redirect: 'manual',
    })
    expect(answer.headers.get('location') ?? '/lab').toMatch(/^\/(?:lab|login)?$/)
  })
})

describe('the journal', () => {
  it('is for those who are logged in', async () => {
    for (const shown of ['', 'countersign-session=css_x'])
      expect((await fetch(`${site()}/lab/journal`, { headers: { cookie: shown } })).status).toBe(401)
    expect((await fetch(`${site()}/lab/journal`, { method: 'HEAD', headers: { cookie } })).status).toBe(404)
  })

  it('ends with the login, for a reader who is reading', async () => {
    const own = await logIn(lab, 'bob')
    const answer = await fetch(`${site()}/lab/journal`, { headers: { cookie: own } })
    expect(answer.headers.get('cross-origin-resource-policy')).toBe('same-origin')
    await postAs(lab, own, { path: 'logout', body: {} })
    const text = await answer.text()
    expect(text).toContain('"kind":"revoked"')
  })

  it('quotes no more of an origin than one can be long, and no markup as markup', async () => {
    const origin = `http://evil.example/<script>${'x'.repeat(8_000)}`
    await visit({ url: lab.door('D2').url, origin })
    const line = lab
      .output()
      .split('\n')
      .find((one) => one.includes('evil.example/<script>'))
    expect(line === undefined || line.length < 1_000).toBe(true)
  })
})

describe('what costs the lab something', () => {
  it('is made once: a client certificate in a file', async () => {
    const files = await Promise.all(
      Array.from({ length: 20 }, async () =>
        Buffer.from(await (await fetch(`${site()}/lab/client.p12`)).arrayBuffer()),
      ),
    )
    const digests = files.map((file) => createHash('sha256').update(file).digest('hex'))
    expect(new Set(digests).size).toBe(1)
  })

  it('is handed out sparingly: challenge secrets to one login', async () => {
    const own = await logIn(lab, 'carol')
    const ask = async (): Promise<number> => {
      const answer = await fetch(`${site()}/countersign/challenge-secret`, {
        method: 'POST',
        headers: { cookie: own, origin: site() },
      })
      return answer.status
    }
    const statuses = await Promise.all(Array.from({ length: 140 }, ask))
    expect(new Set(statuses)).toEqual(new Set([200, 429]))
    expect(statuses.filter((status) => status === 200).length).toBeLessThanOrEqual(120)
  })

  it('is recorded without secrets, however they are written', async () => {
    const probe = 'p'.repeat(22)
    await visit({
      url: `${lab.door('D2').url}?probe=${probe}&t%69cket=%63st_%73ecretsecret&access_token=secretsecret`,
    })
    const b64 = Buffer.from('secretsecret').toString('base64url')
    await visit({
      url: `${lab.door('D6').url}?probe=${'q'.repeat(22)}`,
      protocols: ['countersign.v1', `base64url.bearer.phx.${b64}`],
    })
    for (const id of [probe, 'q'.repeat(22)]) {
      const text = await (await fetch(`${site()}/lab/wire?probe=${id}`)).text()
      expect(text).toContain('GET /')
      expect(text).not.toContain('ecretsecret')
      expect(text).not.toContain(b64)
    }
  })
})

async function statusAs(bytes: string): Promise<number> {
  return (await raw(lab.port, bytes, 400)).status
}
