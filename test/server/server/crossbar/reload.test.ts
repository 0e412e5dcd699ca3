import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { frontend, mount, node, nodeOf, urlOf, users, websocket } from './mounted.ts'
import { join, joined, signs, shows, type Session } from './wamp-client.ts'

const other = {
  ...frontend,
  name: 'backend',
  permissions: [{ ...frontend.permissions[0], uri: 'org.example.' }],
}
const both = [frontend, other]

function one(
  list: Readonly<Record<string, string>>,
  role = 'frontend',
  roles: readonly object[] = both,
): object {
  return node([websocket(users(list, role))], roles)
}

function cra(url: string, authid: string, secret: string): Promise<Session> {
  return joined(url, { methods: ['wampcra'], authid, answer: signs(secret) })
}

/** Whether a session is still served: `com.example.x` has no callee, and that is what it is told. */
async function isServed(session: Session): Promise<boolean> {
  return (await session.request(48, {}, 'com.example.x'))[4] === 'wamp.error.no_such_procedure'
}

describe('a reload', () => {
  it('ends sessions of users that are gone or have another secret, and no others', async () => {
    const mounted = await mount(one({ joe: 'of joe', ann: 'of ann', eve: 'of eve' }))
    const url = urlOf(mounted)
    const [joe, ann, eve] = [
      await cra(url, 'joe', 'of joe'),
      await cra(url, 'ann', 'of ann'),
      await cra(url, 'eve', 'of eve'),
    ]
    const next = nodeOf(one({ joe: 'of joe', ann: 'is new' }), mounted.at)
    expect(await mounted.reload(next)).toEqual({ kind: 'reloaded', ended: 2, changed: 0 })
    expect(await eve.goodbye()).toBe('wamp.close.killed')
    expect(await ann.goodbye()).toBe('wamp.close.killed')
    expect(await isServed(joe)).toBe(true)
    expect(await join(url, { methods: ['wampcra'], authid: 'eve', answer: signs('of eve') })).toMatchObject({
      kind: 'aborted',
    })
    await cra(url, 'ann', 'is new')
  })

  it('lets in users that are new', async () => {
    const mounted = await mount(one({ joe: 'of joe' }))
    await mounted.reload(nodeOf(one({ joe: 'of joe', bob: 'of bob' }), mounted.at))
    expect(await isServed(await cra(urlOf(mounted), 'bob', 'of bob'))).toBe(true)
  })

  it('changes the role of a session, and takes back what the new one may not', async () => {
    const mounted = await mount(one({ joe: 'of joe' }))
    const joe = await cra(urlOf(mounted), 'joe', 'of joe')
    await joe.register('com.example.add', () => 1)
    const next = nodeOf(one({ joe: 'of joe' }, 'backend', [other]), mounted.at)
    expect(await mounted.reload(next)).toEqual({ kind: 'reloaded', ended: 0, changed: 1 })
    expect((await joe.request(48, {}, 'com.example.add'))[4]).toBe('wamp.error.not_authorized')
    expect((await joe.request(48, {}, 'org.example.x'))[4]).toBe('wamp.error.no_such_procedure')
  })

  it('changes rules of a role for sessions that have it', async () => {
    const mounted = await mount(one({ joe: 'of joe' }))
    const joe = await cra(urlOf(mounted), 'joe', 'of joe')
    const less = { ...frontend, permissions: [{ ...frontend.permissions[0], allow: { publish: true } }] }
    await mounted.reload(nodeOf(one({ joe: 'of joe' }, 'frontend', [less, other]), mounted.at))
    expect((await joe.request(48, {}, 'com.example.x'))[4]).toBe('wamp.error.not_authorized')
  })

  it('ends sessions that came in by a method that is not offered any more', async () => {
    const ticket = { ticket: { type: 'static', principals: { joe: { ticket: 'abc', role: 'frontend' } } } }
    const anonymous = { anonymous: { type: 'static', role: 'frontend' } }
    const mounted = await mount(node([websocket({ ...ticket, ...anonymous })]))
    const nobody = await joined(urlOf(mounted))
    const joe = await joined(urlOf(mounted), { methods: ['ticket'], authid: 'joe', answer: shows('abc') })
    expect(await mounted.reload(nodeOf(node([websocket(ticket)]), mounted.at))).toMatchObject({ ended: 1 })
    expect(await nobody.goodbye()).toBe('wamp.close.killed')
    expect(await isServed(joe)).toBe(true)
  })

  it('keeps everything as it is where realms changed', async () => {
    const config = one({ joe: 'of joe' })
    const mounted = await mount(config)
    const next = JSON.parse(JSON.stringify(config).replaceAll('realm1', 'realm2')) as object
    expect(await mounted.reload(nodeOf(next, mounted.at))).toEqual({
      kind: 'kept',
      why: 'realms changed, which needs a restart',
    })
  })

  it('judges nobody any more by what has changed, however late the answer comes', async () => {
    const mounted = await mount(one({ joe: 'of joe' }))
    const socket = new WebSocket(urlOf(mounted), 'wamp.2.json')
    const closed = new Promise((resolve) => socket.on('close', resolve))
    await new Promise((resolve) => {
      socket.on('open', () =>
        socket.send(
          JSON.stringify([1, 'realm1', { roles: { caller: {} }, authmethods: ['wampcra'], authid: 'joe' }]),
        ),
      )
      socket.on('message', resolve)
    })
    await mounted.reload(nodeOf(one({ joe: 'is new' }), mounted.at))
    expect(await closed).toBe(1001)
  })

  it.each([
    ['transports', (config: string) => config.replace('"port":0', '"port":1')],
    [
      'timeouts or vocabulary',
      (config: string) =>
        config.replace('"type":"router"', '"type":"router","options":{"x_error_uris":"crossbar"}'),
    ],
  ])('keeps everything as it is where %s changed', async (what, change) => {
    const dynamic = { ticket: { type: 'dynamic', authenticator: 'com.example.auth' } }
    const config = node([websocket(dynamic)])
    const mounted = await mount(config)
    const next = JSON.parse(change(JSON.stringify(config))) as object
    expect(await mounted.reload(nodeOf(next, mounted.at))).toEqual({
      kind: 'kept',
      why: `${what} changed, which needs a restart`,
    })
  })

  it('asks another authenticator, whose name is its own to register from then on', async () => {
    const rules = (name: string): object => ({
      name: 'authority',
      permissions: [
        { uri: name, match: 'exact', allow: { register: true, call: true } },
        { uri: 'com.example.one', match: 'exact', allow: { register: true, call: true } },
      ],
    })
    const config = (name: string): object =>
      node(
        [
          websocket({ ticket: { type: 'dynamic', authenticator: name } }),
          websocket(users({ judge: 'a secret' }, 'authority')),
        ],
        [frontend, rules(name)],
      )
    const mounted = await mount(config('com.example.one'))
    const judge = await joined(urlOf(mounted, 1), {
      methods: ['wampcra'],
      authid: 'judge',
      answer: signs('a secret'),
    })
    await judge.register('com.example.one', () => ({ role: 'frontend' }))
    const joe = { methods: ['ticket'], authid: 'joe', answer: shows('any') }
    expect(await join(urlOf(mounted), joe)).toMatchObject({ kind: 'joined' })
    expect((await judge.request(48, {}, 'com.example.one'))[4]).toBe('wamp.error.not_authorized')
    expect(await mounted.reload(nodeOf(config('com.example.two'), mounted.at))).toMatchObject({
      kind: 'reloaded',
    })
    await judge.register('com.example.two', () => ({ role: 'frontend' }))
    expect(await join(urlOf(mounted), joe)).toMatchObject({ kind: 'joined' })
    expect((await judge.request(48, {}, 'com.example.two'))[4]).toBe('wamp.error.not_authorized')
    // The name of before is anybody's again.
    expect(await judge.request(48, {}, 'com.example.one')).toEqual([
      50,
      expect.anything(),
      {},
      [{ role: 'frontend' }],
    ])
  })

  it('keeps everything as it is where a part of the new one cannot be used', async () => {
    const mounted = await mount(one({ joe: 'of joe' }))
    const broken = { ticket: { type: 'function', create: './missing.mjs#create' } }
    const result = await mounted.reload(nodeOf(node([websocket(broken)], both), mounted.at))
    expect(result).toMatchObject({ kind: 'kept', why: expect.stringContaining('cannot be imported') })
    expect(await isServed(await cra(urlOf(mounted), 'joe', 'of joe'))).toBe(true)
  })

  it('leaves alone whoever is being judged on a transport that stays as it is', async () => {
    const mounted = await mount(one({ joe: 'of joe' }))
    const answer = async (): Promise<unknown> =>
      await mounted.reload(nodeOf(one({ joe: 'of joe' }), mounted.at))
    expect(await answer()).toEqual({ kind: 'reloaded', ended: 0, changed: 0 })
  })
})
