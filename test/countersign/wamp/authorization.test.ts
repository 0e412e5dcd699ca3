import { describe, expect, it } from 'vitest'
import type { Dict } from '../../../packages/countersign/src/wamp/messages.ts'
import type { Action, RoleOptions } from '../../../packages/countersign/src/wamp/options.ts'
import { type Permit, permits } from '../../../packages/countersign/src/wamp/permit.ts'
import { Bench, rule, user } from './authorization-room.ts'

const { denied, allowed, disclosed } = permits

describe('roles with rules', () => {
  const bench = new Bench([
    {
      name: 'user',
      rules: [
        rule('com.a', 'exact', { allow: ['call', 'subscribe'] }),
        rule('com.open.', 'prefix', { disclose: ['caller', 'publisher'] }),
      ],
    },
    { name: 'nothing' },
  ])

  it.each<[Action, string, Dict, Permit]>([
    ['call', 'com.a', {}, allowed],
    ['publish', 'com.a', {}, denied],
    ['subscribe', 'com.a', {}, allowed],
    ['subscribe', 'com.a', { match: 'exact' }, allowed],
    ['subscribe', 'com.a', { match: null }, allowed],
    ['subscribe', 'com.a', { match: 'prefix' }, denied],
    ['subscribe', 'com.a', { match: 'wildcard' }, allowed],
    ['subscribe', 'com.', { match: 'wildcard' }, denied],
    ['subscribe', '', { match: 'prefix' }, denied],
    ['subscribe', 'com.open.', { match: 'prefix' }, allowed],
    ['register', 'com.open..x', { match: 'wildcard' }, allowed],
    ['register', 'com..x', { match: 'wildcard' }, denied],
    ['call', 'com.open.x', {}, disclosed],
    ['publish', 'com.open.x', {}, disclosed],
    ['register', 'com.open.x', {}, allowed],
    ['subscribe', 'com.open.x', {}, allowed],
    ['call', 'com.open', {}, denied],
    ['call', 'wamp.session.list', {}, denied],
  ])('%s %s with %j is %i', (action, uri, options, permit) => {
    expect(bench.decide(action, uri, { options })).toBe(permit)
    expect(bench.decide(action, uri, { options })).toBe(permit)
  })

  it('deny everything to a role that has none, and to a role that nobody knows', () => {
    expect(bench.decide('call', 'com.a', { who: user(1, 'ann', 'nothing') })).toBe(denied)
    expect(bench.decide('call', 'com.a', { who: user(1, 'ann', 'nobody') })).toBe(denied)
    expect(bench.decide('call', 'com.a', { who: user(1, 'ann', '__proto__') })).toBe(denied)
  })

  it('decide the same however many URIs are invented', () => {
    for (let n = 0; n < 10_000; n++) expect(bench.decide('call', `com.a${n}`)).toBe(denied)
    expect(bench.decide('call', 'com.a')).toBe(allowed)
    expect(bench.decide('call', `com.open.${'x'.repeat(300)}`)).toBe(disclosed)
    expect(bench.decide('call', `com.open.${'x'.repeat(1100)}`)).toBe(denied)
    expect(bench.decide('subscribe', `com.open.${'x'.repeat(1100)}`, { options: { match: 'prefix' } })).toBe(
      denied,
    )
  })

  it('count from the moment they are replaced', () => {
    const other = new Bench([{ name: 'user', rules: [rule('com.a', 'exact')] }])
    expect(other.decide('call', 'com.a')).toBe(allowed)
    other.authority.replace([{ name: 'user', rules: [rule('com.b', 'exact')] }])
    expect(other.decide('call', 'com.a')).toBe(denied)
    expect(other.decide('call', 'com.b')).toBe(allowed)
  })

  it('stay in force when their replacement is wrong', () => {
    const other = new Bench([{ name: 'user', rules: [rule('com.a', 'exact')] }])
    expect(() => other.authority.replace([{ name: 'user', rules: [rule('com..a', 'exact')] }])).toThrow(
      'com..a',
    )
    expect(other.decide('call', 'com.a')).toBe(allowed)
  })

  it.each<[string, readonly RoleOptions[]]>([
    ['two of this name', [{ name: 'a' }, { name: 'a' }]],
    ['not both', [{ name: 'a', rules: [], authorizer: { authorizer: 'com.auth' } }]],
    ['no URI', [{ name: 'a', authorizer: { authorizer: 'com..auth' } }]],
    ['timeoutMs', [{ name: 'a', authorizer: { authorizer: 'com.auth', timeoutMs: 0 } }]],
    ['cacheTtlMs', [{ name: 'a', authorizer: { authorizer: 'com.auth', cacheTtlMs: -1 } }]],
  ])('are refused when wrong: %s', (words, roles) => {
    expect(() => new Bench(roles)).toThrow(words)
  })
})

describe('reserved procedures', () => {
  const all = ['call', 'register', 'publish', 'subscribe']
  const bench = new Bench(
    [
      {
        name: 'user',
        rules: [rule('', 'prefix', { allow: all }), rule('com..authorize', 'wildcard', { allow: all })],
      },
      { name: 'backend', rules: [rule('com.x.authenticate', 'exact', { allow: all })] },
      { name: 'dynamic', authorizer: { authorizer: 'com.x.authorize' } },
      { name: 'function', authorizer: { authorizer: () => true } },
    ],
    { reserved: ['com.x.authenticate'] },
  )
  const backend = user(7, 'backend', 'backend')

  it('are called by nobody but the router', () => {
    expect(bench.decide('call', 'com.x.authenticate')).toBe(denied)
    expect(bench.decide('call', 'com.x.authorize')).toBe(denied)
    expect(bench.decide('call', 'com.x.authenticate', { who: backend })).toBe(denied)
    expect(bench.decide('call', 'com.x.other')).toBe(allowed)
  })

  it('are registered by an exact rule only', () => {
    expect(bench.decide('register', 'com.x.authenticate')).toBe(denied)
    expect(bench.decide('register', 'com.x.authorize')).toBe(denied)
    expect(bench.decide('register', 'com.x.authenticate', { who: backend })).toBe(allowed)
    expect(bench.decide('register', 'com.x.authenticate', { who: user(3, 'f', 'function') })).toBe(denied)
    expect(bench.decide('register', 'com.x.other', { who: user(3, 'f', 'function') })).toBe(allowed)
  })

  it('are not registered by a pattern that covers them', () => {
    for (const [uri, match] of [
      ['com.x', 'prefix'],
      ['', 'prefix'],
      ['com..authenticate', 'wildcard'],
      ['..', 'wildcard'],
    ]) {
      expect(bench.decide('register', String(uri), { options: { match } })).toBe(denied)
    }
    expect(bench.decide('register', 'com.y.', { options: { match: 'prefix' } })).toBe(allowed)
    expect(
      bench.decide('register', '', { who: user(3, 'f', 'function'), options: { match: 'prefix' } }),
    ).toBe(denied)
  })

  it('may be topics: those are other names', () => {
    expect(bench.decide('subscribe', 'com.x.authenticate')).toBe(allowed)
  })
})
