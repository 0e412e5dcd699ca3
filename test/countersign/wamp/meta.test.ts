import { describe, expect, test } from 'vitest'
import { noDict } from '../../../packages/countersign/src/wamp/messages.ts'
import { noPayload } from '../../../packages/countersign/src/wamp/values.ts'
import { realm1, Room, ruleFor, settled, type Peer } from './router-room.ts'

/** A room, an administrator in it, and members. */
async function meeting(members: number): Promise<{ room: Room; admin: Peer; peers: readonly Peer[] }> {
  const room = new Room()
  const admin = await room.frontend()
  return { room, admin, peers: Array.from({ length: members }, () => room.member()) }
}

/** The one at this place. */
function at(peers: readonly Peer[], place: number): Peer {
  const peer = peers[place]
  if (peer === undefined) throw new Error('too few')
  return peer
}

describe('sessions', () => {
  test('are counted and listed, all or by role', async () => {
    const { admin, peers } = await meeting(2)
    expect(admin.result('wamp.session.count')).toBe(3)
    expect(admin.result('wamp.session.count', [['anonymous']])).toBe(2)
    expect(admin.result('wamp.session.count', [null])).toBe(3)
    expect(admin.result('wamp.session.list', [['frontend']])).toEqual([admin.session])
    expect(admin.result('wamp.session.list')).toEqual([admin.session, ...peers.map(({ session }) => session)])
    expect(admin.result('wamp.session.list', [[]])).toEqual([])
    expect(admin.error('wamp.session.count', ['anonymous'])).toBe('wamp.error.invalid_argument')
  })

  test('are shown with who they are', async () => {
    const { room, admin } = await meeting(0)
    const peer = room.peer({ peer: 'tcp4:127.0.0.1:1234' })
    peer.hello()
    expect(admin.result('wamp.session.get', [peer.session])).toEqual({
      session: peer.session,
      authid: peer.welcome.details['authid'],
      authrole: 'anonymous',
      authmethod: 'anonymous',
      authprovider: 'static',
      transport: { peer: 'tcp4:127.0.0.1:1234' },
    })
    expect(admin.result('wamp.session.get', [BigInt(peer.session)])).toMatchObject({ session: peer.session })
    for (const id of [7, 'x', undefined, -1]) {
      expect(admin.error('wamp.session.get', [id])).toBe('wamp.error.no_such_session')
    }
  })

  test('are announced when they join and when they leave', async () => {
    const { room, admin } = await meeting(0)
    admin.subscribe('wamp.session.on_join')
    admin.subscribe('wamp.session.on_leave')
    const peer = room.member()
    const { authid } = peer.welcome.details
    peer.connection.gone()
    expect(admin.events()).toEqual([
      [
        {
          session: peer.session,
          authid,
          authrole: 'anonymous',
          authmethod: 'anonymous',
          authprovider: 'static',
          transport: {},
        },
      ],
      [peer.session, authid, 'anonymous'],
    ])
  })

  test('are killed with GOODBYE, their cookie and their lease', async () => {
    const { room, admin, peers } = await meeting(2)
    const victim = at(peers, 0)
    expect(admin.result('wamp.session.kill', [victim.session])).toBeUndefined()
    expect(victim.sent.at(-1)).toEqual({ kind: 'goodbye', details: {}, reason: 'wamp.close.killed' })
    expect(victim.forgotten).toBe(1)
    expect(at(peers, 1).forgotten).toBe(0)
    expect(room.guard.leases()).toHaveLength(2)
    expect(room.opened.journal.at(-1)).toMatchObject({ kind: 'ended', reason: 'revoked' })
    room.clock.advance(1_000)
    expect(victim.closedBy).toEqual({ code: 3003, reason: 'revoked' })
    expect(admin.error('wamp.session.kill', [victim.session])).toBe('wamp.error.no_such_session')
  })

  test('are killed for a reason and with a message', async () => {
    const { admin, peers } = await meeting(1)
    const how = { reason: 'com.example.reason', message: 'enough' }
    admin.result('wamp.session.kill', [at(peers, 0).session], how)
    expect(at(peers, 0).sent.at(-1)).toEqual({
      kind: 'goodbye',
      details: { message: 'enough' },
      reason: 'com.example.reason',
    })
  })

  test.each(['no uri', '', 7])('are not killed for %j', async (reason) => {
    const { admin, peers } = await meeting(1)
    expect(admin.error('wamp.session.kill', [at(peers, 0).session], { reason })).toBe(
      'wamp.error.invalid_uri',
    )
    expect(admin.error('wamp.session.kill_all', [], { reason })).toBe('wamp.error.invalid_uri')
    expect(at(peers, 0).kinds()).toEqual(['welcome'])
  })

  test.each([7, 'x'.repeat(1025)])('are not killed with the message %j', async (message) => {
    const { admin, peers } = await meeting(1)
    const { session } = at(peers, 0)
    expect(admin.error('wamp.session.kill', [session], { message })).toBe('wamp.error.invalid_argument')
    expect(at(peers, 0).kinds()).toEqual(['welcome'])
  })

  test('never kill themselves', async () => {
    const { room, admin } = await meeting(0)
    const second = await room.frontend()
    expect(admin.error('wamp.session.kill', [admin.session])).toBe('wamp.error.no_such_session')
    expect(admin.result('wamp.session.kill_by_authid', ['joe'])).toEqual([second.session])
    expect(admin.result('wamp.session.kill_by_authrole', ['frontend'])).toBe(0)
    expect(admin.result('wamp.session.kill_all')).toBe(0)
    expect(admin.closedBy).toBeUndefined()
    expect(admin.error('wamp.session.kill_by_authid', [7])).toBe('wamp.error.invalid_argument')
  })

  test('killed all at once leave no testaments and no events behind', async () => {
    const { admin, peers } = await meeting(3)
    admin.subscribe('wamp.session.on_leave')
    admin.subscribe('com.last')
    at(peers, 0).say({ kind: 'subscribe', request: 99, options: noDict, topic: 'com.last' })
    expect(admin.result('wamp.session.kill_all')).toBe(3)
    expect(admin.events()).toEqual([])
    for (const peer of peers) expect(peer.sent.at(-1)).toMatchObject({ kind: 'goodbye' })
    expect(admin.result('wamp.session.count')).toBe(1)
  })

  test('need the permission to call, and to subscribe, like anything else', () => {
    const member = new Room().member()
    expect(member.error('wamp.session.list')).toBe('wamp.error.not_authorized')
    expect(member.subscribe('wamp.session.on_join')).toMatchObject({ error: 'wamp.error.not_authorized' })
  })
})

describe('subscriptions', () => {
  test('are listed, found and shown', async () => {
    const { admin, peers } = await meeting(2)
    const [one, two] = [at(peers, 0), at(peers, 1)]
    one.subscribe('com.a.b')
    two.subscribe('com.a.b')
    one.subscribe('com.a', { match: 'prefix' })
    one.subscribe('com..b', { match: 'wildcard' })
    const lists = admin.result('wamp.subscription.list')
    expect(lists).toEqual({
      exact: [expect.any(Number)],
      prefix: [expect.any(Number)],
      wildcard: [expect.any(Number)],
    })
    const id = admin.result('wamp.subscription.lookup', ['com.a.b'])
    const prefix = admin.result('wamp.subscription.lookup', ['com.a', { match: 'prefix' }])
    expect(admin.result('wamp.subscription.lookup', ['com.a'])).toBeNull()
    expect(admin.result('wamp.subscription.match', ['com.a.b'])).toHaveLength(3)
    expect(admin.result('wamp.subscription.match', ['org.a'])).toBeNull()
    expect(admin.result('wamp.subscription.get', [prefix])).toEqual({
      id: prefix,
      created: '2030-01-01T00:00:00.000Z',
      uri: 'com.a',
      match: 'prefix',
    })
    expect(admin.result('wamp.subscription.list_subscribers', [id])).toEqual([one.session, two.session])
    expect(admin.result('wamp.subscription.count_subscribers', [id])).toBe(2)
    expect(admin.error('wamp.subscription.get', [12345])).toBe('wamp.error.no_such_subscription')
    expect(admin.error('wamp.subscription.get', ['x'])).toBe('wamp.error.invalid_argument')
    expect(admin.error('wamp.subscription.lookup', ['com.a', { match: 'regex' }])).toBe(
      'wamp.error.invalid_argument',
    )
    expect(admin.error('wamp.subscription.match', [7])).toBe('wamp.error.invalid_argument')
  })

  test('are announced from the first subscriber to the last', async () => {
    const { admin, peers } = await meeting(1)
    for (const name of ['on_create', 'on_subscribe', 'on_unsubscribe', 'on_delete']) {
      admin.subscribe(`wamp.subscription.${name}`)
    }
    const before = admin.events().length
    const peer = at(peers, 0)
    const reply = peer.subscribe('com.a')
    if (reply?.kind !== 'subscribed') throw new Error('not subscribed')
    peer.connection.gone()
    const { subscription: id } = reply
    expect(admin.events().slice(before)).toEqual([
      [peer.session, { id, created: '2030-01-01T00:00:00.000Z', uri: 'com.a', match: 'exact' }],
      [peer.session, id],
      [peer.session, id],
      [peer.session, id],
    ])
  })

  test('can be taken from a subscriber', async () => {
    const { admin, peers } = await meeting(2)
    const [one, two] = [at(peers, 0), at(peers, 1)]
    one.subscribe('com.a')
    two.subscribe('com.a')
    const id = admin.result('wamp.subscription.lookup', ['com.a'])
    expect(admin.result('wamp.subscription.remove_subscriber', [id, one.session])).toBeUndefined()
    expect(one.sent.at(-1)).toEqual({
      kind: 'unsubscribed',
      request: 0,
      details: { subscription: id, reason: 'wamp.subscription.revoked' },
    })
    admin.publish('com.a', [1])
    expect([one.events(), two.events()]).toEqual([[], [[1]]])
    const remove = (...args: readonly unknown[]): string =>
      admin.error('wamp.subscription.remove_subscriber', args)
    expect(remove(id, one.session)).toBe('wamp.error.no_such_session')
    expect(remove(999, one.session)).toBe('wamp.error.no_such_subscription')
    expect(remove(id)).toBe('wamp.error.invalid_argument')
    expect(admin.error('wamp.subscription.remove_subscriber', [id, two.session], { reason: 'no uri' })).toBe(
      'wamp.error.invalid_uri',
    )
  })

  test('give their history to whoever may subscribe them', async () => {
    const history = [{ uri: 'com.a', match: 'exact', limit: 2 }] as const
    const room = new Room({ realms: [{ ...realm1, history }] })
    const admin = await room.frontend()
    for (const value of [1, 2, 3]) admin.publish('com.a', [value])
    const id = admin.result('wamp.subscription.lookup', ['com.a'])
    const events = admin.result('wamp.subscription.get_events', [id], { reverse: true })
    expect(events).toMatchObject([{ args: [3] }, { args: [2] }])
    expect(admin.error('wamp.subscription.get_events', [id], { limit: 'x' })).toBe(
      'wamp.error.invalid_argument',
    )
    expect(admin.error('wamp.subscription.get_events', ['x'])).toBe('wamp.error.invalid_argument')
    expect(admin.error('wamp.subscription.get_events', [999])).toBe('wamp.error.no_such_subscription')
  })

  test('give their history to those who subscribe them, whatever an authorizer says by now', async () => {
    const history = [{ uri: 'com.a', match: 'exact', limit: 2 }] as const
    const authorizer = { authorizer: () => Promise.resolve(true) }
    const roles = [{ name: 'anonymous', authorizer }]
    const room = new Room({ realms: [{ name: 'realm1', roles, history }] })
    const member = room.member()
    member.subscribe('com.a')
    await settled()
    member.call('wamp.subscription.get_events', [room.realm.broker.lookup('com.a', 'exact')])
    await settled()
    await settled()
    expect(member.sent.at(-1)).toMatchObject({ kind: 'result' })
  })
})

describe('registrations', () => {
  test('are listed, found and shown', async () => {
    const { admin, peers } = await meeting(2)
    const [one, two] = [at(peers, 0), at(peers, 1)]
    one.register('com.a.b', { invoke: 'roundrobin' })
    two.register('com.a.b', { invoke: 'roundrobin' })
    one.register('com.a', { match: 'prefix' })
    expect(admin.result('wamp.registration.list')).toMatchObject({
      exact: [expect.any(Number)],
      prefix: [expect.any(Number)],
      wildcard: [],
    })
    const id = admin.result('wamp.registration.lookup', ['com.a.b'])
    expect(admin.result('wamp.registration.lookup', ['com.a.b', { match: 'prefix' }])).toBeNull()
    expect(admin.result('wamp.registration.match', ['com.a.b'])).toBe(id)
    expect(admin.result('wamp.registration.match', ['org.a'])).toBeNull()
    expect(admin.result('wamp.registration.get', [id])).toEqual({
      id,
      created: '2030-01-01T00:00:00.000Z',
      uri: 'com.a.b',
      match: 'exact',
      invoke: 'roundrobin',
    })
    expect(admin.result('wamp.registration.list_callees', [id])).toEqual([one.session, two.session])
    expect(admin.result('wamp.registration.count_callees', [id])).toBe(2)
    expect(admin.error('wamp.registration.get', [12345])).toBe('wamp.error.no_such_registration')
    expect(admin.error('wamp.registration.count_callees', [])).toBe('wamp.error.invalid_argument')
    expect(admin.error('wamp.registration.match', [])).toBe('wamp.error.invalid_argument')
    expect(admin.error('wamp.registration.lookup', ['com.a', { match: 7 }])).toBe(
      'wamp.error.invalid_argument',
    )
  })

  test('are announced from the first callee to the last', async () => {
    const { admin, peers } = await meeting(1)
    for (const name of ['on_create', 'on_register', 'on_unregister', 'on_delete']) {
      admin.subscribe(`wamp.registration.${name}`)
    }
    const peer = at(peers, 0)
    const reply = peer.register('com.a')
    if (reply?.kind !== 'registered') throw new Error('not registered')
    peer.connection.gone()
    const { registration: id } = reply
    expect(admin.events()).toMatchObject([
      [peer.session, { id, uri: 'com.a', match: 'exact', invoke: 'single' }],
      [peer.session, id],
      [peer.session, id],
      [peer.session, id],
    ])
  })

  test('can be taken from a callee', async () => {
    const { admin, peers } = await meeting(1)
    const callee = at(peers, 0)
    callee.register('com.a')
    const id = admin.result('wamp.registration.lookup', ['com.a'])
    const reason = { reason: 'com.example.reason' }
    expect(admin.result('wamp.registration.remove_callee', [id, callee.session], reason)).toBeUndefined()
    expect(callee.sent.at(-1)).toEqual({
      kind: 'unregistered',
      request: 0,
      details: { registration: id, reason: 'com.example.reason' },
    })
    expect(admin.error('com.a')).toBe('wamp.error.no_such_procedure')
    callee.register('com.a')
    const again = admin.result('wamp.registration.lookup', ['com.a'])
    const remove = (...args: readonly unknown[]): string =>
      admin.error('wamp.registration.remove_callee', args)
    expect(remove(again, admin.session)).toBe('wamp.error.no_such_session')
    expect(remove(999, callee.session)).toBe('wamp.error.no_such_registration')
    expect(remove()).toBe('wamp.error.invalid_argument')
    expect(admin.error('wamp.registration.remove_callee', [again, callee.session], { reason: ' ' })).toBe(
      'wamp.error.invalid_uri',
    )
  })
})

describe('testaments', () => {
  const add = 'wamp.session.add_testament'
  const testator = {
    name: 'anonymous',
    rules: [ruleFor('com.', 'publish'), ruleFor('wamp.session.', 'call')],
  }
  const heirs = { name: 'frontend', rules: [ruleFor('', 'subscribe', 'call')] }

  async function will(): Promise<{ room: Room; heir: Peer; peer: Peer }> {
    const room = new Room({
      realms: [{ name: 'realm1', roles: [testator, heirs] }],
      limits: { maxTestaments: 4 },
    })
    const heir = await room.frontend()
    heir.subscribe('com.last')
    return { room, heir, peer: room.member() }
  }

  test.each([
    ['the transport is gone', (peer: Peer) => peer.connection.gone()],
    [
      'the session says goodbye',
      (peer: Peer) => peer.say({ kind: 'goodbye', details: noDict, reason: 'wamp.close.normal' }),
    ],
    ['the session breaks the protocol', (peer: Peer) => peer.hello()],
  ])('are published when %s: detached before destroyed, each in order', async (_name, end) => {
    const { heir, peer } = await will()
    expect(peer.result(add, ['com.last', ['d1'], {}])).toBeUndefined()
    peer.result(add, ['com.last', ['t1']], { scope: 'detached' })
    peer.result(add, ['com.last', ['t2']], { scope: 'detached', publish_options: { acknowledge: true } })
    peer.result(add, ['com.last', ['d2']], { scope: 'destroyed' })
    expect(heir.events()).toEqual([])
    end(peer)
    expect(heir.events()).toEqual([['t1'], ['t2'], ['d1'], ['d2']])
  })

  test('can be taken back, scope by scope', async () => {
    const { heir, peer } = await will()
    expect(peer.result('wamp.session.flush_testaments')).toBeUndefined()
    peer.result(add, ['com.last', ['d']])
    peer.result(add, ['com.last', ['t']], { scope: 'detached' })
    peer.result('wamp.session.flush_testaments')
    peer.connection.gone()
    expect(heir.events()).toEqual([['t']])
  })

  test('keep to their publish options', async () => {
    const { room, heir, peer } = await will()
    const other = await room.frontend('ann')
    other.subscribe('com.last')
    peer.result(add, ['com.last', ['x']], { publish_options: { exclude: [heir.session], disclose_me: true } })
    peer.connection.gone()
    expect(heir.events()).toEqual([])
    expect(other.sent.at(-1)).toMatchObject({ kind: 'event', details: { publisher: peer.session } })
  })

  test('are published as far as the session might have done so at its end', async () => {
    const { room, heir, peer } = await will()
    heir.subscribe('org.last')
    peer.result(add, ['com.last', ['allowed']])
    peer.result(add, ['org.last', ['denied']])
    peer.result(add, ['com.last', ['spoken for another']], { publish_options: { publisher: 1 } })
    peer.connection.gone()
    expect(heir.events()).toEqual([['allowed']])
    const second = room.member()
    second.result(add, ['com.last', ['too late']])
    room.realm.replaceRoles([{ name: 'anonymous' }, heirs])
    second.connection.gone()
    expect(heir.events()).toEqual([['allowed']])
  })

  test('wait for the authorizer of a session that is gone', async () => {
    const authorizer = { authorizer: () => Promise.resolve(true) }
    const room = new Room({ realms: [{ name: 'realm1', roles: [{ name: 'anonymous', authorizer }, heirs] }] })
    const heir = await room.frontend()
    heir.subscribe('com.last')
    const peer = room.member()
    peer.call(add, ['com.last', ['x']])
    await settled()
    peer.connection.gone()
    await settled()
    expect(heir.events()).toEqual([['x']])
  })

  test.each<[string, readonly unknown[], Record<string, unknown>, string]>([
    ['a topic that is none', [7], {}, 'invalid_argument'],
    ['a topic with blanks', ['com.a b'], {}, 'invalid_uri'],
    ['a topic of the router', ['wamp.session.on_join'], {}, 'invalid_uri'],
    ['arguments that are no list', ['com.a', 'x'], {}, 'invalid_argument'],
    ['arguments that are no dictionary', ['com.a', [], 'x'], {}, 'invalid_argument'],
    ['an unknown scope', ['com.a'], { scope: 'frozen' }, 'invalid_argument'],
    ['options that are none', ['com.a'], { publish_options: 7 }, 'invalid_argument'],
  ])('with %s are refused', async (_name, args, kwargs, error) => {
    const { peer } = await will()
    expect(peer.error(add, args, kwargs)).toBe(`wamp.error.${error}`)
    expect(peer.error('wamp.session.flush_testaments', [], { scope: 'x' })).toBe(
      'wamp.error.invalid_argument',
    )
  })

  test('are bounded', async () => {
    const { peer } = await will()
    for (let count = 0; count < 4; count++) peer.result(add, ['com.last'])
    expect(peer.error(add, ['com.last'])).toBe('wamp.error.unavailable')
  })
})

describe('decisions of authorizers', () => {
  test('are forgotten when the purge procedure is called', async () => {
    const asked: string[] = []
    const authorizer = {
      authorizer: (_session: unknown, uri: string) => {
        asked.push(uri)
        return { allow: true, cache: true }
      },
    }
    const frontend = { name: 'frontend', rules: [ruleFor('', 'call')] }
    const room = new Room({
      realms: [{ name: 'realm1', roles: [{ name: 'anonymous', authorizer }, frontend] }],
    })
    const [admin, member] = [await room.frontend(), room.member()]
    member.subscribe('com.a')
    member.subscribe('com.a')
    expect(asked).toEqual(['com.a'])
    expect(admin.result('x_countersign.authorization.purge', [member.session])).toBeUndefined()
    member.subscribe('com.a')
    admin.result('x_countersign.authorization.purge')
    member.subscribe('com.a')
    expect(asked).toEqual(['com.a', 'com.a', 'com.a'])
    expect(admin.error('x_countersign.authorization.purge', [7])).toBe('wamp.error.no_such_session')
    expect(admin.error('x_countersign.authorization.purge', ['x'])).toBe('wamp.error.invalid_argument')
  })
})

describe('the history of a topic under an authorizer', () => {
  function archive(): { room: Room; answers: ((allow: boolean) => void)[] } {
    const answers: ((allow: boolean) => void)[] = []
    const authorizer = (_session: unknown, uri: string): unknown =>
      uri === 'com.topic' ? new Promise((resolve) => answers.push(resolve)) : true
    const frontend = { name: 'frontend', rules: [ruleFor('', 'publish')] }
    const realm = {
      ...realm1,
      roles: [{ name: 'anonymous', authorizer: { authorizer } }, frontend],
      history: [{ uri: 'com.topic', match: 'exact', limit: 10 }],
    } as const
    return { room: new Room({ realms: [realm] }), answers }
  }

  test.each([true, false])('is told once the authorizer has been heard: %s', async (allow) => {
    const { room, answers } = archive()
    const [joe, member] = [await room.frontend(), room.member()]
    joe.publish('com.topic', ['kept'])
    expect(member.call('wamp.subscription.get_events', [1])).toBeUndefined()
    member.call('wamp.session.count')
    expect(member.kinds()).toEqual(['welcome'])
    answers[0]?.(allow)
    await settled()
    expect(member.kinds()).toEqual(['welcome', allow ? 'result' : 'error', 'result'])
    const [, told] = member.sent
    const events = told?.kind === 'result' ? told.payload.args() : []
    expect(events).toMatchObject(allow ? [[{ args: ['kept'] }]] : [])
  })

  test('is told to nobody who has gone', async () => {
    const { room, answers } = archive()
    const member = room.member()
    member.call('wamp.subscription.get_events', [1])
    member.connection.gone()
    answers[0]?.(true)
    await settled()
    expect(member.kinds()).toEqual(['welcome'])
  })
})

describe('a CALL of the router itself', () => {
  /** A member that sends the arguments of call 7 in parts, and its callee. */
  function underWay(): { member: Peer; callee: Peer } {
    const features = { progressive_call_invocations: true, call_canceling: true }
    const room = new Room({
      realms: [{ ...realm1, roles: [{ name: 'anonymous', rules: [ruleFor('', 'call', 'register')] }] }],
    })
    const [member, callee] = [1, 2].map(() =>
      room.member({ roles: { caller: { features }, callee: { features } } }),
    )
    if (member === undefined || callee === undefined) throw new Error('there are two')
    callee.register('com.procedure')
    part(member, 'com.procedure', true)
    return { member, callee }
  }

  function part(peer: Peer, procedure: string, progress: boolean): void {
    peer.say({ kind: 'call', request: 7, options: { progress }, procedure, payload: noPayload })
  }

  test('ends the call under way whose id it carries, and answers nothing else', () => {
    const { member, callee } = underWay()
    part(member, 'wamp.session.kill_all', false)
    expect(member.sent.at(-1)).toMatchObject({
      kind: 'error',
      request: 7,
      error: 'wamp.error.invalid_argument',
    })
    expect(callee.kinds()).toEqual(['welcome', 'registered', 'invocation', 'interrupt'])
    callee.yield(['late'])
    expect(member.kinds()).toEqual(['welcome', 'error'])
  })

  test('is dropped under the id of a call that was answered while it went on', () => {
    const { member, callee } = underWay()
    callee.yield(['early'])
    part(member, 'wamp.session.count', false)
    expect(member.kinds()).toEqual(['welcome', 'result'])
  })

  test('is answered once, in however many parts it comes', () => {
    const { member, callee } = underWay()
    callee.yield()
    part(member, 'com.procedure', false)
    for (const progress of [true, true, false]) part(member, 'wamp.session.count', progress)
    expect(member.kinds()).toEqual(['welcome', 'result', 'result'])
  })
})
