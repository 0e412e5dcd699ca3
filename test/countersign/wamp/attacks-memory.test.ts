import { describe, expect, test } from 'vitest'
import { jsonCodec } from '../../../packages/countersign/src/wamp/json-codec.ts'
import { noDict, type Message } from '../../../packages/countersign/src/wamp/messages.ts'
import type { Payload } from '../../../packages/countersign/src/wamp/payload.ts'
import { isPattern } from '../../../packages/countersign/src/wamp/uri.ts'
import { payloadOf } from '../../../packages/countersign/src/wamp/values.ts'
import { realm1, Room, settled, type Peer } from './router-room.ts'

const codec = jsonCodec()

/** A message as it comes in from the wire. */
function wire(...message: readonly unknown[]): Message {
  const decoded = codec.decode(new TextEncoder().encode(JSON.stringify(message)))
  if (decoded.kind === 'malformed') throw new Error(decoded.why)
  return decoded
}

const large = 'x'.repeat(100_000)
const megabyte = 1_048_576

/** Events that a fresh subscriber of everything below a prefix gets. */
async function retainedUnder(room: Room, prefix: string): Promise<number> {
  const late = await room.frontend()
  late.subscribe(prefix, { match: 'prefix', get_retained: true })
  return late.events().length
}

describe('a publisher that has everything retained', () => {
  test('fills no more memory than the realm has for it: the oldest events go', async () => {
    const room = new Room({ limits: { maxRetainedBytes: megabyte } })
    const publisher = room.member()
    for (let at = 1; at <= 50; at++) publisher.say(wire(16, at, { retain: true }, `com.t${at}`, [large]))
    expect(await retainedUnder(room, 'com.t')).toBe(10)
  })

  test('fills it with lists of names no less than with payloads', async () => {
    const room = new Room({ limits: { maxRetainedBytes: megabyte } })
    const publisher = room.member()
    for (let at = 1; at <= 50; at++) {
      publisher.say(wire(16, at, { retain: true, exclude_authid: [large] }, `com.t${at}`))
    }
    expect(await retainedUnder(room, 'com.t')).toBe(10)
  })

  test('has an event that is larger than all of that kept for nobody', async () => {
    const room = new Room({ limits: { maxRetainedBytes: 1_000 } })
    room.member().say(wire(16, 1, { retain: true }, 'com.t', [large]))
    expect(await retainedUnder(room, 'com.t')).toBe(0)
  })
})

describe('a history', () => {
  const history = [{ uri: 'com.log', match: 'exact', limit: 1_000 } as const]

  test('keeps no more bytes than it has room for', async () => {
    const room = new Room({
      realms: [{ ...realm1, history }],
      limits: { maxRetainedBytes: 2 * 110_000 },
    })
    const publisher = room.member()
    for (let at = 1; at <= 40; at++) publisher.say(wire(16, at, {}, 'com.log', [`${at}${large}`]))
    const reader = await room.frontend()
    const [kept] = [reader.result('wamp.subscription.get_events', [1])]
    expect((kept as readonly unknown[]).length).toBeLessThanOrEqual(4)
    expect(JSON.stringify(kept)).toContain('"40x')
  })

  test('answers no more than one message may carry, and goes on where it ended', async () => {
    const room = new Room({ realms: [{ ...realm1, history }] })
    const publisher = room.member()
    for (let at = 1; at <= 40; at++) publisher.say(wire(16, at, {}, 'com.log', [at, large]))
    const reader = await room.frontend()
    const ask = (kwargs = {}): readonly { publication: number }[] =>
      reader.result('wamp.subscription.get_events', [1], kwargs) as readonly { publication: number }[]
    const first = ask()
    expect(first).toHaveLength(10)
    expect(ask({ after_publication: first.at(-1)?.publication })[0]).toMatchObject({ args: [11, large] })
  })

  test('keeps bytes, not values, after it was read', async () => {
    const room = new Room({ realms: [{ ...realm1, history }] })
    room.member().say(wire(16, 1, {}, 'com.log', [{ a: 1 }]))
    const reader = await room.frontend()
    const read = (): unknown => reader.result('wamp.subscription.get_events', [1])
    const [one] = read() as readonly { args: readonly unknown[] }[]
    const [other] = read() as readonly { args: readonly unknown[] }[]
    expect(one?.args).toEqual(other?.args)
    expect(one?.args).not.toBe(other?.args)
  })
})

describe('testaments', () => {
  test('are bounded in bytes', async () => {
    const room = new Room({ limits: { maxHeldBytes: megabyte } })
    const peer = await room.frontend()
    const add = (at: number): string =>
      peer.call('wamp.session.add_testament', ['com.t', [at, large]])?.kind ?? 'nothing'
    const told = Array.from({ length: 20 }, (_, at) => add(at))
    expect(told.filter((kind) => kind === 'result')).toHaveLength(10)
    const listener = room.member()
    listener.subscribe('com.t')
    peer.connection.gone()
    expect(listener.events().map(([at]) => at)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  test('are bounded in their options, too', async () => {
    const peer = await new Room({ limits: { maxHeldBytes: megabyte } }).frontend()
    const exclude = Array.from({ length: 100_000 }, (_, at) => at + 1)
    expect(peer.error('wamp.session.add_testament', ['com.t'], { publish_options: { exclude } })).toBe(
      'wamp.error.unavailable',
    )
  })
})

describe('messages behind an authorizer that does not answer', () => {
  test('are bounded in bytes', () => {
    const authorizer = { authorizer: (): Promise<boolean> => new Promise(() => undefined) }
    const room = new Room({
      realms: [{ name: 'realm1', roles: [{ name: 'anonymous', authorizer }] }],
      limits: { maxHeldBytes: megabyte },
    })
    const peer = room.member()
    for (let at = 1; at <= 11; at++) peer.say(wire(16, at, {}, 'com.t', [large]))
    expect(peer.closedBy).toBeUndefined()
    peer.say(wire(16, 12, {}, 'com.t', [large]))
    expect(peer.closedBy?.code).toBe(1013)
  })

  test('free what they took once they are decided', async () => {
    const answers: ((value: boolean) => void)[] = []
    const authorizer = {
      authorizer: (): Promise<boolean> => new Promise((answer) => void answers.push(answer)),
    }
    const room = new Room({
      realms: [{ name: 'realm1', roles: [{ name: 'anonymous', authorizer }] }],
      limits: { maxHeldBytes: megabyte },
    })
    const peer = room.member()
    const session = room.realm.session(peer.session)
    for (let at = 1; at <= 5; at++) peer.say(wire(16, at, {}, 'com.t', [large]))
    expect(session?.heldBytes).toBeGreaterThan(400_000)
    for (let at = 1; at <= 5; at++) {
      answers.shift()?.(true)
      await settled()
      await settled()
    }
    expect(session?.heldBytes).toBe(0)
  })
})

describe('arguments that are kept for another callee', () => {
  const shared = { invoke: 'roundrobin' }
  const roles = {
    callee: { features: { call_reroute: true } },
    caller: { features: {} },
  }

  function callees(room: Room): readonly Peer[] {
    return [room.member({ roles }), room.member({ roles })].map((peer) => {
      peer.register('com.work', shared)
      return peer
    })
  }

  test('are bounded: a caller with too much under way has one try each', () => {
    const room = new Room({ limits: { maxHeldBytes: megabyte } })
    const [one, other] = callees(room)
    const caller = room.member()
    for (let at = 1; at <= 30; at++) caller.say(wire(48, at, {}, 'com.work', [large]))
    expect(room.realm.session(caller.session)?.heldBytes).toBeLessThanOrEqual(megabyte)
    // What one callee refuses comes to the other; a call that is over takes no second ERROR.
    for (const peer of [one, other, one]) {
      for (const message of peer?.sent ?? []) {
        if (message.kind !== 'invocation') continue
        const { request } = message
        const payload: Payload = payloadOf()
        const error = 'wamp.error.unavailable'
        peer?.say({ kind: 'error', of: 'invocation', request, details: noDict, error, payload })
      }
    }
    expect(caller.sent.filter(({ kind }) => kind === 'error')).toHaveLength(30)
    expect(room.realm.session(caller.session)?.heldBytes).toBe(0)
  })

  test('are given back when the caller cancels, and when it leaves', () => {
    const room = new Room()
    callees(room)
    const caller = room.member()
    const session = room.realm.session(caller.session)
    caller.say(wire(48, 1, {}, 'com.work', [large]))
    caller.say(wire(48, 2, {}, 'com.work', [large]))
    caller.say(wire(49, 1, {}))
    expect(session?.heldBytes).toBeLessThan(110_000)
    caller.connection.gone()
    expect(session?.heldBytes).toBe(0)
  })
})

describe('a wildcard pattern', () => {
  test('is one of a bounded number that a session may have, subscribed and registered together', () => {
    const room = new Room({ limits: { maxWildcards: 6 } })
    const peer = room.member()
    for (let at = 1; at <= 3; at++) {
      expect(peer.subscribe(`com.s${at}..a`, { match: 'wildcard' })).toMatchObject({ kind: 'subscribed' })
      expect(peer.register(`com.s${at}..a`, { match: 'wildcard' })).toMatchObject({ kind: 'registered' })
    }
    expect(peer.subscribe('com.s4..a', { match: 'wildcard' })).toMatchObject({
      error: 'wamp.error.unavailable',
    })
    expect(peer.register('com.s4..a', { match: 'wildcard' })).toMatchObject({
      error: 'wamp.error.unavailable',
    })
    expect(peer.subscribe('com.s1..a', { match: 'wildcard' })).toMatchObject({ kind: 'subscribed' })
    expect(peer.subscribe('com.s4.a')).toMatchObject({ kind: 'subscribed' })
    expect(room.member().subscribe('com.s4..a', { match: 'wildcard' })).toMatchObject({ kind: 'subscribed' })
  })

  test('has few components: each costs memory and time wherever patterns are kept', () => {
    const room = new Room({ realms: [{ name: 'realm1', roles: [{ name: 'anonymous', rules: everything }] }] })
    const peer = room.member()
    expect(isPattern('.'.repeat(31), 'wildcard', 'loose')).toBe(true)
    for (const wide of ['.'.repeat(32), `a${'.'.repeat(500)}b`]) {
      expect(peer.subscribe(wide, { match: 'wildcard' })).toMatchObject({ error: 'wamp.error.invalid_uri' })
      expect(peer.register(wide, { match: 'wildcard' })).toMatchObject({ error: 'wamp.error.invalid_uri' })
    }
  })
})

const allow = { call: true, register: true, publish: true, subscribe: true }
const everything = [
  { uri: '', match: 'prefix', allow, disclose: { caller: false, publisher: false }, cache: false } as const,
]

describe('memory of a session', () => {
  test('is free again after everything it may hold', async () => {
    const room = new Room()
    const peer = await room.frontend()
    for (let at = 1; at <= 100; at++) {
      peer.subscribe(`com.s${at}`)
      peer.register(`com.p${at}`, { match: 'prefix' })
    }
    peer.call('com.p1')
    peer.connection.gone()
    expect(room.realm.dealer.held).toEqual({ registrations: 0, lateCallers: 0 })
    expect(room.realm.broker.list()).toEqual({ exact: [], prefix: [], wildcard: [] })
    expect([...room.realm.sessions()]).toEqual([])
  })
})
