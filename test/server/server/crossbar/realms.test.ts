import { describe, expect, it } from 'vitest'
import { fixture, nodeOf, read, said } from './support.ts'

/** What is said of realms. */
function saidOf(...realms: readonly unknown[]): string {
  return said(read({ version: 2, workers: [{ type: 'router', realms }] })).join('\n')
}

function rule(permission: unknown): unknown {
  return { name: 'realm1', roles: [{ name: 'a', permissions: [permission] }] }
}

/** The first rule of the first role. */
function ruleOf(permission: unknown): unknown {
  const node = nodeOf(read({ version: 2, workers: [{ type: 'router', realms: [rule(permission)] }] }))
  const grant = node.routers[0]?.realms[0]?.roles[0]?.grant
  return grant?.kind === 'rules' ? grant.rules[0] : undefined
}

describe('a realm', () => {
  it('is read with everything that is written', () => {
    const environment = { PORT: '9443', ALICE: 'a-ticket-of-some-length', BOB: 'part' }
    expect(nodeOf(fixture('everything.yaml', environment)).routers[0]?.realms[0]).toMatchObject({
      name: 'realm1',
      uriCheck: 'strict',
      metaApi: false,
      bridgeMetaApi: false,
      eventChunk: 50,
      history: [
        { uri: 'com.example.log', match: 'exact', limit: 5 },
        { uri: 'com.example.', match: 'prefix', limit: 20 },
      ],
      stats: {
        ratedMessageBytes: 1_024,
        afterRatedMessages: 0,
        afterMs: 60_000,
        onJoin: true,
        onLeave: true,
      },
      roles: [
        { name: 'frontend', trustlevel: 2, grant: { kind: 'rules' } },
        {
          name: 'backend',
          trustlevel: undefined,
          grant: { kind: 'authorizer', uri: 'com.example.authorize', cacheTtlMs: 5_000, cacheKey: 'authid' },
        },
      ],
    })
  })

  it('has the defaults of Crossbar.io', () => {
    const node = nodeOf(read({ version: 2, workers: [{ type: 'router', realms: [{ name: 'realm1' }] }] }))
    expect(node.routers[0]?.realms).toEqual([
      {
        name: 'realm1',
        roles: [],
        uriCheck: 'loose',
        metaApi: true,
        bridgeMetaApi: false,
        eventChunk: 100,
        history: [],
        stats: undefined,
      },
    ])
  })

  it.each([
    [{}, 'error .name: is missing'],
    [{ name: 'a b' }, 'error .name: is no URI'],
    [{ name: 'a', x: 1 }, 'error .x: unknown'],
    [{ name: 'a', roles: {} }, 'error .roles: must be a list'],
    [{ name: 'a', options: { uri_check: 'lax' } }, 'error .options.uri_check: must be one of strict, loose'],
    [
      { name: 'a', options: { event_dispatching_chunk_size: 0 } },
      'error .options.event_dispatching_chunk_size: must',
    ],
    [{ name: 'a', options: { bridge_meta_api: true } }, 'warning .options.bridge_meta_api: cannot apply'],
    [{ name: 'a', options: { enable: true } }, 'error .options.enable: unknown'],
    [{ name: 'a', store: { type: 'lmdb', path: 'x' } }, 'warning .store.type: cannot apply'],
    [
      { name: 'a', store: { 'event-history': [{ limit: 5 }] } },
      'error .store.event-history[0].uri: is missing',
    ],
    [{ name: 'a', store: { 'call-queue': [] } }, 'warning .store.call-queue: cannot apply'],
    [
      { name: 'a', stats: { rated_message_size: 500 } },
      'error .stats.rated_message_size: must be a power of two',
    ],
  ])('is judged: %j', (realm, message) => {
    expect(saidOf(realm)).toContain(message.replace(' .', ' workers[0].realms[0].'))
  })

  it('has a name of its own, and its roles have theirs', () => {
    expect(saidOf({ name: 'a' }, { name: 'a' })).toContain(
      'error workers[0].realms[1].name: is taken by an earlier one',
    )
    expect(
      saidOf({
        name: 'a',
        roles: [
          { name: 'b', permissions: [] },
          { name: 'b', permissions: [] },
        ],
      }),
    ).toContain('error workers[0].realms[0].roles[1].name: is taken by an earlier one')
  })

  it('shares its name with one of another worker', () => {
    const worker = { type: 'router', realms: [{ name: 'a' }] }
    expect(nodeOf(read({ version: 2, workers: [worker, worker] })).routers).toHaveLength(2)
  })
})

describe('a role', () => {
  it.each([
    [{ name: 'a', permissions: [], authorizer: 'com.a' }, 'error .authorizer: stands beside "permissions"'],
    [{ name: 'a' }, 'warning : has neither "permissions" nor "authorizer": everything is denied'],
    [{ name: 'a b', permissions: [] }, 'error .name: is no name of a role'],
    [{ name: 'a', authorizer: 'no uri' }, 'error .authorizer: is no URI'],
    [
      { name: 'a', permissions: [], x_cache_ttl: 5 },
      'error .x_cache_ttl: belongs to a role with "authorizer"',
    ],
    [
      { name: 'a', authorizer: 'b', x_cache_key: 'ip' },
      'error .x_cache_key: must be one of session, authid, role',
    ],
    [{ name: 'a', authorizer: 'b', x_cache_key: 'role' }, 'warning .x_cache_key: lets what is decided'],
    [{ name: 'a', permissions: [], x_trustlevel: -1 }, 'error .x_trustlevel: must be a whole number'],
  ])('is judged: %j', (role, message) => {
    const placed = message.replace(/ \.?/, (dot) =>
      dot === ' .' ? ' workers[0].realms[0].roles[0].' : ' workers[0].realms[0].roles[0]',
    )
    expect(saidOf({ name: 'realm1', roles: [role] })).toContain(placed)
  })
})

describe('a rule', () => {
  const none = { call: false, register: false, publish: false, subscribe: false }

  it.each([
    ['com.a', 'com.a', 'exact'],
    ['com.a.*', 'com.a.', 'prefix'],
    ['com.a*', 'com.a', 'prefix'],
    ['*', '', 'prefix'],
    ['com.*.b', 'com..b', 'wildcard'],
    ['*.b', '.b', 'wildcard'],
    ['com.*.b.*', 'com..b.', 'wildcard'],
  ])('written %s means %j, %s', (uri, meant, match) => {
    expect(ruleOf({ uri, allow: {} })).toMatchObject({ uri: meant, match })
  })

  it('is taken as it is with "match"', () => {
    expect(ruleOf({ uri: 'com..b', match: 'wildcard' })).toMatchObject({ uri: 'com..b', match: 'wildcard' })
    expect(ruleOf({ uri: '', match: 'prefix' })).toMatchObject({ uri: '', match: 'prefix' })
    expect(saidOf(rule({ uri: 'com.*', match: 'prefix' }))).toContain(
      'permissions[0].uri: has a star, which "match"',
    )
  })

  it('allows nothing that it does not name', () => {
    expect(ruleOf({ uri: 'com.a' })).toEqual({
      uri: 'com.a',
      match: 'exact',
      allow: none,
      disclose: { caller: false, publisher: false },
      cache: false,
    })
  })

  it('of the older form is cached', () => {
    expect(ruleOf({ uri: 'com.a', call: true })).toMatchObject({
      allow: { ...none, call: true },
      cache: true,
    })
    expect(ruleOf({ uri: 'com.a', call: true, cache: false })).toMatchObject({ cache: false })
  })

  it('discloses whom it names', () => {
    expect(ruleOf({ uri: 'a', disclose: { caller: true } })).toMatchObject({
      disclose: { caller: true, publisher: false },
    })
  })

  it.each([
    [{}, 'error .uri: is missing'],
    [{ uri: 'a b' }, 'error .uri: is no pattern of URIs'],
    [{ uri: 'com.a*b.c' }, 'error .uri: has a star within a component'],
    [{ uri: 'com.a.' }, 'warning .uri: has an empty component and fits no URI'],
    [{ uri: '' }, 'warning .uri: has an empty component and fits no URI'],
    [{ uri: 'a', match: 'regex' }, 'error .match: must be one of exact, prefix, wildcard'],
    [{ uri: 'a', call: true, allow: {} }, 'error .allow: stands beside flags'],
    [{ uri: 'a', allow: { call: 'yes' } }, 'error .allow.call: must be true or false'],
    [{ uri: 'a', allow: { unsubscribe: true } }, 'error .allow.unsubscribe: unknown'],
    [{ uri: 'a', validate: { call: 't' } }, 'warning .validate: cannot apply'],
    [{ uri: 'a', grant: true }, 'error .grant: unknown'],
    ['com.a', 'error : must be a mapping'],
  ])('is judged: %j', (permission, message) => {
    const place = 'workers[0].realms[0].roles[0].permissions[0]'
    expect(saidOf(rule(permission))).toContain(
      message.replace(/ (\.|: )/, (_, dot: string) => (dot === '.' ? ` ${place}.` : ` ${place}: `)),
    )
  })
})
