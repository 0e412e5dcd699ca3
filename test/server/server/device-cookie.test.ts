import { beforeEach, describe, expect, it } from 'vitest'
import { setDisabled, setPassword } from '../../../packages/server/src/server/accounts.ts'
import { openSite, siteOrigin, Visitor, type TestSite } from './support.ts'

const name = 'countersign-device'
const right = 'wonderland'

let site: TestSite
beforeEach(async () => {
  site = await openSite({ deviceKey: 'a key that is kept' })
})

interface Try {
  readonly from?: string
  readonly device?: string | undefined
  readonly username?: string
  readonly cookie?: string
  readonly at?: TestSite
}

/** One login. @returns its status */
async function attempt(password: string, options: Try = {}): Promise<number> {
  const { from = '127.0.0.1', device, username = 'alice', at = site } = options
  const cookie = options.cookie ?? (device === undefined ? undefined : `${name}=${device}`)
  const answer = await at.app.inject({
    method: 'POST',
    url: '/login',
    remoteAddress: from,
    payload: { username, password },
    headers: { host: 'localhost:8000', origin: siteOrigin, ...(cookie === undefined ? {} : { cookie }) },
  })
  return answer.statusCode
}

async function deviceOf(username = 'alice', password = right): Promise<string> {
  const visitor = new Visitor(site.app)
  await visitor.post('/login', { username, password })
  const device = visitor.cookie(name)
  if (device === undefined) throw new Error('no device cookie')
  return device
}

/** Statuses of so many wrong tries. */
async function wrong(times: number, options: Try = {}): Promise<readonly number[]> {
  const statuses: number[] = []
  for (let one = 0; one < times; one++) statuses.push(await attempt('wrong-wrong', options))
  return statuses
}

describe('the cookie of a device', () => {
  it('is set by a login, for long, out of reach of scripts, and names nobody', async () => {
    const answer = await new Visitor(site.app).post('/login', { username: 'alice', password: right })
    const [, device] = [answer.headers['set-cookie']].flat()
    expect(device).toMatch(
      /^countersign-device=[\w-]{22}\.\d+\.[\w-]{43}; Path=\/; Max-Age=15552000; HttpOnly; SameSite=Strict$/,
    )
    expect(device).not.toContain('alice')
  })

  it('is set by a form as well, and over TLS is Secure and of this host alone', async () => {
    const secure = await openSite({ secure: true })
    const answer = await secure.app.inject({
      method: 'POST',
      url: '/login',
      payload: `username=alice&password=${right}`,
      headers: { host: 'localhost:8000', 'content-type': 'application/x-www-form-urlencoded' },
    })
    expect(answer.statusCode).toBe(303)
    const [, device] = [answer.headers['set-cookie']].flat()
    expect(device).toMatch(/^__Host-countersign-device=\S+; Path=\/; .*Secure; HttpOnly; SameSite=Strict$/)
  })

  it('is set by nothing but a right password', async () => {
    const visitor = new Visitor(site.app)
    await visitor.get('/login')
    await visitor.post('/login', { username: 'alice', password: 'wrong-wrong' })
    await visitor.post('/login', { username: 'nobody', password: right })
    expect(visitor.cookie(name)).toBeUndefined()
  })

  it('is kept at logout, and another at each login', async () => {
    const visitor = new Visitor(site.app)
    const values: (string | undefined)[] = []
    for (let one = 0; one < 3; one++) {
      await visitor.post('/login', { username: 'alice', password: right })
      await visitor.post('/logout')
      values.push(visitor.cookie(name))
    }
    expect(new Set(values).size).toBe(3)
    expect(values).not.toContain(undefined)
  })

  it('lets its holder in while others guess from the same address, and while the name is slowed down', async () => {
    const device = await deviceOf()
    for (let one = 0; one < 80; one++) await attempt('wrong-wrong', { from: `198.51.100.${one}` })
    await wrong(6)
    expect(await attempt(right)).toBe(429)
    expect(await wrong(4, { device, from: '203.0.113.1' })).toEqual([401, 401, 401, 401])
    expect(await attempt(right, { device, from: '203.0.113.1' })).toBe(200)
  })

  it('outlives a restart where its key is kept, and a change of the password, and opens nothing by itself', async () => {
    const device = await deviceOf()
    const again = await openSite({ deviceKey: 'a key that is kept' })
    await setPassword(again.accounts, 'alice', 'looking-glass')
    await wrong(6, { at: again })
    expect(await attempt('looking-glass', { at: again })).toBe(429)
    expect(await attempt('looking-glass', { at: again, device })).toBe(200)
    expect(await attempt(right, { at: again, device })).toBe(401)
    await setDisabled(again.accounts, 'alice', true)
    expect(await attempt('looking-glass', { at: again, device })).toBe(401)
  })

  it('of another key is none', async () => {
    const device = await deviceOf()
    const other = await openSite({ deviceKey: 'another key' })
    await wrong(5, { at: other })
    expect(await attempt(right, { at: other, device })).toBe(429)
  })
})

describe('the cookie of a device gains nothing', () => {
  it.each<[string, (device: string) => string]>([
    ['cut short', (device) => `${name}=${device.slice(0, -1)}`],
    ['longer', (device) => `${name}=${device}A`],
    ['with another nonce', (device) => `${name}=${device.startsWith('A') ? 'B' : 'A'}${device.slice(1)}`],
    ['with a later end', (device) => `${name}=${device.replace(/\.(\d+)\./, '.9$1.')}`],
    ['with a later end of the same digits', (device) => `${name}=${device.replace(/\.\d/, '.9')}`],
    ['without its MAC', (device) => `${name}=${device.split('.').slice(0, 2).join('.')}.`],
    [
      'beside another',
      (device) => `${name}=${device}; ${name}=${'A'.repeat(22)}.99999999999.${'A'.repeat(43)}`,
    ],
    ['behind another', (device) => `${name}=x; ${name}=${device}`],
    ['of another name', (device) => `__Host-${name}=${device}`],
    ['empty', () => `${name}=`],
    ['of ten thousand characters', () => `${name}=${'A'.repeat(10_000)}`],
  ])('when it is %s', async (_how, change) => {
    const device = await deviceOf()
    await wrong(5)
    expect(await attempt(right, { cookie: change(device) })).toBe(429)
    expect(await attempt(right, { device })).toBe(200)
  })

  it('when it is another account’s', async () => {
    const device = await deviceOf('bob', 'builder-bob')
    await wrong(5)
    expect(await attempt(right, { device })).toBe(429)
    expect(await wrong(1, { device, username: 'nobody' })).toEqual([401])
  })

  it('when it is older than half a year, whatever the browser has kept', async () => {
    const device = await deviceOf()
    site.clock.advance(180 * 86_400_000)
    await wrong(5)
    expect(await attempt(right, { device })).toBe(429)
  })

  it('when it has failed twenty times, though its holder logs in now and then', async () => {
    const stolen = await deviceOf()
    const from = '203.0.113.66'
    for (let one = 0; one < 20; one++) {
      if (one % 5 === 0) await deviceOf()
      if (one === 19) await wrong(5, { from })
      expect(await wrong(1, { device: stolen, from })).toEqual([401])
      site.clock.advance(61_000)
    }
    site.clock.advance(16 * 60_000)
    await wrong(5, { from })
    expect(await attempt(right, { device: stolen, from })).toBe(429)
    expect(await attempt(right, { device: await deviceOf(), from })).toBe(200)
  })

  it('when it is shown alternately: source and device together have no more tries than each of them', async () => {
    const device = await deviceOf()
    const statuses: number[] = []
    for (let one = 0; one < 40; one++) {
      statuses.push(await attempt('wrong-wrong', one % 2 === 0 ? { device } : {}))
    }
    expect(statuses.filter((status) => status === 401)).toHaveLength(10)
  })

  it('when names that do not exist are tried with it: they wait like any other', async () => {
    const device = await deviceOf()
    const unknown = [...(await wrong(6, { device, username: 'nobody' }))]
    expect(unknown).toEqual([401, 401, 401, 401, 401, 429])
  })
})
