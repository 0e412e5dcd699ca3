import { describe, expect, it } from 'vitest'
import { BrokerRoom, said, type TestSession } from './broker-room.ts'

const retain = { retain: true }
const wanted = { get_retained: true }

function heard(session: TestSession): readonly unknown[] {
  return session.events().map(said)
}

describe('retained events', () => {
  it('reach later subscribers that ask for them, after SUBSCRIBED, and say so', () => {
    const room = new BrokerRoom()
    const [alice, bob, carol] = [room.guest(1), room.guest(2), room.guest(3)]
    room.publish(alice, 'com.a', { ...retain, disclose_me: true })
    room.broker.subscribe(bob, { kind: 'subscribe', request: 1, options: wanted, topic: 'com.a' })
    room.subscribe(carol, 'com.a')
    const [first, second] = bob.take()
    expect(first?.kind).toBe('subscribed')
    const named = { publisher: 1, publisher_authid: 'user1', publisher_authrole: 'user' }
    expect(second).toMatchObject({ kind: 'event', subscription: 1, publication: 1001 })
    expect(second).toMatchObject({ details: { ...named, retained: true } })
    expect(carol.take()).toEqual([])
  })

  it('are replaced by the next one, not by events that are not retained', () => {
    const room = new BrokerRoom()
    const [alice, bob] = [room.guest(1), room.guest(2)]
    room.publish(alice, 'com.a', retain, { args: [1] })
    room.publish(alice, 'com.a', retain, { args: [2] })
    room.publish(alice, 'com.a', {}, { args: [3] })
    room.subscribe(bob, 'com.a', wanted)
    expect(heard(bob)).toEqual([2])
  })

  it('are delivered live without the mark', () => {
    const room = new BrokerRoom()
    const [alice, bob] = [room.guest(1), room.guest(2)]
    room.subscribe(bob, 'com.a')
    room.publish(alice, 'com.a', retain)
    expect(bob.events()[0]?.details).toEqual({})
  })

  it('respect lists: everyone gets the newest that was for them', () => {
    const room = new BrokerRoom()
    const alice = room.guest(1)
    const admin = room.guest(2, { authrole: 'admin' })
    const user = room.guest(3)
    room.publish(alice, 'com.a', retain, { args: ['all'] })
    room.publish(alice, 'com.a', { ...retain, eligible_authrole: ['admin'] }, { args: ['admins'] })
    room.publish(alice, 'com.a', { ...retain, eligible: [] }, { args: ['nobody'] })
    room.subscribe(admin, 'com.a', wanted)
    room.subscribe(user, 'com.a', wanted)
    expect(heard(admin)).toEqual(['admins'])
    expect(heard(user)).toEqual(['all'])
  })

  it('do not come back to a publisher that was excluded', () => {
    const room = new BrokerRoom()
    const alice = room.guest(1)
    room.publish(alice, 'com.a', retain)
    room.subscribe(alice, 'com.a', wanted)
    expect(heard(alice)).toEqual([])
    room.publish(alice, 'com.b', { ...retain, exclude_me: false })
    room.subscribe(alice, 'com.b', wanted)
    expect(heard(alice)).toEqual(['hello'])
  })

  it('of every topic under a pattern come with their topic', () => {
    const room = new BrokerRoom()
    const [alice, bob] = [room.guest(1), room.guest(2)]
    for (const topic of ['com.a', 'com.b', 'org.a']) room.publish(alice, topic, retain, { args: [topic] })
    room.subscribe(bob, 'com.', { ...wanted, match: 'prefix' })
    expect(bob.events().map(({ details }) => details)).toEqual([
      { retained: true, topic: 'com.a' },
      { retained: true, topic: 'com.b' },
    ])
    room.subscribe(bob, '.a', { ...wanted, match: 'wildcard' })
    expect(heard(bob)).toEqual(['com.a', 'org.a'])
  })

  it('are bounded: the topic goes whose event was set longest ago', () => {
    const room = new BrokerRoom({ limits: { maxRetained: 2 } })
    const [alice, bob] = [room.guest(1), room.guest(2)]
    for (const topic of ['com.a', 'com.b', 'com.a', 'com.c'])
      room.publish(alice, topic, retain, { args: [topic] })
    room.subscribe(bob, '', { ...wanted, match: 'prefix' })
    expect(heard(bob)).toEqual(['com.a', 'com.c'])
  })

  it('with lists are bounded for each topic', () => {
    const room = new BrokerRoom()
    const [alice, bob] = [room.guest(1), room.guest(2, { authid: 'bob' })]
    room.publish(alice, 'com.a', { ...retain, eligible_authid: ['bob'] }, { args: ['for bob'] })
    for (let n = 0; n < 20; n++) room.publish(alice, 'com.a', { ...retain, eligible: [] })
    room.subscribe(bob, 'com.a', wanted)
    expect(heard(bob)).toEqual([])
  })

  it('may be none at all', () => {
    const room = new BrokerRoom({ limits: { maxRetained: 0 } })
    const [alice, bob] = [room.guest(1), room.guest(2)]
    room.publish(alice, 'com.a', retain)
    room.subscribe(bob, 'com.a', wanted)
    expect(heard(bob)).toEqual([])
  })

  it('of the router itself are kept as well', () => {
    const room = new BrokerRoom()
    const bob = room.guest(2)
    room.broker.announce('com.a', ['gone'], {}, retain)
    room.subscribe(bob, 'com.a', wanted)
    expect(heard(bob)).toEqual(['gone'])
  })
})
