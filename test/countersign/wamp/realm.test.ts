import { describe, expect, test } from 'vitest'
import { noDict, type Message } from '../../../packages/countersign/src/wamp/messages.ts'
import type { RealmOptions } from '../../../packages/countersign/src/wamp/options.ts'
import { payloadOf } from '../../../packages/countersign/src/wamp/values.ts'
import { expectViolation, realm1, Room, ruleFor, settled, type Peer } from './router-room.ts'

/** Answers of an authorizer that a test gives when it likes. */
class Desk {
  readonly asked: {
    readonly uri: string
    readonly action: string
    readonly answer: (value: unknown) => void
  }[] = []

  readonly room: Room = new Room({
    realms: [
      {
        name: 'realm1',
        roles: [
          {
            name: 'anonymous',
            authorizer: {
              authorizer: (_session, uri, action) =>
                uri.startsWith('now.')
                  ? uri === 'now.yes'
                  : new Promise((answer) => void this.asked.push({ uri, action, answer })),
            },
          },
          { name: 'frontend', rules: [ruleFor('', 'call', 'register', 'publish', 'subscribe')] },
        ],
      },
    ],
    limits: { maxWaiting: 3 },
  })

  async answer(value: unknown): Promise<void> {
    this.asked.shift()?.answer(value)
    await settled()
    await settled()
  }
}

describe('a request', () => {
  test('that no rule allows is refused, a publication that nobody waits for in silence (trap 8)', () => {
    const member = new Room().member()
    expect(member.call('org.a')).toMatchObject({
      kind: 'error',
      of: 'call',
      error: 'wamp.error.not_authorized',
    })
    expect(member.subscribe('org.a')).toMatchObject({ of: 'subscribe', error: 'wamp.error.not_authorized' })
    expect(member.register('org.a')).toMatchObject({ of: 'register', error: 'wamp.error.not_authorized' })
    expect(member.publish('org.a', [], { acknowledge: true })).toMatchObject({
      of: 'publish',
      error: 'wamp.error.not_authorized',
    })
    expect(member.publish('org.a')).toBeUndefined()
  })

  test('is refused as failed where its authorizer breaks', async () => {
    const desk = new Desk()
    const member = desk.room.member()
    member.subscribe('com.a')
    await desk.answer('neither yes nor no')
    expect(member.sent.at(-1)).toMatchObject({ kind: 'error', error: 'wamp.error.authorization_failed' })
  })

  test.each(['wamp.own.topic', 'wamp', 'x_countersign.own'])(
    'cannot register or publish under the router’s own name %s',
    async (uri) => {
      const joe = await new Room().frontend()
      expect(joe.register(uri)).toMatchObject({ kind: 'error', error: 'wamp.error.invalid_uri' })
      expect(joe.publish(uri, [], { acknowledge: true })).toMatchObject({ error: 'wamp.error.invalid_uri' })
      expect(joe.publish(uri)).toBeUndefined()
      expect(joe.error(uri)).toBe('wamp.error.no_such_procedure')
    },
  )

  test.each(['caller', 'caller_authid', 'publisher_authrole', 'trustlevel', 'forward_for'])(
    'cannot speak in someone else’s name by the option %s',
    async (option) => {
      const joe = await new Room().frontend()
      const options = { [option]: 1 }
      const refused = { kind: 'error', error: 'wamp.error.option_not_allowed' }
      expect(joe.subscribe('com.a', options)).toMatchObject(refused)
      expect(joe.publish('com.a', [], { ...options, acknowledge: true })).toMatchObject(refused)
      expect(joe.publish('com.a', [], options)).toBeUndefined()
    },
  )

  test('may have options that nobody knows', async () => {
    const joe = await new Room().frontend()
    expect(joe.subscribe('com.a', { x_whatever: 1, rkey: 'a' })).toMatchObject({ kind: 'subscribed' })
  })

  test('gets no procedure of the router’s by registering a pattern that covers it', async () => {
    const joe = await new Room().frontend()
    expect(joe.register('', { match: 'prefix' })).toMatchObject({ kind: 'registered' })
    expect(joe.error('wamp.session.no_such_thing')).toBe('wamp.error.no_such_procedure')
    expect(joe.result('wamp.session.count')).toBe(1)
    expect(joe.kinds()).not.toContain('invocation')
  })
})

describe('requests behind an authorizer', () => {
  test('keep their order', async () => {
    const desk = new Desk()
    const [member, joe] = [desk.room.member(), await desk.room.frontend()]
    joe.subscribe('now.yes')
    member.publish('com.a')
    member.publish('now.yes', [2])
    expect(member.subscribe('now.no')).toBeUndefined()
    expect(joe.events()).toEqual([])
    await desk.answer(true)
    expect(joe.events()).toEqual([[2]])
    expect(member.sent.at(-1)).toMatchObject({ kind: 'error', error: 'wamp.error.not_authorized' })
  })

  test('may be several that have to wait', async () => {
    const desk = new Desk()
    const member = desk.room.member()
    for (const topic of ['com.a', 'com.b', 'now.yes']) member.subscribe(topic)
    expect(desk.asked.map(({ uri }) => uri)).toEqual(['com.a'])
    await desk.answer(true)
    expect(desk.asked.map(({ uri }) => uri)).toEqual(['com.b'])
    expect(member.kinds()).toEqual(['welcome', 'subscribed'])
    await desk.answer(true)
    expect(member.kinds()).toEqual(['welcome', 'subscribed', 'subscribed', 'subscribed'])
  })

  test('let results pass: the authorizer may be waiting for them', async () => {
    const desk = new Desk()
    const [member, joe] = [desk.room.member(), await desk.room.frontend()]
    member.register('now.yes')
    joe.call('now.yes')
    member.subscribe('com.slow')
    member.yield([7])
    expect(joe.sent.at(-1)).toMatchObject({ kind: 'result' })
  })

  test('are bounded: a client that does not wait is closed as overloaded', () => {
    const desk = new Desk()
    const member = desk.room.member()
    for (const topic of ['com.a', 'com.b', 'com.c', 'com.d']) member.subscribe(topic)
    expect(member.closedBy).toBeUndefined()
    member.subscribe('com.e')
    expect(member.closedBy).toEqual({ code: 1013, reason: 'overloaded' })
    expect([...desk.room.realm.sessions()]).toEqual([])
  })

  test('come to nothing when their session has gone', async () => {
    const desk = new Desk()
    const member = desk.room.member()
    member.subscribe('com.a')
    member.connection.gone()
    await desk.answer(true)
    expect(desk.room.realm.broker.list().exact).toEqual([])
  })

  test('are decided by the role that the session has by then', async () => {
    const desk = new Desk()
    const member = desk.room.member()
    member.subscribe('com.a')
    const session = desk.room.realm.session(member.session)
    if (session === undefined) throw new Error('no session')
    desk.room.realm.changeRole(session, 'frontend')
    await desk.answer(false)
    expect(member.sent.at(-1)).toMatchObject({ kind: 'subscribed' })
  })

  test('do not hold back a violation', () => {
    const desk = new Desk()
    const member = desk.room.member()
    member.subscribe('com.a')
    member.hello()
    expectViolation(member)
  })

  test('end with a violation of the one that was decided', async () => {
    const desk = new Desk()
    const member = desk.room.member()
    member.publish('com.a', [], { ppt_scheme: 'x_scheme' })
    member.subscribe('now.yes')
    await desk.answer(true)
    expectViolation(member)
    expect(member.kinds()).not.toContain('subscribed')
  })

  test('end with a violation that comes of one of them', async () => {
    const desk = new Desk()
    const member = desk.room.member()
    member.subscribe('com.a')
    member.publish('now.yes', [], { ppt_scheme: 'x_scheme' })
    await desk.answer(true)
    expectViolation(member)
  })
})

describe('bad input of a session', () => {
  const wrongDirection: readonly Message[] = [
    { kind: 'event', subscription: 1, publication: 1, details: noDict, payload: payloadOf(), shared: [] },
    { kind: 'result', request: 1, details: noDict, payload: payloadOf() },
    { kind: 'invocation', request: 1, registration: 1, details: noDict, payload: payloadOf() },
    { kind: 'interrupt', request: 1, options: noDict },
    { kind: 'subscribed', request: 1, subscription: 1 },
    { kind: 'published', request: 1, publication: 1 },
    { kind: 'registered', request: 1, registration: 1 },
  ]
  const impossible: readonly Message[] = [
    { kind: 'yield', request: 1, options: noDict, payload: payloadOf() },
    { kind: 'error', of: 'invocation', request: 1, details: noDict, error: 'com.e', payload: payloadOf() },
    { kind: 'error', of: 'call', request: 1, details: noDict, error: 'com.e', payload: payloadOf() },
  ]

  test.each([...wrongDirection, ...impossible].map((message) => [message.kind, message] as const))(
    'like %s ends it and leaves the others alone',
    async (_kind, message) => {
      const room = new Room()
      const [bad, good, witness] = [room.member(), room.member(), await room.frontend()]
      good.subscribe('com.topic')
      bad.say(message)
      expectViolation(bad)
      witness.publish('com.topic', ['still here'])
      expect(good.events()).toEqual([['still here']])
      expect(witness.result('wamp.session.list')).toEqual([good.session, witness.session])
    },
  )

  test('like a YIELD for somebody else’s invocation ends it, and the call goes on', async () => {
    const room = new Room()
    const [callee, thief, caller] = [room.member(), room.member(), room.member()]
    callee.register('com.add')
    caller.call('com.add', [1])
    thief.say({ kind: 'yield', request: 1, options: noDict, payload: payloadOf(['stolen']) })
    expectViolation(thief)
    callee.yield(['right'])
    expect(caller.sent.at(-1)).toMatchObject({ kind: 'result' })
  })

  test.each([
    ['com..a', {}],
    ['com.a b', {}],
    ['com.#', {}],
    ['', {}],
  ])('like the URI %j is answered by an error', async (uri, options) => {
    const joe = await new Room().frontend()
    const invalid = { kind: 'error', error: 'wamp.error.invalid_uri' }
    expect(joe.subscribe(uri, options)).toMatchObject(invalid)
    expect(joe.register(uri, options)).toMatchObject(invalid)
    expect(joe.publish(uri, [], { acknowledge: true })).toMatchObject(invalid)
    expect(joe.closedBy).toBeUndefined()
  })
})

test('refuses a URI that is longer than anybody looks at', async () => {
  const joe = await new Room().frontend()
  const long = 'a'.repeat(1025)
  expect(joe.subscribe(long)).toMatchObject({ kind: 'error' })
  expect(joe.call(long)).toMatchObject({ kind: 'error' })
})

describe('a realm', () => {
  test('has the procedures of the meta API unless they are switched off', async () => {
    const joe = await new Room({ realms: [{ ...realm1, metaApi: false }] }).frontend()
    expect(joe.error('wamp.session.count')).toBe('wamp.error.no_such_procedure')
    expect(joe.welcome.details).toMatchObject({ roles: { dealer: { features: { call_canceling: true } } } })
    expect(joe.welcome.details).not.toMatchObject({
      roles: { dealer: { features: { testament_meta_api: true } } },
    })
  })

  test.each<[string, readonly RealmOptions[]]>([
    ['two realms of one name', [realm1, realm1]],
    ['two roles of one name', [{ name: 'a', roles: [{ name: 'r' }, { name: 'r' }] }]],
  ])('is refused at construction with %s', (_name, realms) => {
    expect(() => new Room({ realms })).toThrow(/once|two of this name/)
  })

  test.each([{ helloTimeoutMs: 0 }, { lingerMs: 1.5 }, { limits: { maxWaiting: -1 } }])(
    'is refused at construction with %j',
    (options) => {
      expect(() => new Room(options)).toThrow('whole number')
    },
  )

  test('refuses to give a role that it does not have', () => {
    const room = new Room()
    expect(() => room.realm.changeRole(() => true, 'nobody has it')).toThrow('role')
  })
})

describe('the service', () => {
  const authenticator = 'com.example.authenticate'

  function serviceRoom(): Room {
    const exact = { ...ruleFor(authenticator, 'register'), match: 'exact' } as const
    const rules = [ruleFor('com.', 'call', 'register', 'publish', 'subscribe'), exact]
    return new Room({
      realms: [{ name: 'realm1', roles: [{ name: 'anonymous', rules }], reserved: [authenticator] }],
    })
  }

  async function asked(room: Room, timeoutMs = 5_000): Promise<unknown> {
    return await room.router
      .call({ realm: 'realm1', procedure: authenticator, args: ['realm1', 'joe', {}], timeoutMs })
      .catch((error: unknown) => error)
  }

  test('calls a procedure, and tells a result from an error', async () => {
    const room = serviceRoom()
    const callee = room.member()
    callee.register(authenticator)
    const first = asked(room)
    expect(callee.sent.at(-1)).toMatchObject({ kind: 'invocation' })
    callee.yield(['frontend'])
    expect(await first).toMatchObject({ kind: 'result', value: 'frontend' })
    const second = asked(room)
    callee.say({
      kind: 'error',
      of: 'invocation',
      request: 2,
      details: noDict,
      error: 'com.example.denied',
      payload: payloadOf(['no']),
    })
    expect(await second).toMatchObject({ kind: 'error', uri: 'com.example.denied', args: ['no'] })
  })

  test('waits a little for a procedure that is not registered yet', async () => {
    const room = serviceRoom()
    const answer = asked(room)
    await settled()
    room.clock.advance(1_500)
    const callee = room.member()
    callee.register(authenticator)
    await settled()
    callee.yield([1])
    expect(await answer).toMatchObject({ kind: 'result', value: 1 })
  })

  test('gives up after that: it is a condition that passes, not an answer', async () => {
    const room = serviceRoom()
    const answer = asked(room)
    await settled()
    room.clock.advance(2_000)
    expect(await answer).toMatchObject({ name: 'OutageError', code: 'overloaded' })
  })

  test.each([
    ['does not answer', (room: Room) => room.clock.advance(5_000)],
    ['goes away', (_room: Room, callee: Peer) => callee.connection.gone()],
  ])('gives up when its callee %s', async (_name, happen) => {
    const room = serviceRoom()
    const callee = room.member()
    callee.register(authenticator)
    const answer = asked(room)
    await settled()
    happen(room, callee)
    expect(await answer).toMatchObject({ name: 'OutageError', code: 'overloaded' })
  })

  test('is not answered by a pattern that covers the name, nor called by anybody else', async () => {
    const room = serviceRoom()
    const callee = room.member()
    expect(callee.register('com.example.', { match: 'prefix' })).toMatchObject({ kind: 'error' })
    expect(callee.error(authenticator)).toBe('wamp.error.not_authorized')
    expect(
      await room.router.call({ realm: 'x', procedure: 'y', args: [], timeoutMs: 1 }).catch(String),
    ).toContain('realm')
  })

  test('is no session of the meta API', async () => {
    const room = new Room()
    const joe = await room.frontend()
    expect(joe.result('wamp.session.list')).toEqual([joe.session])
  })
})
