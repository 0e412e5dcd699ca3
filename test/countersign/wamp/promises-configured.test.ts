/** What a node configuration of Crossbar.io promises about a realm, seen by clients of a router that serves it. */
import { describe, expect, test } from 'vitest'
import type { Mounted } from '../../../packages/server/src/server/crossbar/mount.ts'
import { joined, shows, signs, type Session } from '../../server/server/crossbar/wamp-client.ts'
import { mount, urlOf, users, websocket } from '../../server/server/crossbar/mounted.ts'

const everything = { call: true, register: true, publish: true, subscribe: true }
const under = (uri: string, more: object = {}): object => ({
  uri,
  match: 'prefix',
  allow: everything,
  ...more,
})

/** One realm with two roles: `worker` for ann, `boss` for bob; `more` is laid over the realm. */
function serve(
  more: object,
  roles: { readonly worker?: object; readonly boss?: object } = {},
): Promise<Mounted> {
  const realm = {
    name: 'realm1',
    roles: [
      { name: 'worker', permissions: [under('com.')], ...roles.worker },
      { name: 'boss', permissions: [under('')], ...roles.boss },
    ],
    ...more,
  }
  const auth = {
    wampcra: {
      type: 'static',
      users: {
        ann: { secret: 'secret of ann', role: 'worker' },
        amy: { secret: 'secret of amy', role: 'worker' },
        bob: { secret: 'secret of bob', role: 'boss' },
      },
    },
  }
  return mount({ version: 2, workers: [{ type: 'router', realms: [realm], transports: [websocket(auth)] }] })
}

const as = (mounted: Mounted, authid: string): Promise<Session> =>
  joined(urlOf(mounted), { methods: ['wampcra'], authid, answer: signs(`secret of ${authid}`) })

/** The next message of this code. */
const next = (session: Session, code: number): Promise<readonly unknown[]> =>
  new Promise((resolve) => {
    session.socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as readonly unknown[] // the router sends arrays
      if (message[0] === code) resolve(message)
    })
  })

const call = (
  session: Session,
  procedure: string,
  ...args: readonly unknown[]
): Promise<readonly unknown[]> => session.request(48, {}, procedure, args)

describe('a role', () => {
  test('has its trust level told to callees and subscribers, unasked and nowhere else', async () => {
    const mounted = await serve({}, { boss: { x_trustlevel: 7 } })
    const [ann, bob] = [await as(mounted, 'ann'), await as(mounted, 'bob')]
    await ann.register('com.p', () => 1)
    await ann.request(32, {}, 'com.t')
    const [invoked, heard] = [next(ann, 68), next(ann, 36)]
    await call(bob, 'com.p')
    await bob.request(16, { acknowledge: true }, 'com.t')
    expect((await invoked)[3]).toEqual({ trustlevel: 7 })
    expect((await heard)[3]).toEqual({ trustlevel: 7 })
    const again = next(ann, 68)
    await call(ann, 'com.p')
    expect((await again)[3]).toEqual({})
  })

  test('has whoever it discloses named, unasked', async () => {
    const disclosing = [under('com.', { disclose: { caller: true, publisher: true } })]
    const mounted = await serve({}, { worker: { permissions: disclosing } })
    const [ann, bob] = [await as(mounted, 'ann'), await as(mounted, 'bob')]
    await bob.register('com.p', () => 1)
    await bob.request(32, {}, 'com.t')
    const [invoked, heard] = [next(bob, 68), next(bob, 36)]
    await call(ann, 'com.p')
    await ann.request(16, { acknowledge: true }, 'com.t')
    expect((await invoked)[3]).toMatchObject({ caller_authid: 'ann', caller_authrole: 'worker' })
    expect((await heard)[3]).toMatchObject({ publisher_authid: 'ann', publisher_authrole: 'worker' })
  })
})

describe('a realm', () => {
  test('checks URIs as it says', async () => {
    const strict = await serve({ options: { uri_check: 'strict' } })
    const ann = await as(strict, 'ann')
    expect(await ann.request(32, {}, 'com.Upper')).toMatchObject([8, 32, 1, {}, 'wamp.error.invalid_uri', {}])
    const loose = await as(await serve({}), 'ann')
    expect((await loose.request(32, {}, 'com.Upper'))[0]).toBe(33)
  })

  test('has no meta API where it is switched off, and announces none', async () => {
    const bob = await as(await serve({ options: { enable_meta_api: false } }), 'bob')
    expect((await call(bob, 'wamp.session.count'))[4]).toBe('wamp.error.no_such_procedure')
  })

  test('keeps the events that its store names, for those who may subscribe them', async () => {
    const store = { type: 'memory', 'event-history': [{ uri: 'com.kept', limit: 2 }] }
    const mounted = await serve({ store })
    const bob = await as(mounted, 'bob')
    for (const each of [1, 2, 3]) await bob.request(16, { acknowledge: true }, 'com.kept', [each])
    const [, , , id] = await call(bob, 'wamp.subscription.lookup', 'com.kept')
    const answer = await call(bob, 'wamp.subscription.get_events', (id as readonly number[])[0]) // as the meta API answers
    expect(answer[3]).toMatchObject([[{ args: [2] }, { args: [3] }]])
  })
})

describe('an authorizer of a configuration', () => {
  const settings = { permissions: undefined, authorizer: 'com.decide' }
  const exact = { uri: 'com.decide', match: 'exact', allow: { register: true } }
  const boss = { permissions: [under(''), exact] }

  /** How often it is asked when ann, ann again and amy call the same procedure twice each. */
  async function askedWith(keys: object): Promise<readonly unknown[]> {
    const mounted = await serve({}, { worker: { ...settings, ...keys }, boss })
    const bob = await as(mounted, 'bob')
    const asked: unknown[] = []
    const registered = await bob.register('com.decide', ([who]) => {
      asked.push((who as { readonly authid: string }).authid) // the first argument is the session
      return { allow: true, cache: true }
    })
    expect(registered[0]).toBe(65)
    await bob.register('com.p', () => 1)
    for (const name of ['ann', 'ann', 'amy']) {
      const session = await as(mounted, name)
      for (let turn = 0; turn < 2; turn++) expect((await call(session, 'com.p'))[0]).toBe(50)
    }
    return asked
  }

  test.each([
    [{}, ['ann', 'ann', 'amy']],
    [{ x_cache_key: 'session' }, ['ann', 'ann', 'amy']],
    [{ x_cache_key: 'authid' }, ['ann', 'amy']],
    [{ x_cache_key: 'role' }, ['ann']],
    [{ x_cache_ttl: 0 }, ['ann', 'ann', 'ann', 'ann', 'amy', 'amy']],
  ])('has its decisions kept by %j', async (keys, expected) => {
    expect(await askedWith(keys)).toEqual(expected)
  })

  test('is registered under an exact rule alone, and called by nobody', async () => {
    const [open, ruled] = [await serve({}, { worker: settings }), await serve({}, { worker: settings, boss })]
    const denied = [8, 64, 1, {}, 'wamp.error.not_authorized']
    expect(await (await as(open, 'bob')).register('com.decide', () => true)).toMatchObject(denied)
    const bob = await as(ruled, 'bob')
    expect((await bob.register('com.decide', () => true))[0]).toBe(65)
    expect((await call(bob, 'com.decide'))[4]).toBe('wamp.error.not_authorized')
  })

  test('that is away, or breaks, is no permission', async () => {
    const mounted = await serve({}, { worker: settings, boss })
    const ann = await as(mounted, 'ann')
    expect((await call(ann, 'com.p'))[4]).toBe('wamp.error.authorization_failed')
    const bob = await as(mounted, 'bob')
    await bob.register('com.decide', () => 'yes')
    expect((await call(ann, 'com.p'))[4]).toBe('wamp.error.authorization_failed')
  })
})

describe('refusals', () => {
  test('have the words that the configuration chooses', async () => {
    const auth = {
      ticket: { type: 'static', principals: { joe: { ticket: 'a ticket of joe', role: 'worker' } } },
    }
    for (const [vocabulary, word] of [
      ['spec', 'wamp.error.authentication_denied'],
      ['crossbar', 'wamp.error.not_authorized'],
    ] as const) {
      const realms = [{ name: 'realm1', roles: [{ name: 'worker', permissions: [] }] }]
      const transports = [websocket(auth, { options: { x_error_uris: vocabulary } })]
      const mounted = await mount({ version: 2, workers: [{ type: 'router', realms, transports }] })
      await expect(
        joined(urlOf(mounted), { methods: ['ticket'], authid: 'joe', answer: shows('wrong') }),
      ).rejects.toThrow(word)
    }
  })
})

test('a user of a configuration joins under the role of the file', async () => {
  const realms = [{ name: 'realm1', roles: [{ name: 'frontend', permissions: [] }] }]
  const transports = [websocket(users({ joe: 'secret of joe' }))]
  const mounted = await mount({ version: 2, workers: [{ type: 'router', realms, transports }] })
  await expect(as(mounted, 'joe')).resolves.toBeDefined()
})
