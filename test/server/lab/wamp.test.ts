import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Writable } from 'node:stream'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { WebSocket, type ClientOptions } from 'ws'
import { freeBlock } from '../../../tools/ports.ts'
import type { Autobahn } from '../../../packages/server/src/lab/browser/autobahn.ts'
import type { Knock } from '../../../packages/server/src/lab/browser/knock.ts'
import {
  aborted,
  denied,
  isOpen,
  joined,
  loggedOut,
  unproven,
  type Measured,
} from '../../../packages/server/src/lab/browser/outcome.ts'
import { joinRealm, type JoinPlan } from '../../../packages/server/src/lab/browser/wamp-join.ts'
import { wampSigner, wampUsers } from '../../../packages/server/src/lab/browser/wamp-users.ts'
import { startLab, type Lab } from '../../../packages/server/src/lab/lab.ts'
import { createLog } from '../../../packages/server/src/server/log.ts'

const log = createLog({
  level: 'silent',
  destination: new Writable({ write: (_chunk, _encoding, done) => done() }),
})
const load = createRequire(import.meta.url)
const clientFile = load.resolve('autobahn-browser/autobahn.min.js')
let autobahn: Autobahn
let lab: Lab
let url: string
const visits: Knock[] = []

beforeAll(async () => {
  // The client writes a warning whenever a connection ends, and keeps the console's function from its loading on.
  const { warn } = console
  console.warn = () => undefined
  // The package itself, of the shape that the lab says it uses.
  autobahn = load(clientFile) as Autobahn
  console.warn = warn
  lab = await startLab({ port: await freeBlock(41, 28_000), log })
  url = `${lab.url.replace('http', 'ws')}ws`
})
afterEach(() => visits.splice(0).forEach((visit) => visit.close()))
afterAll(() => lab.close())

type Attempt = Partial<JoinPlan> & Pick<JoinPlan, 'by' | 'authid' | 'secret'>

async function join(attempt: Attempt): Promise<Knock> {
  const visit = await joinRealm({
    client: () => Promise.resolve(autobahn),
    url,
    realm: 'realm1',
    oldSignature: '',
    deed: 'call',
    patienceMs: 5_000,
    ...attempt,
  })
  visits.push(visit)
  return visit
}

async function outcomeOf(attempt: Attempt): Promise<Measured> {
  return (await join(attempt)).measured
}

async function logIn(): Promise<Record<string, string>> {
  const answer = await fetch(`${lab.url}login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'alice', password: 'alice-in-the-lab' }),
  })
  const cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  return { cookie, origin: lab.url.slice(0, -1), 'content-type': 'application/json' }
}

async function post(
  path: string,
  headers: Record<string, string>,
  body: object,
): Promise<Record<string, string>> {
  const answer = await fetch(new URL(path, lab.url), { method: 'POST', headers, body: JSON.stringify(body) })
  // What the site answers is pinned by its own tests.
  return (await answer.json()) as Record<string, string>
}

async function loginSecret(headers: Record<string, string>): Promise<Attempt> {
  const { authid = '', secret = '' } = await post('/countersign/challenge-secret', headers, {})
  return { by: 'wampcra', authid, secret }
}

const joe = { by: 'wampcra', ...wampUsers.plain } as const

describe('the realm of the lab', () => {
  it.each([
    ['joe, who shares a secret', joe],
    ['peter, whose secret is salted', { by: 'wampcra', ...wampUsers.salted }],
    [
      'ada, who has a key',
      { by: 'cryptosign', authid: wampSigner.authid, secret: wampSigner.seed + wampSigner.publicKey },
    ],
  ] as const)('is joined by %s, as frontend', async (_name, attempt) => {
    expect(await outcomeOf(attempt)).toEqual(joined('frontend'))
  })

  it('is joined by an account with a single-use ticket, and with its password', async () => {
    const { ticket = '' } = await post('/countersign/ticket', await logIn(), { audience: 'WAMP' })
    const shown = { by: 'ticket', authid: 'alice', secret: ticket } as const
    expect(await outcomeOf(shown)).toEqual(joined('user'))
    expect(await outcomeOf(shown)).toEqual(aborted)
    expect(await outcomeOf({ ...shown, secret: 'alice-in-the-lab' })).toEqual(joined('user'))
  })

  it('refuses a ticket that is too old, and one that was issued for a door', async () => {
    const headers = await logIn()
    const { ticket: old = '' } = await post('/lab/expired', headers, { door: 'WAMP', kind: 'ticket' })
    const { ticket: other = '' } = await post('/countersign/ticket', headers, { audience: 'D1' })
    expect([old.length > 4, other.length > 4]).toEqual([true, true])
    for (const secret of [old, other])
      expect(await outcomeOf({ by: 'ticket', authid: 'alice', secret })).toEqual(aborted)
  })

  it('is joined by nobody in particular, to listen to one topic', async () => {
    const nobody = { by: 'anonymous', authid: '', secret: '' } as const
    expect(await outcomeOf({ ...nobody, deed: 'listen' })).toEqual(joined('anonymous'))
    expect(await outcomeOf({ ...nobody, deed: 'publish' })).toEqual(denied)
    expect(await outcomeOf({ ...nobody, deed: 'call' })).toEqual(denied)
  })

  it('lets nobody publish beside com.example.', async () => {
    expect(await outcomeOf({ ...joe, deed: 'publish' })).toEqual(joined('frontend'))
    expect(await outcomeOf({ ...joe, deed: 'publish-elsewhere' })).toEqual(denied)
  })

  it('challenges and refuses an unknown name as it does a wrong secret', async () => {
    const wrong = await join({ ...joe, secret: 'wrong' })
    const unknown = await join({ ...joe, authid: 'nobody' })
    expect([wrong.measured, unknown.measured]).toEqual([aborted, aborted])
    expect([wrong.realShape, unknown.realShape]).toEqual([true, true])
  })

  it('takes an answer once', async () => {
    const { signature } = await join(joe)
    expect(await outcomeOf({ ...joe, by: 'old-signature', oldSignature: signature })).toEqual(aborted)
  })
})

/** A browser's socket: it says where it is from, and keeps and shows the cookies of its server. */
class BrowserSocket extends WebSocket {
  static jar = ''
  static options: ClientOptions = {}

  constructor(target: string, protocols: string[]) {
    const { jar, options } = BrowserSocket
    super(target, protocols, { ...options, origin: lab.url.slice(0, -1), headers: { cookie: jar } })
    this.on('upgrade', ({ headers }) => {
      BrowserSocket.jar = headers['set-cookie']?.[0]?.split(';')[0] ?? jar
    })
    // In a browser nobody need listen.
    this.on('error', () => undefined)
  }
}

describe('the transport that sets cookies', () => {
  const back = { by: 'cookie', authid: 'alice', secret: '' } as const
  let place: { readonly url: string }

  beforeEach(() => {
    vi.stubGlobal('WebSocket', BrowserSocket)
    BrowserSocket.jar = ''
    place = { url: `${url}/cookie` }
  })
  afterEach(() => vi.unstubAllGlobals())

  async function firstVisit(): Promise<Measured> {
    const { ticket = '' } = await post('/countersign/ticket', await logIn(), { audience: 'WAMP' })
    const visit = await join({ ...place, by: 'ticket', authid: 'alice', secret: ticket })
    visit.close()
    await visit.closed
    return visit.measured
  }

  it('knows a client that comes back, again and again', async () => {
    expect(await firstVisit()).toEqual(joined('user'))
    expect(BrowserSocket.jar).toMatch(/^countersign-wamp=[\w-]{32}$/)
    expect(await outcomeOf({ ...place, ...back })).toEqual(joined('user'))
    expect(await outcomeOf({ ...place, ...back })).toEqual(joined('user'))
  })

  it('knows nobody who was never there, nor whoever has logged out', async () => {
    expect(await outcomeOf({ ...place, ...back })).toEqual(unproven)
    expect(await firstVisit()).toEqual(joined('user'))
    const leaving = { ...place, ...back, deed: 'call-and-log-out' } as const
    expect(await outcomeOf(leaving)).toEqual(joined('user'))
    expect(BrowserSocket.jar).not.toBe('')
    expect(await outcomeOf({ ...place, ...back })).toEqual(unproven)
  })

  it('is the one place where a cookie is worth something', async () => {
    expect(await firstVisit()).toEqual(joined('user'))
    expect(await outcomeOf(back)).toEqual({ kind: 'aborted', uri: 'wamp.error.no_matching_auth_method' })
  })
})

// Before anybody is revoked: a certificate is older than every revocation of the name in it.
describe('the router at D11', () => {
  const nameless = { by: 'certificate', authid: '', secret: '' } as const
  let place: { readonly url: string }

  beforeEach(() => {
    vi.stubGlobal('WebSocket', BrowserSocket)
    const door = new URL(url)
    place = { url: `wss://localhost:${Number(door.port) + 11}/ws` }
  })
  afterEach(() => {
    vi.unstubAllGlobals()
    BrowserSocket.options = {}
  })

  it('is joined with the certificate that it knows, and by nothing else', async () => {
    const { authority: ca, certificate: cert, privateKey: key } = lab.client
    BrowserSocket.options = { ca, cert, key }
    expect(await outcomeOf({ ...place, ...nameless })).toEqual(joined('user'))
    BrowserSocket.options = { ca }
    expect(await outcomeOf({ ...place, ...nameless })).toEqual(unproven)
    expect((await outcomeOf({ ...place, ...joe })).kind).toBe('aborted')
  })

  it('leaves every other path to the door', async () => {
    BrowserSocket.options = { ca: lab.client.authority }
    const elsewhere = place.url.replace('/ws', '/')
    expect((await outcomeOf({ url: elsewhere, ...nameless })).kind).not.toBe('joined')
  })
})

describe('a secret that was made for a login', () => {
  it('joins until the login ends, and its session ends with it', async () => {
    const headers = await logIn()
    const given = await loginSecret(headers)
    const visit = await join(given)
    expect(visit.measured).toEqual(joined('user'))
    await post('/logout', headers, {})
    expect(await visit.closed).toEqual(loggedOut)
    expect(await outcomeOf(given)).toEqual(aborted)
  })

  it('is another at every request', async () => {
    const headers = await logIn()
    const [one, other] = [await loginSecret(headers), await loginSecret(headers)]
    expect([one.authid, one.secret]).not.toEqual([other.authid, other.secret])
    expect(isOpen(await outcomeOf(one))).toBe(true)
    expect(isOpen(await outcomeOf(other))).toBe(true)
  })

  it('ends by revocation as well', async () => {
    const visit = await join(await loginSecret(await logIn()))
    const carol = await fetch(`${lab.url}lab/doors.json`)
    const { accounts } = (await carol.json()) as { accounts: { username: string; api_key: string }[] }
    const key = accounts.find(({ username }) => username === 'carol')?.api_key ?? ''
    const revoked = await fetch(`${lab.url}countersign/revoke`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ subject: 'alice' }),
    })
    expect(revoked.ok).toBe(true)
    expect(await visit.closed).toEqual({ kind: 'ended', uri: 'wamp.close.killed' })
  })
})

/** The status of an upgrade that is refused. */
async function statusOf(target: string, origin: string): Promise<number | undefined> {
  const socket = new WebSocket(target, ['wamp.2.json'], { origin })
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode?: number }]
  socket.on('error', () => undefined)
  socket.terminate()
  return response.statusCode
}

describe('the listener of the site', () => {
  it('closes in spite of sessions that stay, and says goodbye to them', async () => {
    const other = await startLab({ port: await freeBlock(41, 29_000), log })
    const visit = await join({ ...joe, url: `${other.url.replace('http', 'ws')}ws` })
    await other.close()
    expect(await visit.closed).toEqual({ kind: 'ended', uri: 'wamp.close.system_shutdown' })
  })

  it('refuses pages of other origins before any HELLO', async () => {
    for (const place of [url, `${url}/cookie`]) expect(await statusOf(place, 'http://localhost:1')).toBe(403)
  })

  it('has the router at its paths and nowhere else', async () => {
    const origin = lab.url.slice(0, -1)
    for (const path of ['', 'w', 'wss', 'ws/', 'ws/cookie/', 'ws/cookies', 'lab'])
      expect(await statusOf(`${url.slice(0, -2)}${path}`, origin)).toBe(404)
  })

  it('records a session that asks for it, without what answers its challenge', async () => {
    const { ticket = '' } = await post('/countersign/ticket', await logIn(), { audience: 'WAMP' })
    await join({ by: 'ticket', authid: 'alice', secret: ticket, url: `${url}?probe=wamp-1` })
    await join({ by: 'ticket', authid: 'alice', secret: 'alice-in-the-lab', url: `${url}?probe=wamp-2` })
    for (const probe of ['wamp-1', 'wamp-2']) {
      const text = await (await fetch(`${lab.url}lab/wire?probe=${probe}`)).text()
      expect(text).toContain('AUTHENTICATE [5,\\"••••\\"')
      expect(text).toContain('WELCOME [2,')
      expect(text).not.toContain('alice-in-the-lab')
      expect(text).not.toContain(ticket.slice(4))
    }
  })

  it('serves the client as its authors publish it', async () => {
    const answer = await fetch(`${lab.url}assets/lab/autobahn.min.js`)
    expect(answer.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
    const file = readFileSync(clientFile)
    expect(Buffer.from(await answer.arrayBuffer()).equals(file)).toBe(true)
  })
})
