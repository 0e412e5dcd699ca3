/** What other programs may rely on: the lab as a stranger meets it, without a browser and without our own client code. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { logIn, postAs, runLab, type RunningLab } from '../support/running-lab.ts'

const ids = Array.from({ length: 13 }, (_, at) => `D${at + 1}`)
/** As long as what stands behind the prefix of a secret, and never issued. */
const madeUp = 'x'.repeat(43)

let lab: RunningLab
let cookie: string
let site: string

beforeAll(async () => {
  lab = await runLab()
  cookie = await logIn(lab)
  site = lab.url.slice(0, -1)
})
afterAll(() => lab.stop())

interface Knock {
  readonly target?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly send?: readonly string[]
  /** How many messages to wait for; then the socket is closed from here. */
  readonly expect?: number
}

interface Heard {
  readonly status: number
  readonly body: string
  readonly challenge: string
  readonly messages: readonly string[]
  readonly close: readonly [number, string] | undefined
}

const silence: Heard = { status: 101, body: '', challenge: '', messages: [], close: undefined }

/** Knocks once, to the end: a refusal by HTTP, a close, or as many messages as were waited for. */
function knock(door: string, shown: Knock = {}): Promise<Heard> {
  const url = new URL(shown.target ?? '/', lab.door(door).url)
  const socket = new WebSocket(url, { headers: { ...shown.headers }, rejectUnauthorized: false })
  const messages: string[] = []
  return new Promise((resolve, reject) => {
    socket.on('open', () => {
      for (const message of shown.send ?? []) socket.send(message)
    })
    socket.on('message', (data) => {
      messages.push(String(data))
      if (messages.length !== shown.expect) return
      resolve({ ...silence, messages })
      socket.terminate()
    })
    socket.on('close', (code, reason) => resolve({ ...silence, messages, close: [code, String(reason)] }))
    socket.on('error', reject)
    socket.on('unexpected-response', (_request, response) => {
      let body = ''
      response.on('data', (chunk) => (body += String(chunk)))
      response.on('end', () =>
        resolve({
          ...silence,
          status: response.statusCode ?? 0,
          body,
          challenge: response.headers['www-authenticate'] ?? '',
        }),
      )
    })
  })
}

async function ticketFor(audience: string): Promise<string> {
  return String((await postAs(lab, cookie, { path: '/countersign/ticket', body: { audience } }))['ticket'])
}

/** Posts as a machine does: with an API key, without cookie and Origin. */
async function postWithKey(
  path: string,
  body: object,
  key = lab.doors.accounts[0]?.api_key,
): Promise<unknown> {
  const answer = await fetch(new URL(path, lab.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key ?? ''}` },
    body: JSON.stringify(body),
  })
  return answer.json()
}

const seconds = expect.any(Number) as number
const lease = expect.stringMatching(/^[\w-]{22}$/) as string

describe('what the site answers', () => {
  it('publishes accounts, doors, the hostile site and limits, each with the members that are promised', async () => {
    const { accounts, hostile, limits } = lab.doors
    const doors = lab.doors.doors.filter(({ protocol }) => protocol === 'text')
    const others = lab.doors.doors.filter((door) => !doors.includes(door))
    for (const account of accounts) {
      expect(Object.keys(account)).toEqual(['username', 'password', 'api_key', 'roles'])
    }
    for (const door of doors) {
      expect(door).toMatchObject({ url: expect.stringMatching(/^wss?:/), origin: site, protocol: 'text' })
      expect(door.accepts.length).toBeGreaterThan(0)
    }
    expect(doors.map(({ id }) => id)).toEqual(ids)
    const url = `${lab.url.replace('http', 'ws')}ws`
    const socketIo = {
      id: 'D14',
      name: 'Socket.IO',
      url: `http://localhost:${lab.port + 14}/`,
      origin: site,
      protocol: 'socket.io',
      accepts: ['ticket', 'jwt', 'session'],
    }
    expect(others).toEqual([socketIo, { id: 'WAMP', protocol: 'wamp', url, realm: 'realm1' }])
    expect(Object.keys(hostile)).toEqual(['origin'])
    expect(Object.keys(limits)).toEqual(['preauth_deadline_ms', 'preauth_per_source', 'preauth_total'])
  })

  it.each([
    ['a form', 'application/x-www-form-urlencoded', 'username=bob&password=bob-in-the-lab', 303],
    ['JSON', 'application/json', '{"username":"bob","password":"bob-in-the-lab"}', 200],
  ])(
    'logs in by %s without a browser, tells who that is, and logs out',
    async (_name, type, body, status) => {
      for (const from of [{}, { origin: site }]) {
        const answer = await fetch(`${site}/login`, {
          method: 'POST',
          redirect: 'manual',
          headers: { 'content-type': type, ...from },
          body,
        })
        expect(answer.status).toBe(status)
        const session = answer.headers.getSetCookie()[0]?.split(';', 1)[0] ?? ''
        const me = await fetch(`${site}/me`, { headers: { cookie: session } })
        expect(await me.json()).toMatchObject({ username: 'bob', roles: ['user'] })
        await fetch(`${site}/logout`, { method: 'POST', headers: { cookie: session, origin: site } })
        expect((await fetch(`${site}/me`, { headers: { cookie: session } })).status).toBe(401)
      }
    },
  )

  it('issues to a session and to an API key alike, with exactly the members that are promised', async () => {
    const body = { audience: 'D2' }
    const ticket = { ticket: expect.stringMatching(/^cst_/), expires_in: 30, lease }
    expect(await postAs(lab, cookie, { path: '/countersign/ticket', body })).toEqual(ticket)
    expect(await postWithKey('/countersign/ticket', body)).toEqual(ticket)
    const url = expect.stringMatching(lab.door('D10').url) as string
    const connect = { ok: true, url, expires_in: 30, lease }
    expect(await postAs(lab, cookie, { path: '/countersign/connect', body: {} })).toEqual(connect)
    expect(await postWithKey('/countersign/connect', {})).toEqual(connect)
    const preauth = { csrf: expect.any(String), expires_in: seconds, lease }
    expect(await postAs(lab, cookie, { path: '/countersign/preauth', body: {} })).toEqual(preauth)
    const alias = await fetch(`${site}/lab/alias`, { headers: { cookie } })
    expect(await alias.json()).toEqual({ alias: expect.any(String) })
  })
})

describe('a door whose protocol is text', () => {
  const greeted = (name: string): Heard => ({ ...silence, messages: [`Hello ${name}!`, 'one', 'two'] })
  const send = ['one', 'two']

  it('greets by name and echoes each message', async () => {
    const target = `/?ticket=${await ticketFor('D2')}`
    expect(await knock('D2', { target, send, expect: 3 })).toEqual(greeted('alice'))
    const { url } = (await postWithKey('/countersign/connect', {}, lab.doors.accounts[1]?.api_key)) as {
      url: string
    }
    const single = url.slice(lab.door('D10').url.length - 1)
    expect(await knock('D10', { target: single, send, expect: 3 })).toEqual(greeted('bob'))
    const session = { cookie, origin: site }
    expect(await knock('D7', { headers: session, send, expect: 3 })).toEqual(greeted('alice'))
  })

  it('answers a first message with auth_ok only when the credential came as an object', async () => {
    const bare = await ticketFor('D1')
    expect(await knock('D1', { send: [bare, ...send], expect: 3 })).toEqual(greeted('alice'))
    const object = JSON.stringify({ type: 'auth', token: await ticketFor('D1') })
    const { messages } = await knock('D1', { send: [object, ...send], expect: 4 })
    expect(JSON.parse(messages[0] ?? '')).toEqual({ type: 'auth_ok', expires_in: seconds, lease })
    expect(messages.slice(1)).toEqual(greeted('alice').messages)
  })

  it('takes no ticket of another door', async () => {
    const target = `/?ticket=${await ticketFor('D1')}`
    expect(await knock('D2', { target })).toMatchObject({ status: 401, body: 'Invalid token' })
    expect(await knock('D1', { send: [await ticketFor('D2')] })).toMatchObject({
      messages: [],
      close: [3000, 'invalid_credential'],
    })
  })
})

describe('a refusal', () => {
  const basic = { authorization: `Basic ${Buffer.from('alice:wrong').toString('base64')}` }

  it('tells programs at the query door what is wrong with the token', async () => {
    expect(await knock('D2')).toMatchObject({ status: 401, body: 'Missing token' })
    expect(await knock('D2', { target: `/?ticket=cst_${madeUp}` })).toMatchObject({
      status: 401,
      body: 'Invalid token',
    })
  })

  it('tells at the doors of Authorization what could be shown, to pages too where they would ask for it', async () => {
    const userInformation = { status: 401, challenge: 'Basic realm="D4", charset="UTF-8"' }
    for (const from of [{}, { origin: site }]) {
      expect(await knock('D4', { headers: from })).toMatchObject(userInformation)
      expect(await knock('D4', { headers: { ...from, ...basic } })).toMatchObject(userInformation)
    }
    const machine = await knock('D5')
    expect(machine.status).toBe(401)
    expect(machine.challenge).toMatch(/^Bearer realm="D5", Basic realm="D5"/)
    const bearer = { authorization: `Bearer csk_${madeUp}` }
    expect((await knock('D5', { headers: bearer })).challenge).toContain('error="invalid_token"')
  })

  it('of a credential reaches browsers as a close with the code of the table', async () => {
    const headers = { origin: site }
    const missing = { status: 101, messages: [], close: [3000, 'missing_credential'] }
    for (const door of ['D2', 'D5', 'D6', 'D7', 'D9', 'D10', 'D11']) {
      expect(await knock(door, { headers }), door).toMatchObject(missing)
    }
    const target = `/?ticket=cst_${madeUp}`
    expect(await knock('D2', { headers, target })).toMatchObject({ close: [3000, 'invalid_credential'] })
  })

  it.each(ids)('of a forbidden Origin is HTTP 403 at %s', async (door) => {
    for (const origin of [lab.doors.hostile.origin, 'null']) {
      expect(await knock(door, { headers: { origin } }), origin).toMatchObject({ status: 403 })
    }
  })
})
