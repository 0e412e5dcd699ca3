import { describe, expect, it } from 'vitest'
import type { RouterMessage } from '../../../packages/countersign/src/wamp/messages.ts'
import { permits } from '../../../packages/countersign/src/wamp/permit.ts'
import { BrokerRoom, said, type TestSession } from './broker-room.ts'

function room(options?: ConstructorParameters<typeof BrokerRoom>[0]): {
  room: BrokerRoom
  alice: TestSession
  bob: TestSession
} {
  const made = new BrokerRoom(options)
  return { room: made, alice: made.guest(1), bob: made.guest(2) }
}

function errors(session: TestSession): readonly string[] {
  return session.take().map((message) => (message.kind === 'error' ? message.error : message.kind))
}

describe('subscriptions', () => {
  it('gives all subscribers of a topic one small id, and a second SUBSCRIBE the same', () => {
    const { room: here, alice, bob } = room()
    expect(here.subscribe(alice, 'com.a')).toBe(1)
    expect(here.subscribe(bob, 'com.a')).toBe(1)
    expect(here.subscribe(alice, 'com.a')).toBe(1)
    expect(here.subscribe(alice, 'com.a', { match: 'prefix' })).toBe(2)
    expect(here.watched).toEqual([
      'created 1 1',
      'subscribed 1 1',
      'subscribed 2 1',
      'created 1 2',
      'subscribed 1 2',
    ])
  })

  it('sends one event to a session that subscribed a topic twice', () => {
    const { room: here, alice, bob } = room()
    here.subscribe(alice, 'com.a')
    here.subscribe(alice, 'com.a')
    here.publish(bob, 'com.a')
    expect(alice.events()).toHaveLength(1)
  })

  it.each([
    ['com..a', {}, 'wamp.error.invalid_uri'],
    ['com.a#', { match: 'prefix' }, 'wamp.error.invalid_uri'],
    ['', {}, 'wamp.error.invalid_uri'],
    ['com.a', { match: 'regex' }, 'wamp.error.invalid_argument'],
    ['com.a', { match: 1 }, 'wamp.error.invalid_argument'],
    ['com.a', { get_retained: 1 }, 'wamp.error.invalid_argument'],
  ])('refuses %j with %j', (topic, options, error) => {
    const { room: here, alice } = room()
    expect(here.subscribe(alice, topic, options)).toBe(error)
    expect(here.broker.list()).toEqual({ exact: [], prefix: [], wildcard: [] })
  })

  it('takes null and undefined options for absent, and ignores unknown ones', () => {
    const { room: here, alice } = room()
    expect(here.subscribe(alice, 'com.a', { match: null, get_retained: undefined, nkey: 7 })).toBe(1)
  })

  it('bounds the subscriptions of one session, not those it has already', () => {
    const { room: here, alice, bob } = room({ limits: { maxSubscriptions: 1 } })
    expect(here.subscribe(alice, 'com.a')).toBe(1)
    expect(here.subscribe(alice, 'com.b')).toBe('wamp.error.unavailable')
    expect(here.subscribe(alice, 'com.a')).toBe(1)
    expect(here.subscribe(bob, 'com.b')).toBe(2)
  })

  it('forgets a subscription that nobody has any more, and never uses its id again', () => {
    const { room: here, alice, bob } = room()
    here.subscribe(alice, 'com.a')
    here.subscribe(bob, 'com.a')
    here.unsubscribe(alice, 1)
    here.leave(bob)
    expect(alice.take()).toEqual([{ kind: 'unsubscribed', request: 2, details: undefined }])
    expect(here.watched.slice(3)).toEqual(['unsubscribed 1 1', 'unsubscribed 2 1', 'deleted 2 1'])
    expect(here.broker.find(1)).toBeUndefined()
    expect(here.subscribe(alice, 'com.a')).toBe(2)
  })

  it('refuses to unsubscribe what is not subscribed by this session', () => {
    const { room: here, alice, bob } = room()
    here.subscribe(alice, 'com.a')
    here.unsubscribe(bob, 1)
    here.unsubscribe(bob, 99)
    expect(errors(bob)).toEqual(['wamp.error.no_such_subscription', 'wamp.error.no_such_subscription'])
    expect(here.broker.find(1)?.sessions.size).toBe(1)
  })

  it('revokes with a reason, and only from whoever has it', () => {
    const { room: here, alice, bob } = room()
    here.subscribe(alice, 'com.a')
    const subscription = here.broker.find(1)
    if (subscription === undefined) throw new Error('no subscription')
    here.broker.revoke(bob, subscription, 'wamp.error.not_authorized')
    here.broker.revoke(alice, subscription, 'wamp.error.not_authorized')
    here.broker.revoke(alice, subscription, 'wamp.error.not_authorized')
    expect(bob.take()).toEqual([])
    const details = { subscription: 1, reason: 'wamp.error.not_authorized' }
    expect(alice.take()).toEqual([{ kind: 'unsubscribed', request: 0, details }])
    expect(alice.subscriptions?.size).toBe(0)
    expect(here.watched.slice(2)).toEqual(['unsubscribed 1 1', 'deleted 1 1'])
  })

  it('revokes in silence where the client cannot be told', () => {
    const here = new BrokerRoom()
    const [old, publisher] = [here.guest(1, { revocation: false }), here.guest(2)]
    here.subscribe(old, 'com.a')
    const subscription = here.broker.find(1)
    if (subscription === undefined) throw new Error('no subscription')
    here.broker.revoke(old, subscription, 'wamp.error.not_authorized')
    here.publish(publisher, 'com.a')
    expect(old.take()).toEqual([])
    expect(here.watched.slice(2)).toEqual(['unsubscribed 1 1', 'deleted 1 1'])
    here.unsubscribe(old, 1)
    expect(errors(old)).toEqual(['wamp.error.no_such_subscription'])
  })

  it('answers the meta questions', () => {
    const { room: here, alice } = room()
    here.subscribe(alice, 'com.a')
    here.subscribe(alice, 'com.', { match: 'prefix' })
    here.subscribe(alice, '.a', { match: 'wildcard' })
    expect(here.broker.list()).toEqual({ exact: [1], prefix: [2], wildcard: [3] })
    expect(here.broker.lookup('com.', 'prefix')).toBe(2)
    expect(here.broker.lookup('com.', 'wildcard')).toBeUndefined()
    expect(here.broker.matching('com.a')).toEqual([1, 2, 3])
    expect(here.broker.matching('com.b')).toEqual([2])
    expect(here.broker.find(3)).toMatchObject({ topic: '.a', match: 'wildcard', createdAtMs: here.now })
  })

  it('does not enter a session that was lost to its SUBSCRIBED', () => {
    const here = new BrokerRoom()
    const lost = here.guest(1, { onSend: (_, self) => here.leave(self) })
    here.subscribe(lost, 'com.a')
    expect(here.broker.list().exact).toEqual([])
    expect(here.watched).toEqual([])
  })
})

describe('publication', () => {
  it('acknowledges before it sends events, and only if asked to', () => {
    const { room: here, alice } = room()
    here.subscribe(alice, 'com.a')
    here.publish(alice, 'com.a', { acknowledge: true, exclude_me: false })
    const [first, second] = alice.take()
    expect(first).toEqual({ kind: 'published', request: 2, publication: 1001 })
    expect(second).toMatchObject({ kind: 'event', subscription: 1, publication: 1001, details: {} })
    here.publish(alice, 'com.a')
    expect(alice.take()).toEqual([])
  })

  it('sends all subscribers of a subscription one and the same message', () => {
    const { room: here, alice, bob } = room()
    const carol = here.guest(3)
    here.subscribe(alice, 'com.a')
    here.subscribe(bob, 'com.a')
    here.publish(carol, 'com.a')
    const [event] = alice.events()
    expect(bob.events()[0]).toBe(event)
    expect(event?.shared).toEqual([])
  })

  it.each([
    [{ acknowledge: 1 }, []],
    [{ acknowledge: true, exclude_me: 0 }, ['wamp.error.invalid_argument']],
    [{ acknowledge: true, disclose_me: 'yes' }, ['wamp.error.invalid_argument']],
    [{ acknowledge: true, retain: 1 }, ['wamp.error.invalid_argument']],
    [{ acknowledge: true, exclude: 7 }, ['wamp.error.invalid_argument']],
    [{ acknowledge: true, exclude: ['7'] }, ['wamp.error.invalid_argument']],
    [{ acknowledge: true, eligible: [1.5] }, ['wamp.error.invalid_argument']],
    [{ acknowledge: true, eligible_authid: [7] }, ['wamp.error.invalid_argument']],
    [{ acknowledge: true, eligible_authrole: {} }, ['wamp.error.invalid_argument']],
    [
      { acknowledge: true, exclude: Array.from({ length: 10_001 }, () => 1) },
      ['wamp.error.invalid_argument'],
    ],
    [{ acknowledge: true, ppt_scheme: 1 }, ['wamp.error.invalid_argument']],
    [{ retain: 1 }, []],
  ])('publishes nothing with %j', (options, expected) => {
    const { room: here, alice, bob } = room()
    here.subscribe(bob, 'com.a')
    expect(here.publish(alice, 'com.a', options)).toBe(true)
    expect(errors(alice)).toEqual(expected)
    expect(bob.take()).toEqual([])
  })

  it('refuses a topic that is no URI, in silence unless asked', () => {
    const { room: here, alice } = room()
    here.publish(alice, 'com..a')
    expect(alice.take()).toEqual([])
    here.publish(alice, 'com..a', { acknowledge: true })
    expect(errors(alice)).toEqual(['wamp.error.invalid_uri'])
  })

  it('takes null for absent', () => {
    const { room: here, alice, bob } = room()
    here.subscribe(bob, 'com.a')
    here.publish(alice, 'com.a', { acknowledge: null, eligible: null, exclude_me: undefined })
    expect(bob.events()).toHaveLength(1)
  })

  it('leaves the publisher out unless it says otherwise', () => {
    const { room: here, alice } = room()
    here.subscribe(alice, 'com.a')
    here.publish(alice, 'com.a', { exclude_me: true })
    expect(alice.events()).toEqual([])
    here.publish(alice, 'com.a', { exclude_me: false })
    expect(alice.events()).toHaveLength(1)
  })

  it('names the publisher on its own wish, or on that of a rule, and never else', () => {
    const { room: here, alice, bob } = room()
    here.subscribe(bob, 'com.a')
    here.publish(alice, 'com.a')
    here.publish(alice, 'com.a', { disclose_me: true })
    here.publish(alice, 'com.a', { disclose_me: false }, { permit: permits.disclosed })
    const named = { publisher: 1, publisher_authid: 'user1', publisher_authrole: 'user' }
    expect(bob.events().map(({ details }) => details)).toEqual([{}, named, named])
  })

  it('tells the trust level of the publisher', () => {
    const here = new BrokerRoom()
    const alice = here.guest(1, { trustlevel: 0 })
    const bob = here.guest(2)
    here.subscribe(bob, 'com.a')
    here.publish(alice, 'com.a')
    expect(bob.events()[0]?.details).toEqual({ trustlevel: 0 })
  })

  it('passes the attributes of payload passthru mode on, and nothing else of the options', () => {
    const here = new BrokerRoom()
    const alice = here.guest(1, { passthru: true })
    const bob = here.guest(2)
    here.subscribe(bob, 'com.a')
    const ppt = { ppt_scheme: 'x_mine', ppt_serializer: 'cbor', ppt_cipher: 'aes256gcm', ppt_keyid: 'k1' }
    expect(here.publish(alice, 'com.a', { ...ppt, publisher: 3, topic: 'com.b' })).toBe(true)
    expect(bob.events()[0]?.details).toEqual(ppt)
    expect(here.publish(alice, 'com.a', { ppt_keyid: 'k1' })).toBe(true)
    expect(bob.events()[0]?.details).toEqual({})
  })

  it('reports payload passthru by a publisher that did not announce it', () => {
    const { room: here, alice, bob } = room()
    here.subscribe(bob, 'com.a')
    expect(here.publish(alice, 'com.a', { ppt_scheme: 'x_mine' })).toBe(false)
    expect(bob.take()).toEqual([])
    expect(alice.take()).toEqual([])
  })

  it('goes on when subscribers leave while it sends', () => {
    const here = new BrokerRoom()
    const others: TestSession[] = []
    const heard: number[] = []
    const onSend = (message: RouterMessage, self: TestSession): void => {
      if (message.kind !== 'event') return
      heard.push(self.id)
      if (self.id === 1) for (const other of others) here.leave(other)
    }
    const first = here.guest(1, { onSend })
    const second = here.guest(2, { onSend })
    const third = here.guest(3, { onSend })
    others.push(first, second)
    for (const one of [first, second, third]) here.subscribe(one, 'com.a')
    here.publish(here.guest(4), 'com.a')
    expect(heard).toEqual([1, 3])
  })
})

describe('patterns', () => {
  it.each([
    ['prefix', 'com.myapp.topic.emergency', 'com.myapp.topic.emergency.11', true],
    ['prefix', 'com.myapp.topic.emergency', 'com.myapp.topic.emergency-low', true],
    ['prefix', 'com.myapp.topic.emergency', 'com.myapp.topic.emergency.category.severe', true],
    ['prefix', 'com.myapp.topic.emergency', 'com.myapp.topic.emergency', true],
    ['prefix', 'com.myapp.topic.emergency', 'com.myapp.topic.emerge', false],
    ['prefix', '', 'com.a', true],
    ['wildcard', 'com.myapp..userevent', 'com.myapp.foo.userevent', true],
    ['wildcard', 'com.myapp..userevent', 'com.myapp.a12.userevent', true],
    ['wildcard', 'com.myapp..userevent', 'com.myapp.foo.userevent.bar', false],
    ['wildcard', 'com.myapp..userevent', 'com.myapp.foo.user', false],
    ['wildcard', 'com.myapp..userevent', 'com.myapp2.foo.userevent', false],
    ['wildcard', '.', 'com.a', true],
    ['wildcard', '.', 'com.a.b', false],
  ])('%s %j covers %j: %s', (match, pattern, topic, covered) => {
    const { room: here, alice, bob } = room()
    here.subscribe(alice, pattern, { match })
    here.publish(bob, topic)
    expect(alice.events().map(({ details }) => details)).toEqual(covered ? [{ topic }] : [])
  })

  it('sends one event for each subscription, with one publication id', () => {
    const { room: here, alice, bob } = room()
    here.subscribe(alice, 'com.a.b')
    here.subscribe(alice, 'com.a', { match: 'prefix' })
    here.subscribe(alice, 'com..b', { match: 'wildcard' })
    here.publish(bob, 'com.a.b', { disclose_me: true })
    const events = alice.events()
    expect(events.map(({ subscription }) => subscription)).toEqual([1, 2, 3])
    expect(new Set(events.map(({ publication }) => publication)).size).toBe(1)
    expect(events.map(({ details }) => details['topic'])).toEqual([undefined, 'com.a.b', 'com.a.b'])
    expect(events.map(({ details }) => details['publisher'])).toEqual([2, 2, 2])
  })

  it('stops with the last subscriber', () => {
    const { room: here, alice, bob } = room()
    here.subscribe(alice, 'com.', { match: 'prefix' })
    here.subscribe(alice, '.a', { match: 'wildcard' })
    here.leave(alice)
    here.publish(bob, 'com.a')
    expect(here.broker.list()).toEqual({ exact: [], prefix: [], wildcard: [] })
    expect(here.broker.matching('com.a')).toEqual([])
  })
})

describe('lists', () => {
  const heardBy = (options: Record<string, unknown>): readonly number[] => {
    const here = new BrokerRoom()
    const guests = [
      here.guest(1, { authid: 'ann', authrole: 'admin' }),
      here.guest(2, { authid: 'ann', authrole: 'user' }),
      here.guest(3, { authid: 'bea', authrole: 'user' }),
    ]
    for (const one of guests) here.subscribe(one, 'com.a')
    here.publish(here.guest(4), 'com.a', options)
    return guests.filter((one) => one.events().length > 0).map(({ id }) => id)
  }

  it.each([
    [{ exclude: [1] }, [2, 3]],
    [{ exclude: [] }, [1, 2, 3]],
    [{ exclude_authid: ['ann'] }, [3]],
    [{ exclude_authrole: ['user'] }, [1]],
    [{ eligible: [1, 3, 2 ** 53] }, [1, 3]],
    [{ eligible_authid: ['bea'] }, [3]],
    [{ eligible_authrole: ['user'] }, [2, 3]],
    [{ eligible_authid: ['ann'], eligible_authrole: ['user'] }, [2]],
    [{ eligible: [1, 2], exclude: [1] }, [2]],
    [{ eligible_authrole: ['user'], exclude_authid: ['ann'] }, [3]],
  ])('%j reaches %j', (options, expected) => {
    expect(heardBy(options)).toEqual(expected)
  })

  it.each(['eligible', 'eligible_authid', 'eligible_authrole'])('an empty %s means nobody', (name) => {
    expect(heardBy({ [name]: [] })).toEqual([])
  })

  it('takes ids in whichever number a serializer makes of them', () => {
    expect(heardBy({ exclude: [1n, 2] })).toEqual([3])
  })

  it('an eligible publisher still hears itself only if it wants to', () => {
    const { room: here, alice } = room()
    here.subscribe(alice, 'com.a')
    here.publish(alice, 'com.a', { eligible: [1] })
    expect(alice.events()).toEqual([])
    here.publish(alice, 'com.a', { eligible: [1], exclude_me: false })
    expect(alice.events()).toHaveLength(1)
  })
})

describe('the router itself', () => {
  it('publishes where clients may not, without a publisher', () => {
    const { room: here, alice } = room()
    here.subscribe(alice, 'wamp.session.on_join')
    here.broker.announce('wamp.session.on_join', [{ session: 7 }], {})
    const [event] = alice.events()
    expect(said(event)).toEqual({ session: 7 })
    expect(event?.details).toEqual({})
  })

  it('speaks to nobody where nobody listens', () => {
    const { room: here, alice } = room()
    here.broker.announce('com.a', [1], {})
    here.publish(alice, 'com.a', { acknowledge: true })
    expect(alice.take()).toEqual([{ kind: 'published', request: 1, publication: 1001 }])
  })

  it('honours options of a testament, and drops one that is wrong', () => {
    const { room: here, alice, bob } = room()
    here.subscribe(alice, 'com.a')
    here.subscribe(bob, 'com.a')
    here.broker.announce('com.a', [1], {}, { exclude: [1], acknowledge: true })
    here.broker.announce('com.a', [2], {}, { exclude: 'x' })
    here.broker.announce('com..a', [3], {})
    expect(alice.take()).toEqual([])
    expect(bob.events().map(said)).toEqual([1])
  })
})
