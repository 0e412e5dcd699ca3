import { createServer } from 'node:http'
import { once } from 'node:events'
import { Writable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { freeBlock, listeners } from '../../../tools/ports.ts'
import { knock } from '../../../packages/server/src/lab/browser/knock.ts'
import { accepted } from '../../../packages/server/src/lab/browser/outcome.ts'
import { planAt } from '../../../packages/server/src/lab/browser/plan.ts'
import { startLab, type Lab } from '../../../packages/server/src/lab/lab.ts'
import { portsFrom } from '../../../packages/server/src/lab/ports.ts'
import { createLog } from '../../../packages/server/src/server/log.ts'

const log = createLog({
  level: 'silent',
  destination: new Writable({ write: (_chunk, _encoding, done) => done() }),
})
let port: number
let lab: Lab

beforeAll(async () => {
  port = await freeBlock(41, 25_000)
  lab = await startLab({ port, log })
})
afterAll(() => lab.close())

/** Asks the lab's site, as a page of it or, with `host`, under another name. */
function ask(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(new URL(path, lab.url), { redirect: 'manual', ...init })
}

async function logIn(): Promise<Record<string, string>> {
  const answer = await ask('/login', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'alice', password: 'alice-in-the-lab' }),
  })
  return { cookie: answer.headers.getSetCookie()[0]?.split(';')[0] ?? '', origin: lab.url.slice(0, -1) }
}

/** What a page carries in its block. */
function secretIn(page: string): { kind: 'pair'; username: string; secret: string } {
  const [, block = ''] = /id="countersign-secret">([\s\S]*?)<\/script>/.exec(page) ?? []
  // The site's own page, whose shape its other tests pin.
  const { authid, secret } = JSON.parse(block) as { authid: string; secret: string }
  return { kind: 'pair', username: authid, secret }
}

describe('the lab', () => {
  it('leads from its front to the login', async () => {
    const answer = await ask('/')
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/login'])
    expect(await (await ask('/login')).text()).toContain('alice-in-the-lab')
  })

  it('publishes its doors, accounts and limits', async () => {
    const table = (await (await ask('/lab/doors.json')).json()) as {
      doors: { id: string; url: string; origin: string; protocol: string; accepts: string[] }[]
      accounts: { username: string; roles: string[] }[]
      hostile: { origin: string }
      limits: Record<string, number>
    }
    const [router, ...doors] = table.doors.toReversed()
    expect(doors.map(({ id }) => id).toReversed()).toEqual(
      Array.from({ length: 14 }, (_, at) => `D${at + 1}`),
    )
    const url = `ws://localhost:${port}/ws`
    expect(router).toEqual({ id: 'WAMP', protocol: 'wamp', url, realm: 'realm1' })
    for (const door of doors) {
      const [protocol, scheme] = door.id === 'D14' ? ['socket.io', 'http:'] : ['text', /^wss?:$/]
      expect(door).toMatchObject({ origin: lab.url.slice(0, -1), protocol })
      expect(new URL(door.url).protocol).toMatch(scheme)
      expect(Number(new URL(door.url).port)).toBeLessThanOrEqual(port + 40)
      expect(door.accepts.length).toBeGreaterThan(0)
    }
    expect(table.accounts.map(({ username, roles }) => [username, roles])).toEqual([
      ['alice', ['user']],
      ['bob', ['user']],
      ['carol', ['admin']],
    ])
    expect(table.hostile.origin).not.toBe(lab.url.slice(0, -1))
    expect(table.limits).toEqual({
      preauth_deadline_ms: 10_000,
      preauth_per_source: 1_000,
      preauth_total: 1_000,
    })
  })

  it('shows its page to those who are logged in, and sends others to the login', async () => {
    const headers = await logIn()
    expect((await ask('/lab')).headers.get('location')).toBe('/login')
    const page = await ask('/lab', { headers })
    expect(page.status).toBe(200)
    expect(page.headers.get('content-security-policy')).not.toContain('unsafe')
  })

  it('speaks of one host name, whatever name it was opened under', async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/lab`, { redirect: 'manual' })
    expect(answer.headers.get('location')).toBe(`${lab.url}lab`)
    expect((await ask('/lab', { headers: { host: 'rebound.example' } })).status).not.toBe(200)
  })

  it.each(['alias', 'session'])('keeps its %s for those who are logged in', async (name) => {
    const method = name === 'session' ? 'POST' : 'GET'
    expect((await ask(`/lab/${name}`, { method })).status).toBe(401)
    const answer = await ask(`/lab/${name}`, { method, headers: await logIn() })
    expect(await answer.json()).toEqual({
      [name]: expect.stringMatching(name === 'alias' ? /^csa_/ : /^css_/),
    })
  })

  it('puts a secret that opens D13 into a page, made anew for each load and kept nowhere', async () => {
    const headers = { ...(await logIn()), 'accept-encoding': 'gzip, br' }
    const pages = await Promise.all([1, 2].map(() => ask('/lab/login-secret', { headers })))
    for (const { headers: sent } of pages) {
      expect([sent.get('cache-control'), sent.get('content-encoding')]).toEqual(['no-store', null])
      expect(sent.get('content-security-policy')).not.toContain('unsafe')
    }
    const given = await Promise.all(pages.map(async (page) => secretIn(await page.text())))
    expect(new Set(given.flatMap(({ username, secret }) => [username, secret])).size).toBe(4)
    for (const credential of given) {
      const parts = { url: `ws://localhost:${port + 13}/`, credential, oldSignature: '' }
      const visit = await knock(planAt('challenge', parts), { patienceMs: 5_000, behind: [] })
      visit.close()
      expect([visit.measured, visit.greeted]).toEqual([accepted, 'alice'])
    }
  })

  it('keeps the page with the secret for those who are logged in', async () => {
    const answer = await ask('/lab/login-secret')
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/login'])
    expect(await answer.text()).toBe('')
    const elsewhere = await fetch(`http://127.0.0.1:${port}/lab/login-secret`, { redirect: 'manual' })
    expect(elsewhere.headers.get('location')).toBe(`${lab.url}lab/login-secret`)
  })

  it.each(['ticket', 'jwt', 'alias', 'preauth', 'challenge_secret', 'frame', 'session'])(
    'makes a %s that is over already',
    async (kind) => {
      const headers = { ...(await logIn()), 'content-type': 'application/json' }
      const answer = await ask('/lab/expired', {
        method: 'POST',
        headers,
        body: JSON.stringify({ door: 'D2', kind }),
      })
      expect(answer.status).toBe(200)
      expect(Object.keys((await answer.json()) as object).length).toBeGreaterThan(0)
    },
  )

  it('makes nothing expired for a door or of a kind that it does not know', async () => {
    const headers = { ...(await logIn()), 'content-type': 'application/json' }
    for (const body of [{ door: 'D99', kind: 'ticket' }, { door: 'D2', kind: 'crown' }, {}]) {
      const answer = await ask('/lab/expired', { method: 'POST', headers, body: JSON.stringify(body) })
      expect(answer.status).toBe(400)
    }
  })

  it('takes a cookie of a door back, and no other', async () => {
    const headers = { ...(await logIn()), 'content-type': 'application/json' }
    const forget = (door: string): Promise<Response> =>
      ask('/lab/forget', { method: 'POST', headers, body: JSON.stringify({ door }) })
    expect((await forget('D3')).headers.getSetCookie()[0]).toMatch(/^countersign-frame=;.*Max-Age=0/)
    expect((await forget('D7')).status).toBe(400)
  })

  it('records the exchange of a socket that asks for it, without its secrets', async () => {
    const headers = { ...(await logIn()), 'content-type': 'application/json' }
    const issued = await ask('/countersign/ticket', { method: 'POST', headers, body: '{"audience":"D2"}' })
    const { ticket } = (await issued.json()) as { ticket: string }
    const socket = new WebSocket(`ws://localhost:${port + 2}/?ticket=${ticket}&probe=seen`)
    expect(String((await once(socket, 'message'))[0])).toBe('Hello alice!')
    socket.close()
    await once(socket, 'close')
    const lines = JSON.stringify(await (await ask('/lab/wire?probe=seen', { headers })).json())
    expect(lines).not.toContain(ticket.slice(4))
    for (const text of ['cst_••••', 'HTTP/1.1 101', 'Hello alice!']) expect(lines).toContain(text)
  })

  it('lets a login ask for lasting secrets so often and no more', async () => {
    const headers = await logIn()
    const answers: number[] = []
    for (let at = 0; at < 125; at++) answers.push((await ask('/lab/login-secret', { headers })).status)
    expect(answers.filter((status) => status === 200).length).toBeLessThanOrEqual(120)
    const refused = await ask('/lab/login-secret', { headers })
    expect([refused.status, Number(refused.headers.get('retry-after')) > 0]).toEqual([429, true])
    expect((await ask('/lab/login-secret', { headers: await logIn() })).status).toBe(200)
  })

  it('lets a login ask for aliases so often and no more', async () => {
    const headers = await logIn()
    const answers: number[] = []
    // Two minutes' worth, should the minute turn meanwhile.
    for (let at = 0; at < 1_205; at++) answers.push((await ask('/lab/alias', { headers })).status)
    expect(answers[0]).toBe(200)
    expect(answers).toContain(429)
  })

  it('shows the documentation that its cases point at', async () => {
    const answer = await ask('/docs/doors/first-message.md')
    expect(answer.status).toBe(200)
    expect(await answer.text()).toContain('<h1')
  })

  it('names the port that is taken and who wanted it, and leaves nothing open', async () => {
    const block = await freeBlock(41, 27_000)
    const other = createServer().listen(block + 5, '127.0.0.1')
    await once(other, 'listening')
    await expect(startLab({ port: block, log })).rejects.toThrow(
      `port ${block + 5} is taken (D5 Machine to machine)`,
    )
    other.close()
    await once(other, 'close')
    expect(await listeners(block, 41)).toEqual([])
  })

  it('refuses a block of ports that does not fit', () => {
    for (const first of [0, -1, 1.5, 65_530, Number.NaN]) expect(() => portsFrom(first)).toThrow(RangeError)
  })
})
