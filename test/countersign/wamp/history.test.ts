import { describe, expect, it } from 'vitest'
import { isThenable } from '../../../packages/countersign/src/core/drive.ts'
import type { ErrorUri, StoredEvent } from '../../../packages/countersign/src/wamp/broker-types.ts'
import type { Dict } from '../../../packages/countersign/src/wamp/messages.ts'
import { permits } from '../../../packages/countersign/src/wamp/permit.ts'
import { BrokerRoom, type RoomOptions, type TestSession } from './broker-room.ts'

const exact = { uri: 'com.a', match: 'exact', limit: 10 } as const
const prefix = { uri: 'com.', match: 'prefix', limit: 10 } as const

/** A room in which publications 1001 to 1005 were made, one a second from noon on. */
function told(options: RoomOptions = { history: [exact, prefix] }): { room: BrokerRoom; asker: TestSession } {
  const room = new BrokerRoom(options)
  const alice = room.guest(1)
  room.now = Date.parse('2026-03-01T12:00:00.000Z')
  for (const topic of ['com.a', 'com.b', 'com.a', 'com.b', 'com.a']) {
    room.publish(alice, topic, {}, { args: [topic] })
    room.now += 1000
  }
  return { room, asker: room.guest(2) }
}

function ids(room: BrokerRoom, asker: TestSession, kwargs: Dict = {}, subscription = 2): unknown {
  const events = room.broker.events(asker, subscription, kwargs)
  return isThenable(events) ? events.then(idsOf) : idsOf(events)
}

function idsOf(events: readonly StoredEvent[] | ErrorUri): unknown {
  return typeof events === 'string' ? events : events.map(({ publication }) => publication)
}

describe('event history', () => {
  it('is kept from the start, though nobody subscribes', () => {
    const { room, asker } = told()
    expect(room.broker.lookup('com.a', 'exact')).toBe(1)
    expect(ids(room, asker, {}, 1)).toEqual([1001, 1003, 1005])
    expect(ids(room, asker)).toEqual([1001, 1002, 1003, 1004, 1005])
    expect(room.watched).toEqual([])
  })

  it('stays when the last subscriber leaves, and is no news when the first one comes', () => {
    const { room, asker } = told()
    expect(room.subscribe(asker, 'com.a')).toBe(1)
    room.leave(asker)
    expect(room.watched).toEqual(['subscribed 2 1', 'unsubscribed 2 1'])
    expect(room.broker.find(1)).toBeDefined()
  })

  it('answers events as the specification writes them', () => {
    const room = new BrokerRoom({ history: [prefix] })
    room.now = Date.parse('2026-03-01T12:00:00.007Z')
    room.publish(room.guest(1), 'com.a', { disclose_me: true }, { args: [1, 'x'] })
    expect(room.broker.events(room.guest(2), 1, {})).toEqual([
      {
        timestamp: '2026-03-01T12:00:00.007Z',
        subscription: 1,
        publication: 1001,
        details: { publisher: 1, publisher_authid: 'user1', publisher_authrole: 'user', topic: 'com.a' },
        args: [1, 'x'],
        kwargs: {},
      },
    ])
  })

  it('keeps the newest only', () => {
    const { room, asker } = told({ history: [{ ...prefix, limit: 2 }] })
    expect(ids(room, asker, {}, 1)).toEqual([1004, 1005])
  })

  it.each<[Dict, number[]]>([
    [{ reverse: true }, [1005, 1004, 1003, 1002, 1001]],
    [{ reverse: false }, [1001, 1002, 1003, 1004, 1005]],
    [{ limit: 2 }, [1001, 1002]],
    [{ limit: 2, reverse: true }, [1005, 1004]],
    [{ limit: 99 }, [1001, 1002, 1003, 1004, 1005]],
    [{ from_time: '2026-03-01T12:00:03Z' }, [1004, 1005]],
    [{ from_time: '2026-03-01T13:00:03.000+01:00' }, [1004, 1005]],
    [{ after_time: '2026-03-01T12:00:03.000Z' }, [1005]],
    [{ before_time: '2026-03-01t12:00:01z' }, [1001]],
    [{ until_time: '2026-03-01T12:00:01Z' }, [1001, 1002]],
    [{ from_publication: 1004 }, [1004, 1005]],
    [{ after_publication: 1004 }, [1005]],
    [{ before_publication: 1002 }, [1001]],
    [{ until_publication: 1002 }, [1001, 1002]],
    [{ after_publication: 1001, before_publication: 1005 }, [1002, 1003, 1004]],
    [{ after_publication: 1005 }, []],
    [{ from_publication: 7 }, []],
    [{ topic: 'com.b' }, [1002, 1004]],
    [{ topic: 'com.b', reverse: true, limit: 1 }, [1004]],
    [{ after_publication: 1001, topic: 'com.a', until_time: '2026-03-01T12:00:03Z' }, [1003]],
    [{ reverse: true, before_publication: 1004, limit: 2 }, [1003, 1002]],
    [{ limit: null, unknown: 3 }, [1001, 1002, 1003, 1004, 1005]],
  ])('filters by %j', (kwargs, expected) => {
    const { room, asker } = told()
    expect(ids(room, asker, kwargs)).toEqual(expected)
  })

  it('takes ids in whichever number a serializer makes of them', () => {
    const { room, asker } = told()
    expect(ids(room, asker, { from_publication: 1005n })).toEqual([1005])
  })

  it.each<Dict>([
    { reverse: 1 },
    { limit: 0 },
    { limit: '2' },
    { limit: 1.5 },
    { topic: 7 },
    { from_time: 1_772_366_403 },
    { from_time: '2026-03-01' },
    { after_time: 'yesterday' },
    { until_time: '2026-13-01T12:00:00Z' },
    { before_publication: 'x' },
    { until_publication: -1 },
  ])('refuses %j', (kwargs) => {
    const { room, asker } = told()
    expect(ids(room, asker, kwargs)).toBe('wamp.error.invalid_argument')
  })

  it('never keeps what was for named sessions, and holds the other lists against whoever asks', () => {
    const room = new BrokerRoom({ history: [exact] })
    const alice = room.guest(1)
    room.publish(alice, 'com.a', { exclude: [9] })
    room.publish(alice, 'com.a', { eligible: [2] })
    room.publish(alice, 'com.a', { exclude: [] })
    room.publish(alice, 'com.a', { eligible_authrole: ['admin'] })
    room.publish(alice, 'com.a', { exclude_authid: ['bea'] })
    expect(ids(room, room.guest(2), {}, 1)).toEqual([1005])
    expect(ids(room, room.guest(3, { authid: 'bea', authrole: 'admin' }), {}, 1)).toEqual([1004])
  })

  it('is empty for a subscription without one', () => {
    const { room, asker } = told()
    const subscription = Number(room.subscribe(asker, 'com.b'))
    expect(ids(room, asker, {}, subscription)).toEqual([])
    expect(ids(room, asker, {}, 99)).toBe('wamp.error.no_such_subscription')
  })

  it('is for those who may subscribe, and who has subscribed may', () => {
    const asked: unknown[] = []
    const { room, asker } = told({
      history: [exact, prefix],
      decide: (...[, action, uri, options]) => {
        asked.push([action, uri, options])
        return permits.denied
      },
    })
    expect(ids(room, asker)).toBe('wamp.error.not_authorized')
    expect(asked).toEqual([['subscribe', 'com.', { match: 'prefix' }]])
    room.subscribe(asker, 'com.', { match: 'prefix' })
    expect(ids(room, asker)).toHaveLength(5)
  })

  it.each([
    ['allowed', permits.allowed, [1001, 1003, 1005]],
    ['denied', permits.denied, 'wamp.error.not_authorized'],
    ['failed', permits.failed, 'wamp.error.authorization_failed'],
  ])('waits for an authorizer: %s', async (_name, permit, expected) => {
    const { room, asker } = told({ history: [exact], decide: () => Promise.resolve(permit) })
    expect(await ids(room, asker, {}, 1)).toEqual(expected)
    room.subscribe(asker, 'com.a')
    expect(ids(room, asker, {}, 1)).toEqual([1001, 1003, 1005])
  })

  it('is closed where the authority breaks its promise', async () => {
    const { room, asker } = told({ history: [exact], decide: () => Promise.reject(new Error('broken')) })
    expect(await ids(room, asker, {}, 1)).toBe('wamp.error.authorization_failed')
  })

  it('is refused at the start where it makes no sense', () => {
    const make = (history: RoomOptions['history']): unknown =>
      new BrokerRoom(history === undefined ? {} : { history })
    expect(() => make([exact, exact])).toThrow('named once')
    expect(() => make([{ ...exact, uri: 'com..a' }])).toThrow('pattern of its policy')
    expect(() => make([{ ...exact, limit: 0 }])).toThrow('limit')
  })
})
