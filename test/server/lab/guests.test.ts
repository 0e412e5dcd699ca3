import { once } from 'node:events'
import { Writable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { guestMs, Guests, maxGuests } from '../../../packages/server/src/lab/guests.ts'
import { startLab, type Lab } from '../../../packages/server/src/lab/lab.ts'
import { createLog } from '../../../packages/server/src/server/log.ts'
import { apiKey } from '../../../packages/countersign/src/methods/index.ts'
import { authorization, createGuard, memory } from '../../../packages/countersign/src/index.ts'
import { argon2Passwords } from '../../../packages/countersign/src/platform/argon2.ts'
import { freeBlock } from '../../../tools/ports.ts'

const output: string[] = []
const log = createLog({
  level: 'debug',
  destination: new Writable({
    write(chunk, _encoding, done) {
      output.push(String(chunk))
      done()
    },
  }),
})
let port: number
let lab: Lab
beforeAll(async () => {
  port = await freeBlock(41, 28_000)
  lab = await startLab({ port, log })
})
afterAll(() => lab.close())

type Headers = Record<string, string>

async function logIn(username = 'alice'): Promise<Headers> {
  const answer = await fetch(new URL('/login', lab.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username, password: `${username}-in-the-lab` }),
  })
  const cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  return { cookie, origin: lab.url.slice(0, -1), 'content-type': 'application/json' }
}

function post(path: string, body: object, headers: Headers): Promise<Response> {
  return fetch(new URL(path, lab.url), { method: 'POST', headers, body: JSON.stringify(body) })
}

/** The cookie that an answer sets. */
function cookieOf(answer: Response): string {
  return answer.headers.getSetCookie()[0]?.split(';')[0] ?? ''
}

interface Invited {
  readonly guest: string
  readonly username: string
  readonly api_key: string
  readonly credential: Readonly<Record<string, string>>
}

async function invite(headers: Headers, door = 'D2', life = 20_000): Promise<Invited> {
  const answer = await post('/lab/guests', { door, life_ms: life }, headers)
  expect(answer.status).toBe(200)
  // The shape is checked by what is done with it.
  return (await answer.json()) as Invited
}

/** Opens D2 as the guest, and answers how the socket ends. */
async function open({ credential, username }: Invited): Promise<{ readonly end: Promise<string> }> {
  const socket = new WebSocket(credential['url'] ?? '', { origin: lab.url.slice(0, -1) })
  const end = new Promise<string>((resolve) => {
    socket.on('close', (code, reason) => resolve(`${code} ${reason.toString()}`))
  })
  expect(String((await once(socket, 'message'))[0])).toBe(`Hello ${username}!`)
  return { end }
}

describe('guests of the lab', () => {
  it.each([
    ['log-out', '3003 logged_out'],
    ['revoke', '3003 revoked'],
    ['remove-role', '3003 revoked'],
  ])('are ended from elsewhere: %s', async (by, expected) => {
    const headers = await logIn()
    const [guest, other] = await Promise.all([invite(headers), invite(headers)])
    const [socket, bystander] = [await open(guest), await open(other)]
    expect((await post(`/lab/guests/${guest.guest}/end`, { by }, headers)).status).toBe(200)
    expect(await socket.end).toBe(expected)
    const still = Promise.race([bystander.end, Promise.resolve('open')])
    expect(await still).toBe('open')
    await fetch(new URL(`/lab/guests/${other.guest}`, lab.url), {
      method: 'DELETE',
      headers: { cookie: headers['cookie'] ?? '', origin: headers['origin'] ?? '' },
    })
    expect(await bystander.end).toBe('3003 revoked')
  })

  it('end with their lease of seconds, and their grace', async () => {
    const socket = await open(await invite(await logIn(), 'D2', 300))
    expect(await socket.end).toBe('3000 lease_expired')
  })

  it('hear numbers to the end, of which the wire keeps the first, the last and what decided', async () => {
    const headers = await logIn()
    const guest = await invite(headers, 'D2', 400)
    const url = `${guest.credential['url'] ?? ''}&probe=ticks&ticks=1`
    const socket = await open({ ...guest, credential: { url } })
    expect(await socket.end).toBe('3000 lease_expired')
    const answer = await fetch(new URL('/lab/wire?probe=ticks', lab.url), { headers })
    const { lines } = (await answer.json()) as { lines: { text: string; deciding: boolean; at_ms: number }[] }
    const ticks = lines.filter(({ text }) => text.includes('tick '))
    expect(ticks.map(({ text }) => text)).toEqual([
      expect.stringMatching(/^tick 1 \d+$/),
      expect.stringMatching(/^… tick \d\d -\d+$/),
    ])
    expect(lines.filter(({ deciding }) => deciding).map(({ text }) => text)).toEqual([
      'close 3000 lease_expired',
    ])
    const times = lines.map(({ at_ms }) => at_ms)
    expect(times).toEqual(times.toSorted((one, other) => one - other))
  })

  it('refresh their own lease by a fresh credential and their own key', async () => {
    const headers = await logIn()
    const guest = await invite(headers, 'D2', 1_000)
    const socket = await open(guest)
    const renewed = await post(`/lab/guests/${guest.guest}/credential`, { life_ms: 20_000 }, headers)
    const { credential } = (await renewed.json()) as { credential: string }
    const own = { authorization: `Bearer ${guest.api_key}`, 'content-type': 'application/json' }
    const listed = await fetch(new URL('/countersign/leases', lab.url), { headers: own })
    const { leases } = (await listed.json()) as { leases: { lease: string }[] }
    expect(leases).toHaveLength(1)
    const path = `/countersign/leases/${leases[0]?.lease ?? ''}/refresh`
    const answer = await post(path, { credential }, own)
    expect(await answer.json()).toEqual({ ok: true, expires_in: 20 })
    await post(`/lab/guests/${guest.guest}/end`, { by: 'log-out' }, headers)
    expect(await socket.end).toBe('3003 logged_out')
  })

  /** Opens a door with a cookie beside it, refreshes by what a renewal brought, and answers how that went. */
  async function refreshByCookie(
    door: string,
    shown: (credential: string | undefined) => object,
  ): Promise<readonly [answer: unknown, answers: boolean]> {
    const headers = await logIn()
    const { origin = '' } = headers
    const invited = await post('/lab/guests', { door, life_ms: 1_200 }, headers)
    // The shape is checked by what is done with it.
    const guest = (await invited.json()) as Invited
    const url = new URL(lab.listeners.find(({ name }) => name.startsWith(`${door} `))?.url ?? '')
    const { csrf } = guest.credential
    if (csrf !== undefined) url.searchParams.set('csrf', csrf)
    const socket = new WebSocket(url, { origin, headers: { cookie: cookieOf(invited) } })
    await once(socket, 'message')
    const renewed = await post(`/lab/guests/${guest.guest}/credential`, { life_ms: 20_000 }, headers)
    const { credential, cookie } = (await renewed.json()) as { credential?: string; cookie?: string }
    expect(cookieOf(renewed).split('=')[0]).toBe(cookie)
    const own = { authorization: `Bearer ${guest.api_key}`, 'content-type': 'application/json', origin }
    const listed = await fetch(new URL('/countersign/leases', lab.url), { headers: own })
    const { leases } = (await listed.json()) as { leases: { lease: string }[] }
    const path = `/countersign/leases/${leases[0]?.lease ?? ''}/refresh`
    const answer = await post(path, shown(credential), { ...own, cookie: cookieOf(renewed) })
    const closes = once(socket, 'close').then(() => true)
    const ended = await Promise.race([closes, new Promise<boolean>((go) => setTimeout(go, 2_000, false))])
    socket.terminate()
    return [await answer.json(), !ended]
  }

  it('refresh at D7 by the cookie alone that the site has renewed', async () => {
    const answer = await refreshByCookie('D7', (credential) => {
      expect(credential).toBeUndefined()
      return {}
    })
    expect(answer).toEqual([{ ok: true, expires_in: 20 }, true])
  })

  it('refresh at D9 by a fresh token beside its cookie, and not by the cookie alone', async () => {
    expect(await refreshByCookie('D9', (credential) => ({ credential }))).toEqual([
      { ok: true, expires_in: 20 },
      true,
    ])
    expect(await refreshByCookie('D9', () => ({}))).toEqual([{ error: 'missing_credential' }, false])
  })

  it('come in by the lab’s certificate, whoever had their name before', async () => {
    const headers = await logIn()
    for (let at = 0; at < maxGuests; at++) {
      const { guest } = await invite(headers)
      const { cookie = '', origin = '' } = headers
      await fetch(new URL(`/lab/guests/${guest}`, lab.url), { method: 'DELETE', headers: { cookie, origin } })
    }
    const guest = await invite(headers, 'D11', 600)
    const { certificate: cert, privateKey: key, authority: ca } = lab.client
    const socket = new WebSocket(guest.credential['url'] ?? '', {
      cert,
      key,
      ca,
      origin: lab.url.slice(0, -1),
    })
    expect(String((await once(socket, 'message'))[0])).toBe(`Hello ${guest.username}!`)
    const [code, reason] = await once(socket, 'close')
    expect([code, String(reason)]).toEqual([3_000, 'lease_expired'])
    const stranger = new WebSocket(guest.credential['url'] ?? '', { ca, origin: lab.url.slice(0, -1) })
    const [strange] = await once(stranger, 'close')
    expect(strange).toBe(3_000)
  })

  it('are nobody’s but the one’s who asked', async () => {
    const guest = await invite(await logIn('alice'))
    const stranger = await logIn('bob')
    for (const [path, body] of [
      ['end', { by: 'revoke' }],
      ['credential', { life_ms: 1_000 }],
      ['program', { probe: 'x' }],
      ['forget', {}],
    ] as const) {
      const answer = await post(`/lab/guests/${guest.guest}/${path}`, body, stranger)
      expect([path, answer.status]).toEqual([path, 404])
    }
    const unknown = await post('/lab/guests/nobody/end', { by: 'revoke' }, stranger)
    expect(unknown.status).toBe(404)
  })

  it('come to no one who is not logged in, and to no other page', async () => {
    const headers = await logIn()
    const body = { door: 'D2', life_ms: 1_000 }
    const anonymous = { 'content-type': 'application/json', origin: headers['origin'] ?? '' }
    expect((await post('/lab/guests', body, anonymous)).status).toBe(401)
    const hostile = { ...headers, origin: `http://localhost:${port + 30}` }
    expect((await post('/lab/guests', body, hostile)).status).toBe(403)
  })

  it('invite nobody themselves', async () => {
    const headers = await logIn()
    const { credential } = await invite(headers, 'D7')
    const asGuest = { ...headers, cookie: `countersign-session=${credential['session'] ?? ''}` }
    expect((await post('/lab/guests', { door: 'D2', life_ms: 1_000 }, asGuest)).status).toBe(403)
  })

  it.each([
    [{ door: 'D99', life_ms: 1_000 }],
    [{ door: 'D2' }],
    [{ door: 'D2', life_ms: 0 }],
    [{ door: 'D2', life_ms: 30_001 }],
    [{ door: 'D2', life_ms: 1.5 }],
    [{ door: ['D2'], life_ms: '1000' }],
  ])('are not made by %j', async (body) => {
    expect((await post('/lab/guests', body, await logIn())).status).toBe(400)
  })

  it('are ended in known ways only', async () => {
    const headers = await logIn()
    const { guest } = await invite(headers)
    const path = `/lab/guests/${guest}/end`
    for (const by of ['fire', '', undefined]) expect((await post(path, { by }, headers)).status).toBe(400)
  })

  it('leave no secret in the log', async () => {
    const { api_key: key, credential } = await invite(await logIn())
    const written = output.join('')
    for (const secret of [key, credential['ticket'] ?? '']) {
      expect(secret.length).toBeGreaterThan(20)
      expect(written).not.toContain(secret.slice(4))
    }
  })

  it('are so many at once, and so many a minute for one login', async () => {
    const headers = await logIn()
    const answers: number[] = []
    // Two minutes' worth, should the minute turn meanwhile.
    for (let at = 0; at < 605; at++) {
      const body = { door: 'D2', life_ms: 1 }
      answers.push((await post('/lab/guests', body, headers)).status)
    }
    expect(answers.filter((status) => status === 200).length).toBeLessThanOrEqual(maxGuests)
    expect(answers).toContain(503)
    expect(answers).toContain(429)
  })
})

describe('the accounts of guests', () => {
  const records = memory()
  const issuer = createGuard({ records, accept: [apiKey({ from: authorization('Bearer') })] })

  it('are so many and no more, and are given again once they are left', async () => {
    const guests = new Guests({ records, passwords: argon2Passwords(), issuer })
    const all = await Promise.all(Array.from({ length: maxGuests }, () => guests.invite('alice', 'D2')))
    expect(new Set(all.map((guest) => guest?.username)).size).toBe(maxGuests)
    expect(await guests.invite('alice', 'D2')).toBeUndefined()
    const [first] = all
    if (first === undefined) throw new Error('nobody came')
    await Promise.all([guests.leave(first), guests.leave(first)])
    expect(guests.free).toBe(1)
    expect(records.findAccount(first.username)?.disabled).toBe(true)
    expect((await guests.invite('alice', 'D2'))?.username).toBe(first.username)
    await guests.close()
    expect(guests.free).toBe(maxGuests)
    expect(records.listAccounts().length).toBe(maxGuests)
  })

  it('live no longer than a case may take, several times over', () => {
    expect(guestMs).toBeGreaterThanOrEqual(3 * 15_000)
  })
})
