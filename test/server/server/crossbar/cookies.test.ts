import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join as joinPath } from 'node:path'
import { grantOf, type Hash } from 'countersign'
import { describe, expect, it } from 'vitest'
import { cookieFile } from '../../../../packages/server/src/server/crossbar/cookie-file.ts'
import { folder, frontend, mount, node, nodeOf, urlOf, users, websocket } from './mounted.ts'
import { join, joined, signs, type Joining } from './wamp-client.ts'

const origin = 'http://app.example.com'
const other = { ...frontend, name: 'backend' }

function withCookies(
  store: object,
  list: Readonly<Record<string, string>> = { joe: 'secret2' },
  role = 'frontend',
): object {
  const auth = { ...users(list, role), cookie: {} }
  const options = { allowed_origins: [origin] }
  return node([websocket(auth, { options, cookie: { name: 'cbtid', store } })], [frontend, other])
}

/** Logs in with the secret, and answers the cookie that was set. */
async function login(url: string): Promise<string> {
  const session = await joined(url, {
    methods: ['wampcra'],
    authid: 'joe',
    answer: signs('secret2'),
    options: { headers: { origin } },
  })
  const cookie = session.cookies[0]?.split(';')[0] ?? ''
  await session.leave()
  return cookie
}

function back(url: string, cookie: string): Promise<Joining> {
  return join(url, { methods: ['cookie'], options: { headers: { origin, cookie } } })
}

describe('a cookie', () => {
  it.each([
    [{ type: 'memory' }],
    [{ type: 'file', filename: 'cookies.jsonl' }],
    [{ type: 'database', path: 'db' }],
  ])('of a %j brings back who had it', async (store) => {
    const url = urlOf(await mount(withCookies(store)))
    expect(await back(url, await login(url))).toMatchObject({
      kind: 'joined',
      details: { authid: 'joe', authmethod: 'cookie', authprovider: 'cookie' },
    })
    expect(await back(url, 'cbtid=AAAAAAAAAAAAAAAAAAAAAAAA')).toMatchObject({ kind: 'aborted' })
  })

  it('outlives the process in a file that holds no value of it, for its owner alone', async () => {
    const config = withCookies({ type: 'file', filename: 'cookies.jsonl' })
    const first = await mount(config)
    const cookie = await login(urlOf(first))
    await first.close()
    const file = joinPath(first.at, 'cookies.jsonl')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readFileSync(file, 'utf8')).not.toContain(cookie.slice('cbtid='.length))
    const second = await mount(config, { at: first.at })
    expect(await back(urlOf(second), cookie)).toMatchObject({ kind: 'joined' })
  })

  it('is worth nothing once the secret behind it has changed, also after a restart', async () => {
    const store = { type: 'file', filename: 'cookies.jsonl' }
    const first = await mount(withCookies(store))
    const cookie = await login(urlOf(first))
    await first.close()
    const second = await mount(withCookies(store, { joe: 'another' }), { at: first.at })
    expect(await back(urlOf(second), cookie)).toMatchObject({ kind: 'aborted' })
  })

  it('brings the role that its owner has by now', async () => {
    const mounted = await mount(withCookies({ type: 'memory' }))
    const cookie = await login(urlOf(mounted))
    await mounted.reload(nodeOf(withCookies({ type: 'memory' }, { joe: 'secret2' }, 'backend'), mounted.at))
    expect(await back(urlOf(mounted), cookie)).toMatchObject({ details: { authrole: 'backend' } })
  })

  it('is set only where cookies let somebody in', async () => {
    const auth = users({ joe: 'secret2' })
    const url = urlOf(await mount(node([websocket(auth, { cookie: { name: 'cbtid' } })])))
    const session = await joined(url, { methods: ['wampcra'], authid: 'joe', answer: signs('secret2') })
    expect(session.cookies).toEqual([])
  })
})

describe('a file of cookies', () => {
  const options = { maxAgeMs: 1_000, purge: false, now: 0 }
  const key = 'hash' as Hash
  const grant = grantOf({ subject: 'joe', roles: ['frontend'], issuedAtMs: 0 })
  const principal = {
    id: 'joe',
    roles: ['frontend'],
    realm: undefined,
    method: 'wampcra',
    provider: 'static',
    claims: { authid: 'joe' },
  }
  const identity = { principal, grant, realm: 'realm1', untilMs: Infinity, standing: 'print' }

  it('gives back what was remembered, until it is too old', async () => {
    const file = joinPath(folder(), 'cookies')
    await cookieFile(file, options).remember(key, identity, 0)
    const again = cookieFile(file, { ...options, now: 999 })
    expect(await again.find(key, 999)).toEqual(identity)
    expect(await again.find(key, 1_000)).toBeUndefined()
    expect(await cookieFile(file, { ...options, now: 1_000 }).find(key, 999)).toBeUndefined()
  })

  it('forgets for good', async () => {
    const file = joinPath(folder(), 'cookies')
    const store = cookieFile(file, options)
    await store.remember(key, identity, 0)
    await store.forget(key)
    await store.forget(key)
    expect(await cookieFile(file, options).find(key, 1)).toBeUndefined()
  })

  it('forgets for good all of whom it is told so, and nobody else', async () => {
    const file = joinPath(folder(), 'cookies')
    const store = cookieFile(file, options)
    const ann = { ...identity, principal: { ...principal, id: 'ann' } }
    await store.remember(key, identity, 0)
    await store.remember('another of joe' as Hash, identity, 0)
    await store.remember('of ann' as Hash, ann, 0)
    await store.forgetWhere((who) => who.principal.id === 'joe')
    await store.forgetWhere((who) => who.principal.id === 'nobody')
    for (const one of [store, cookieFile(file, options)]) {
      expect(await one.find(key, 1)).toBeUndefined()
      expect(await one.find('another of joe' as Hash, 1)).toBeUndefined()
      expect(await one.find('of ann' as Hash, 1)).toEqual(ann)
    }
  })

  it('forgets everything at the start where it is told to', async () => {
    const file = joinPath(folder(), 'cookies')
    await cookieFile(file, options).remember(key, identity, 0)
    expect(await cookieFile(file, { ...options, purge: true }).find(key, 1)).toBeUndefined()
  })

  it('passes over lines that it has not written, and over half a line', async () => {
    const file = joinPath(folder(), 'cookies')
    writeFileSync(
      file,
      '{"id":"cleartext","authid":"eve"}\nnonsense\n{"cookie":"hash","endsAtMs":9,"identity":{}}\n',
    )
    await cookieFile(file, options).remember(key, identity, 0)
    expect(readFileSync(file, 'utf8')).not.toContain('cleartext')
    appendFileSync(file, '{"cookie":"ha')
    expect(await cookieFile(file, options).find(key, 1)).toEqual(identity)
  })

  it('does not grow for ever', async () => {
    const file = joinPath(folder(), 'cookies')
    const store = cookieFile(file, options)
    for (let at = 0; at < 10_100; at++) await store.remember(key, identity, 0)
    expect(readFileSync(file, 'utf8').split('\n').length).toBeLessThan(200)
  })

  it('that cannot be opened is named', () => {
    const at = folder()
    writeFileSync(joinPath(at, 'file'), '')
    expect(() => cookieFile(joinPath(at, 'file', 'cookies'), options)).toThrow(
      /cookies: cookies cannot be kept there/,
    )
  })
})
