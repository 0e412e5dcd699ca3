import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { logIn, postAs, runLab, type RunningLab } from '../support/running-lab.ts'
import { gotIn, visit, type Visit } from './support/attacker.ts'

let lab: RunningLab
const site = (): string => `http://localhost:${lab.port}`
const urlOf = (id: string): string => lab.door(id).url
const keyOf = (name: string): string =>
  lab.doors.accounts.find(({ username }) => username === name)?.api_key ?? ''

beforeAll(async () => {
  lab = await runLab()
})

afterAll(async () => {
  await lab.stop()
})

interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
  readonly text: string
}

/** Posts JSON with exactly these headers. */
async function post(
  path: string,
  headers: Readonly<Record<string, string>>,
  body: unknown = {},
): Promise<Answer> {
  const answer = await fetch(new URL(path, `${site()}/`), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    redirect: 'manual',
  })
  const text = await answer.text()
  const isJson = answer.headers.get('content-type')?.startsWith('application/json') === true
  // Objects are all that the site answers.
  return { status: answer.status, text, body: isJson ? (JSON.parse(text) as Answer['body']) : {} }
}

const bearer = (name: string): Readonly<Record<string, string>> => ({
  authorization: `Bearer ${keyOf(name)}`,
})
const ask = (cookie: string, path: string, body: object = {}): ReturnType<typeof postAs> =>
  postAs(lab, cookie, { path, body })

async function ticketFor(cookie: string, audience: string, more: object = {}): Promise<string> {
  return String((await ask(cookie, 'countersign/ticket', { audience, ...more }))['ticket'])
}

describe('a credential shown where it does not belong', () => {
  let cookie = ''
  beforeAll(async () => {
    cookie = await logIn(lab, 'alice')
  })
  const origin = (): string => site()
  const session = (): string => cookie.split('=')[1] ?? ''
  const alias = async (): Promise<string> => {
    const answer = await fetch(`${site()}/lab/alias`, { headers: { cookie } })
    return String(((await answer.json()) as { alias: unknown }).alias)
  }
  const cookieAt = (id: string, text: string): Promise<Visit> =>
    visit({ url: urlOf(id), origin: origin(), headers: { cookie: text } })

  it.each<[string, () => Promise<Visit>]>([
    [
      'a ticket for D1 at D2',
      async () => visit({ url: `${urlOf('D2')}?ticket=${await ticketFor(cookie, 'D1')}` }),
    ],
    [
      'a ticket for D2 at D10',
      async () => visit({ url: `${urlOf('D10')}?ticket=${await ticketFor(cookie, 'D2')}` }),
    ],
    [
      'a frame ticket at D3',
      async () => cookieAt('D3', `countersign-frame=${await ticketFor(cookie, 'D3', { purpose: 'frame' })}`),
    ],
    [
      'a frame ticket at D2',
      async () =>
        visit({
          url: `${urlOf('D2')}?ticket=${await ticketFor(cookie, 'D2', { purpose: 'frame' })}`,
          origin: origin(),
        }),
    ],
    [
      'a CSRF token at D2',
      async () =>
        visit({ url: `${urlOf('D2')}?ticket=${String((await ask(cookie, 'countersign/preauth'))['csrf'])}` }),
    ],
    [
      'a CSRF token as first message',
      async () =>
        visit({ url: urlOf('D1'), says: String((await ask(cookie, 'countersign/preauth'))['csrf']) }),
    ],
    ['the login session as the alias', () => visit({ url: urlOf('D8'), says: session() })],
    ['the login session as the frame’s', () => cookieAt('D3', `countersign-frame=${session()}`)],
    ['the login session as preauth', async () => cookieAt('D9', `countersign-preauth=${session()}`)],
    ['the alias as first message of D1', async () => visit({ url: urlOf('D1'), says: await alias() })],
    ['the alias as the session cookie', async () => cookieAt('D7', `countersign-session=${await alias()}`)],
    ['an API key as a ticket', () => visit({ url: `${urlOf('D2')}?ticket=${keyOf('alice')}` })],
    [
      'a token of D5 at D6',
      async () =>
        visit({
          url: urlOf('D6'),
          protocols: ['countersign.v1', `countersign.bearer.${await tokenFor('D5')}`],
        }),
    ],
    ['a token of D5 at D1', async () => visit({ url: urlOf('D1'), says: await tokenFor('D5') })],
    ['the session cookie without an Origin', () => visit({ url: urlOf('D7'), headers: { cookie } })],
    [
      'the session cookie of a page of D1',
      () =>
        visit({
          url: urlOf('D7'),
          headers: { cookie },
          origin: urlOf('D1').replace(/^ws|\/$/g, (part) => (part === '/' ? '' : 'http')),
        }),
    ],
  ])('opens nothing: %s', async (_what, knock) => {
    expect(gotIn(await knock())).toBe(false)
  })

  async function tokenFor(audience: string): Promise<string> {
    return String((await ask(cookie, 'countersign/token', { audience }))['access_token'])
  }

  it('does not log in at the site as an alias, a frame session or a preauth session', async () => {
    for (const value of [await alias(), 'csf_x', 'csp_x'])
      expect(
        (await fetch(`${site()}/me`, { headers: { cookie: `countersign-session=${value}` } })).status,
      ).toBe(401)
  })

  it('sets no cookie in the frame, be it of another purpose, guard or page', async () => {
    const door = urlOf('D3').replace(/^ws/, 'http')
    const own = new URL(door).origin
    const exchange = async (ticket: string, page: string, from = own): Promise<number> => {
      const answer = await fetch(`${door}countersign/exchange`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: from },
        body: JSON.stringify({ ticket, origin: page }),
      })
      expect(answer.headers.get('set-cookie') === null).toBe(!answer.ok)
      return answer.status
    }
    const frame = (): Promise<string> => ticketFor(cookie, 'D3', { purpose: 'frame' })
    expect(await exchange(await ticketFor(cookie, 'D3'), site())).toBe(401)
    expect(await exchange(await ticketFor(cookie, 'D2', { purpose: 'frame' }), site())).toBe(401)
    expect(await exchange(await frame(), `http://127.0.0.1:${lab.port}`)).toBe(401)
    expect(await exchange(await frame(), site(), site())).toBe(403)
    expect(await exchange(await frame(), site())).toBe(200)
  })
})

describe('someone who asks for more than is theirs', () => {
  it.each(['countersign/ticket', 'countersign/connect', 'countersign/token'])(
    'is not given it by %s, neither logged in nor with a key to connect',
    async (path) => {
      const cookie = await logIn(lab, 'alice')
      for (const more of [
        { subject: 'carol' },
        { roles: ['admin'] },
        { subject: 'alice', roles: ['admin'] },
      ]) {
        const body = { audience: 'D2', ...more }
        expect((await post(path, { cookie, origin: site() }, body)).status).toBe(403)
        expect((await post(path, bearer('alice'), body)).status).toBe(403)
      }
    },
  )

  it('revokes nothing', async () => {
    const cookie = await logIn(lab, 'alice')
    expect((await post('countersign/revoke', { cookie, origin: site() }, { subject: 'carol' })).status).toBe(
      403,
    )
    expect((await post('countersign/revoke', bearer('alice'), { subject: 'carol' })).status).toBe(403)
  })

  it('refreshes neither a foreign lease nor its own by someone else’s credential', async () => {
    const [alice, carol] = [await logIn(lab, 'alice'), await logIn(lab, 'carol')]
    const issued = await ask(alice, 'countersign/ticket', { audience: 'D2' })
    const open = await visit({ url: `${urlOf('D2')}?ticket=${String(issued['ticket'])}` })
    const path = `countersign/leases/${String(issued['lease'])}/refresh`
    const refresh = async (as: string, credential: string): Promise<Answer> =>
      post(path, { cookie: as, origin: site() }, { credential })
    const unknown = await post(
      `countersign/leases/nobody/refresh`,
      { cookie: carol, origin: site() },
      { credential: 'x' },
    )
    const foreign = await refresh(carol, await ticketFor(carol, 'D2'))
    expect([foreign.status, foreign.text]).toEqual([unknown.status, unknown.text])
    expect((await refresh(alice, await ticketFor(carol, 'D2'))).status).toBe(403)
    expect((await refresh(alice, await ticketFor(alice, 'D1'))).status).toBe(401)
    expect((await refresh(alice, keyOf('alice'))).status).toBe(401)
    expect((await refresh(alice, 'x\r\nCookie: countersign-session=a')).status).toBe(401)
    expect((await refresh(alice, await ticketFor(alice, 'D2'))).status).toBe(200)
    open.socket.terminate()
  })
})

describe('whatever is under way when it ends', () => {
  it('nothing that was asked for during a logout opens anything after it', async () => {
    for (let round = 0; round < 12; round++) {
      const cookie = await logIn(lab, 'alice')
      const headers = { cookie, origin: site() }
      const asked = Array.from({ length: 6 }, () => post('countersign/ticket', headers, { audience: 'D2' }))
      const tokens = Array.from({ length: 3 }, () => post('countersign/token', headers, { audience: 'D6' }))
      await post('logout', headers)
      const urls = secretsOf(await Promise.all(asked), 'ticket').map((one) => ({
        url: `${urlOf('D2')}?ticket=${one}`,
      }))
      const subprotocols = secretsOf(await Promise.all(tokens), 'access_token').map((one) => ({
        url: urlOf('D6'),
        protocols: ['countersign.v1', `countersign.bearer.${one}`],
      }))
      const visits = await Promise.all([...urls, ...subprotocols].map(visit))
      expect(visits.filter(gotIn)).toEqual([])
    }
  })

  function secretsOf(answers: readonly Answer[], member: string): readonly string[] {
    return answers.flatMap(({ body }) => (typeof body[member] === 'string' ? [body[member]] : []))
  }

  it('logging out of a child session ends the family', async () => {
    const cookie = await logIn(lab, 'alice')
    const child = `countersign-session=${String((await ask(cookie, 'lab/session'))['session'])}`
    const isIn = async (shown: string): Promise<boolean> =>
      (await fetch(`${site()}/me`, { headers: { cookie: shown } })).ok
    expect([await isIn(child), await isIn(cookie)]).toEqual([true, true])
    await ask(child, 'logout')
    expect([await isIn(child), await isIn(cookie)]).toEqual([false, false])
  })

  it('no socket of a revoked subject is open once the revocation is acknowledged', async () => {
    const knocks = Array.from({ length: 40 }, () => visit({ url: urlOf('D5'), headers: bearer('bob') }))
    const revoked = post('countersign/revoke', bearer('carol'), { subject: 'bob' })
    const visits = await Promise.all(knocks)
    expect((await revoked).status).toBe(200)
    const late = await visit({ url: urlOf('D5'), headers: bearer('bob') })
    expect(gotIn(late)).toBe(false)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(visits.filter(({ socket }) => socket.readyState === socket.OPEN)).toEqual([])
  })
})

describe('someone who guesses', () => {
  it('is told the same bytes for a name that exists and one that does not', async () => {
    const basic = (name: string): Promise<string> =>
      fetchText('D5', { authorization: `Basic ${Buffer.from(`${name}:wrong`).toString('base64')}` })
    expect(await basic('alice')).toBe(await basic('nobody'))
    const [known, unknown] = [
      await post('login', {}, { username: 'carol', password: 'x' }),
      await post('login', {}, { username: 'nobody', password: 'x' }),
    ]
    expect(known).toEqual(unknown)
  })

  it('is not set back by a forwarded address that changes with every try', async () => {
    const statuses: number[] = []
    for (let at = 0; at < 1_010; at++) {
      const headers = { 'x-forwarded-for': `203.0.113.${at % 250}`, forwarded: `for=203.0.113.${at % 250}` }
      const { status } = await post('login', headers, { username: 'mallory', password: 'guess' })
      statuses.push(status)
      if (status === 429) break
    }
    expect(statuses.at(-1)).toBe(429)
  })

  async function fetchText(id: string, headers: Readonly<Record<string, string>>): Promise<string> {
    const { WebSocket } = await import('ws')
    return new Promise((resolve) => {
      const socket = new WebSocket(urlOf(id), { headers: { ...headers } })
      socket.on('error', () => undefined)
      socket.on('unexpected-response', (_request, response) => {
        let body = ''
        response.on('data', (chunk: Buffer) => (body += chunk.toString()))
        response.on('end', () => resolve(JSON.stringify([response.statusCode, response.rawHeaders, body])))
      })
    })
  }
})
