import { describe, expect, test } from 'vitest'
import type { AuthorizerReply } from '../../../packages/countersign/src/wamp/authorization-answer.ts'
import { noDict } from '../../../packages/countersign/src/wamp/messages.ts'
import type { PermissionRule, RoleOptions } from '../../../packages/countersign/src/wamp/options.ts'
import { permits } from '../../../packages/countersign/src/wamp/permit.ts'
import { noPayload } from '../../../packages/countersign/src/wamp/values.ts'
import { Bench } from './authorization-room.ts'
import { TestSession } from './broker-room.ts'
import { allRoles, realm1, Room, ruleFor, settled, type Peer } from './router-room.ts'

const all = ['call', 'register', 'publish', 'subscribe'] as const

/** Several turns: chains of decisions take more than one. */
async function longSettled(): Promise<void> {
  for (let turn = 0; turn < 40; turn++) await settled()
}

function exactRule(uri: string, ...actions: Parameters<typeof ruleFor>[1][]): PermissionRule {
  return { ...ruleFor(uri, ...actions), match: 'exact' }
}

describe('an authorizer', () => {
  const texts = ['', 'a b', 'com..a', 'com.a#', '\n', 'x'.repeat(1025), 'x'.repeat(100_000)]

  test.each(all)('is not troubled with what is no URI: %s', (action) => {
    const asked: string[] = []
    const authorizer = { authorizer: (_session: unknown, uri: string) => asked.push(uri) > 0 }
    const bench = new Bench([{ name: 'guest', authorizer }])
    const who = new TestSession(1, { authrole: 'guest' })
    for (const uri of texts) expect(bench.decide(action, uri, { who })).toBe(permits.denied)
    expect(asked).toEqual([])
    expect(bench.decide(action, 'com.a', { who })).toBe(permits.allowed)
  })

  test('that is asked too much about one session is not asked about it any more, but about others', async () => {
    const answers: ((value: boolean) => void)[] = []
    const authorizer = () => new Promise<boolean>((answer) => void answers.push(answer))
    const bench = new Bench([{ name: 'guest', authorizer: { authorizer } }])
    const greedy = new TestSession(1, { authrole: 'guest' })
    const decisions = Array.from({ length: 500 }, (_, at) =>
      bench.decide('call', `com.a${at}`, { who: greedy }),
    )
    expect(answers).toHaveLength(64)
    expect(await decisions.at(-1)).toBe(permits.failed)
    const other = bench.decide('call', 'com.a', { who: new TestSession(2, { authrole: 'guest' }) })
    for (const answer of answers) answer(true)
    expect(await other).toBe(permits.allowed)
    expect(await decisions[0]).toBe(permits.allowed)
    bench.decide('call', 'com.again', { who: greedy })
    expect(answers).toHaveLength(66)
  })

  test('that repeats the words of a client is not taken for one that wants fewer arguments', async () => {
    const calls: number[] = []
    const call = async ({ args }: { readonly args: readonly unknown[] }): Promise<AuthorizerReply> => {
      calls.push(args.length)
      return args.length === 4
        ? { kind: 'error', args: [`no rule for ${String(args[1])}`] }
        : { kind: 'result', args: [true] }
    }
    const bench = new Bench([{ name: 'guest', authorizer: { authorizer: 'com.authorize' } }], { call })
    const who = new TestSession(1, { authrole: 'guest' })
    expect(await bench.decide('subscribe', 'com.takes-4.argument', { who })).toBe(permits.failed)
    expect(calls).toEqual([4])
  })

  /** A member with many subscriptions, which gets a role that asks. */
  async function reroled(
    authorizer: (session: unknown, uri: string) => Promise<boolean>,
  ): Promise<readonly string[]> {
    const roles: readonly RoleOptions[] = [
      { name: 'anonymous', rules: [ruleFor('com.', ...all)] },
      { name: 'asked', authorizer: { authorizer } },
    ]
    const room = new Room({ realms: [{ name: 'realm1', roles }] })
    const peer = room.member()
    for (let at = 0; at < 200; at++) peer.subscribe(`com.t${at}`)
    room.realm.changeRole(({ id }) => id === peer.session, 'asked')
    for (let turn = 0; turn < 10; turn++) await longSettled()
    return [...(room.realm.session(peer.session)?.subscriptions ?? [])].map(({ topic }) => topic)
  }

  test('is asked about a few at once of all that a session holds', async () => {
    let pending = 0
    let most = 0
    const held = await reroled(async (_session, uri) => {
      most = Math.max(most, ++pending)
      await settled()
      pending--
      return uri !== 'com.t77'
    })
    expect(most).toBe(32)
    expect(held).toHaveLength(199)
    expect(held).not.toContain('com.t77')
  })

  test('that is broken is given up soon, and everything that it might have allowed ends', async () => {
    let asked = 0
    const held = await reroled(async () => {
      asked++
      await settled()
      throw new Error('broken')
    })
    expect(asked).toBeLessThan(100)
    expect(held).toEqual([])
  })
})

describe('the name of an authenticator', () => {
  const realm = {
    ...realm1,
    reserved: ['com.example.authenticate'],
    roles: [
      { name: 'anonymous', rules: [ruleFor('', ...all)] },
      { name: 'frontend', rules: [ruleFor('', ...all), exactRule('com.example.authenticate', 'register')] },
    ],
  }

  test.each([
    ['com.example.authenticate', 'exact', false],
    ['com.example.authenticate', 'exact', true],
    ['com.example.authenticate', 'prefix', false],
    ['com.example.auth', 'prefix', true],
    ['', 'prefix', false],
    ['com.example.authenticate', 'wildcard', false],
    ['com..authenticate', 'wildcard', true],
    ['..', 'wildcard', false],
  ])('is nobody’s by a right to everything: %j as %s (force %s)', async (uri, match, force) => {
    const room = new Room({ realms: [realm] })
    const callee = await room.frontend()
    expect(callee.register('com.example.authenticate')).toMatchObject({ kind: 'registered' })
    const thief = room.member()
    const options = { match, ...(force ? { force_reregister: true } : {}) }
    expect(thief.register(uri, options)).toMatchObject({ error: 'wamp.error.not_authorized' })
    expect(room.realm.dealer.match('com.example.authenticate')).toBe(1)
    expect(thief.error('com.example.authenticate')).toBe('wamp.error.not_authorized')
  })
})

describe('a callee that the router calls', () => {
  test('is asked on behalf of everyone, however few calls one session may have', async () => {
    const room = new Room({ limits: { maxCalls: 2 } })
    const callee = room.member()
    callee.register('com.authenticate')
    const call = { realm: 'realm1', procedure: 'com.authenticate', args: [], timeoutMs: 1_000 }
    const answers = Array.from({ length: 20 }, () => room.router.call(call))
    for (const message of callee.sent.slice()) {
      if (message.kind !== 'invocation') continue
      callee.say({ kind: 'yield', request: message.request, options: noDict, payload: noPayload })
    }
    expect(await Promise.all(answers)).toHaveLength(20)
  })

  test('and that keeps the time limit itself is not waited for beyond it, and nothing is left of the call', async () => {
    const room = new Room()
    const callee = room.member({
      roles: { ...allRoles, callee: { features: { call_timeout: true, call_canceling: true } } },
    })
    callee.register('com.authenticate', { forward_timeout: true })
    const answer = room.router
      .call({ realm: 'realm1', procedure: 'com.authenticate', args: [], timeoutMs: 1_000 })
      .catch((error: unknown) => error)
    expect(callee.kinds().at(-1)).toBe('invocation')
    room.clock.advance(1_000)
    expect(await answer).toMatchObject({ code: 'overloaded' })
    expect(callee.kinds().at(-1)).toBe('interrupt')
    const held = room.realm.session(callee.session)
    expect(held?.invocations?.size ?? 0).toBe(0)
    callee.yield(['late'])
    expect(callee.closedBy).toBeUndefined()
  })

  test('is told nothing that would let another one answer: a foreign YIELD ends its sender alone', async () => {
    const room = new Room()
    const callee = room.member()
    callee.register('com.authenticate')
    const call = { realm: 'realm1', procedure: 'com.authenticate', args: [], timeoutMs: 1_000 }
    const answer = room.router.call(call)
    const thief = room.member()
    thief.say({ kind: 'yield', request: 1, options: noDict, payload: noPayload })
    expect(thief.closedBy).toMatchObject({ code: 1002 })
    callee.yield(['role'])
    expect(await answer).toMatchObject({ kind: 'result', value: 'role' })
  })
})

describe('the meta API', () => {
  test('is no way around the rights of a role', () => {
    const room = new Room()
    const victim = room.member()
    const peer = room.member()
    for (const [procedure, args] of [
      ['wamp.session.kill', [victim.session]],
      ['wamp.session.kill_all', []],
      ['wamp.session.add_testament', ['com.a']],
      ['wamp.subscription.get_events', [1]],
      ['wamp.registration.remove_callee', [1, victim.session]],
      ['x_countersign.authorization.purge', []],
    ] as const) {
      expect(peer.error(procedure, args)).toBe('wamp.error.not_authorized')
    }
    expect(victim.closedBy).toBeUndefined()
  })

  test('publishes no testament that its session may not publish, nor in another name', async () => {
    const rules = [ruleFor('wamp.session.', 'call'), ruleFor('com.mine.', 'publish')]
    const listenerRole = { name: 'frontend', rules: [ruleFor('', ...all)] }
    const room = new Room({
      realms: [{ name: 'realm1', roles: [{ name: 'anonymous', rules }, listenerRole] }],
    })
    const listener = await room.frontend()
    listener.subscribe('com.', { match: 'prefix' })
    listener.subscribe('wamp.session.on_join')
    const peer = room.member()
    const add = (topic: string, options = {}): unknown =>
      peer.call('wamp.session.add_testament', [topic, ['spoof']], { publish_options: options })
    add('com.others.secret')
    add('com.mine.a', { publisher_authid: 'root' })
    add('com.mine.b', { trustlevel: 9 })
    add('com.mine.c', { disclose_me: 'yes' })
    add('com.mine.d')
    expect(peer.error('wamp.session.add_testament', ['wamp.session.on_join'])).toBe('wamp.error.invalid_uri')
    const before = listener.events().length
    peer.connection.gone()
    const events = listener.sent.filter((one) => one.kind === 'event').slice(before)
    expect(events.map((one) => one.kind === 'event' && one.details['topic'])).toEqual(['com.mine.d'])
  })

  test('tells nothing of what a client has said, and no secret', () => {
    const room = new Room()
    const peer = room.member({
      authextra: { password: 'hunter2', transport: { peer: 'tcp4:127.0.0.1:1' } },
      authrole: 'frontend',
      agent: 'hunter2',
    })
    expect(JSON.stringify(peer.welcome)).not.toContain('hunter2')
    expect(peer.welcome.details['authrole']).toBe('anonymous')
    const session = room.realm.session(peer.session)
    expect(JSON.stringify(session?.identity)).not.toContain('hunter2')
    expect(session?.transport).toEqual({})
  })
})

describe('lists of who may receive an event', () => {
  test('that are empty, huge or of other things let nobody in whom they do not name', async () => {
    const room = new Room()
    const [publisher, listener]: readonly Peer[] = [room.member(), room.member()]
    listener?.subscribe('com.t')
    for (const eligible of [
      [],
      [1],
      ['x'],
      [null],
      {},
      'all',
      [{}],
      Array.from({ length: 10_001 }, () => 1),
    ]) {
      publisher?.publish('com.t', ['no'], { eligible })
      publisher?.publish('com.t', ['no'], { eligible_authid: eligible })
      publisher?.publish('com.t', ['no'], { eligible_authrole: eligible })
    }
    publisher?.publish('com.t', ['yes'], { eligible: [listener?.session] })
    expect(listener?.events()).toEqual([['yes']])
  })
})
