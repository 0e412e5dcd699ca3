import { describe, expect, it } from 'vitest'
import type { InvocationPolicy } from '../../../packages/countersign/src/wamp/dealer-types.ts'
import { dealerRoom, type Peer, type Room } from './dealer-room.ts'

/** Which of the callees get so many calls, by their place in `callees`. */
function served(room: Room, callees: readonly Peer[], calls: number): number[] {
  const caller = room.join()
  return Array.from({ length: calls }, (_, at) => {
    caller.call(at + 1, 'com.p')
    return callees.findIndex((callee) => callee.heard().length > 0)
  })
}

function shared(policy: InvocationPolicy): { readonly room: Room; readonly callees: readonly Peer[] } {
  const room = dealerRoom()
  const callees = [room.join(), room.join(), room.join()]
  for (const callee of callees) callee.register('com.p', { invoke: policy })
  return { room, callees }
}

describe('REGISTER', () => {
  it('answers REGISTERED with small ids and tells the watch after it', () => {
    const room = dealerRoom()
    const callee = room.join()
    expect(callee.register('com.p')).toBe(1)
    expect(callee.register('com.q')).toBe(2)
    expect(room.watched).toEqual(['created 1 1', 'registered 1 1', 'created 1 2', 'registered 1 2'])
    expect(room.dealer.find(1)?.createdAtMs).toBe(1_000)
  })

  it.each([
    ['com..p', {}],
    ['com.p q', {}],
    ['com.p#', {}],
    ['.com', { match: 'prefix' }],
    ['com.*#', { match: 'wildcard' }],
    ['x'.repeat(1_025), {}],
  ])('refuses %j under %j with invalid_uri', (procedure, options) => {
    expect(dealerRoom().join().register(procedure, options)).toBe('wamp.error.invalid_uri')
  })

  it.each([
    { match: 'regex' },
    { match: 1 },
    { invoke: 'all' },
    { invoke: true },
    { disclose_caller: 1 },
    { forward_timeout: 'yes' },
    { force_reregister: null },
  ])('refuses %j with invalid_argument', (options) => {
    expect(dealerRoom().join().register('com.p', options)).toBe('wamp.error.invalid_argument')
  })

  it('ignores options that it does not know', () => {
    expect(dealerRoom().join().register('com.p', { concurrency: 'many', x_own: [] })).toBe(1)
  })

  it('refuses a second callee unless both share under one policy', () => {
    const room = dealerRoom()
    const [first, second] = [room.join(), room.join()]
    first.register('com.single')
    first.register('com.shared', { invoke: 'roundrobin' })
    expect(second.register('com.single')).toBe('wamp.error.procedure_already_exists')
    expect(second.register('com.single', { invoke: 'single' })).toBe('wamp.error.procedure_already_exists')
    expect(second.register('com.shared')).toBe('wamp.error.procedure_already_exists')
    expect(second.register('com.shared', { invoke: 'random' })).toBe('wamp.error.procedure_already_exists')
    expect(second.register('com.shared', { invoke: 'roundrobin' })).toBe(2)
    expect(second.register('com.single', { match: 'prefix' })).toBe(3)
  })

  it('refuses the same procedure twice from one session, shared or not', () => {
    const callee = dealerRoom().join()
    callee.register('com.p', { invoke: 'first' })
    expect(callee.register('com.p', { invoke: 'first' })).toBe('wamp.error.procedure_already_exists')
  })

  it('refuses more registrations than a session may have', () => {
    const room = dealerRoom({ limits: { maxRegistrations: 2 } })
    const callee = room.join()
    expect([callee.register('a'), callee.register('b'), callee.register('c')]).toEqual([
      1,
      2,
      'wamp.error.unavailable',
    ])
    expect(room.join().register('c')).toBe(3)
  })

  it('lets force_reregister take the place of every callee there is, and tells them', () => {
    const room = dealerRoom()
    const [one, two, late] = [room.join(), room.join(), room.join()]
    one.register('com.p', { invoke: 'first' })
    two.register('com.p', { invoke: 'first' })
    room.watched.length = 0
    expect(late.register('com.p', { force_reregister: true })).toBe(2)
    const revocation = [67, 0, { registration: 1, reason: 'replaced' }]
    expect([one.heard(), two.heard()]).toEqual([[revocation], [revocation]])
    expect(room.watched).toEqual([
      'unregistered 1 1',
      'unregistered 2 1',
      'deleted 2 1',
      'created 3 2',
      'registered 3 2',
    ])
    expect(served(room, [one, two, late], 1)).toEqual([2])
  })

  it('lets force_reregister stand where there is nothing to take', () => {
    expect(dealerRoom().join().register('com.p', { force_reregister: true })).toBe(1)
  })
})

describe('UNREGISTER', () => {
  it('answers UNREGISTERED, and calls find nobody any more', () => {
    const room = dealerRoom()
    const [callee, caller] = [room.join(), room.join()]
    callee.register('com.p')
    room.watched.length = 0
    room.dealer.unregister(callee.session, { kind: 'unregister', request: 7, registration: 1 })
    expect(callee.heard()).toEqual([[67, 7]])
    expect(room.watched).toEqual(['unregistered 1 1', 'deleted 1 1'])
    caller.call(1, 'com.p')
    expect(caller.heard()).toEqual([[8, 48, 1, {}, 'wamp.error.no_such_procedure']])
  })

  it('refuses what is unknown, foreign or over', () => {
    const room = dealerRoom()
    const [callee, other] = [room.join(), room.join()]
    callee.register('com.p')
    other.register('com.q')
    const unregister = (peer: Peer, registration: number): unknown => {
      room.dealer.unregister(peer.session, { kind: 'unregister', request: 3, registration })
      return peer.heard()
    }
    const refusal = [[8, 66, 3, {}, 'wamp.error.no_such_registration']]
    expect(unregister(other, 1)).toEqual(refusal)
    expect(unregister(callee, 99)).toEqual(refusal)
    expect(unregister(callee, 1)).toEqual([[67, 3]])
    expect(unregister(callee, 1)).toEqual(refusal)
  })

  it('lets calls under way go on', () => {
    const room = dealerRoom()
    const [callee, caller] = [room.join(), room.join()]
    callee.register('com.p')
    caller.call(1, 'com.p')
    room.dealer.unregister(callee.session, { kind: 'unregister', request: 3, registration: 1 })
    expect(callee.yield(1, {}, 'late')).toBe(true)
    expect(caller.heard()).toEqual([[50, 1, {}, 'late']])
  })
})

describe('a registration', () => {
  it('is revoked with its id and the reason', () => {
    const room = dealerRoom()
    const [one, two] = [room.join(), room.join()]
    one.register('com.p', { invoke: 'roundrobin' })
    two.register('com.p', { invoke: 'roundrobin' })
    const registration = room.dealer.find(1)
    if (registration === undefined) throw new Error('the registration is there')
    room.watched.length = 0
    room.dealer.revoke(one.session, registration, 'wamp.error.not_authorized')
    room.dealer.revoke(one.session, registration, 'wamp.error.not_authorized')
    expect(one.heard()).toEqual([[67, 0, { registration: 1, reason: 'wamp.error.not_authorized' }]])
    expect(room.watched).toEqual(['unregistered 1 1'])
    expect(served(room, [one, two], 2)).toEqual([1, 1])
  })

  it('is revoked in silence where the client cannot be told', () => {
    const room = dealerRoom()
    const [old, late, caller] = [room.join({ can: { calleeRevocation: false } }), room.join(), room.join()]
    old.register('com.p')
    expect(late.register('com.p', { force_reregister: true })).toBe(2)
    expect(old.heard()).toEqual([])
    caller.call(1, 'com.p')
    expect([old.heard(), late.heard()]).toEqual([[], [[68, 1, 2, {}]]])
  })

  it('goes with its last callee', () => {
    const room = dealerRoom()
    const [one, two] = [room.join(), room.join()]
    one.register('com.p', { invoke: 'last' })
    two.register('com.p', { invoke: 'last' })
    room.watched.length = 0
    one.leave()
    two.leave()
    expect(room.watched).toEqual(['unregistered 1 1', 'unregistered 2 1', 'deleted 2 1'])
    expect(room.dealer.held.registrations).toBe(0)
  })

  it('is found by id, by text, and by the URI that would be called', () => {
    const room = dealerRoom()
    const callee = room.join()
    callee.register('com.p')
    callee.register('com', { match: 'prefix' })
    callee.register('.q', { match: 'wildcard' })
    const { dealer } = room
    expect(dealer.list()).toEqual({ exact: [1], prefix: [2], wildcard: [3] })
    expect(dealer.find(2)?.procedure).toBe('com')
    expect(dealer.find(9)).toBeUndefined()
    expect(dealer.lookup('com', 'prefix')).toBe(2)
    expect(dealer.lookup('com', 'exact')).toBeUndefined()
    expect([dealer.match('com.p'), dealer.match('com.z'), dealer.match('org.q')]).toEqual([1, 2, 3])
    expect(dealer.match('org.z')).toBeUndefined()
  })
})

describe('a shared registration', () => {
  it.each([
    ['first', [0, 0, 0, 0]],
    ['last', [2, 2, 2, 2]],
    ['roundrobin', [0, 1, 2, 0]],
  ] as const)('serves calls under %s', (policy, order) => {
    const { room, callees } = shared(policy)
    expect(served(room, callees, 4)).toEqual(order)
  })

  it('serves calls under random as chance will have it', () => {
    const { room, callees } = shared('random')
    room.picks.push(2, 0, 1, 1)
    expect(served(room, callees, 4)).toEqual([2, 0, 1, 1])
  })

  it('keeps turns in order when a callee leaves', () => {
    const { room, callees } = shared('roundrobin')
    expect(served(room, callees, 2)).toEqual([0, 1])
    callees[0]?.leave()
    expect(served(room, callees, 3)).toEqual([2, 1, 2])
    callees[2]?.leave()
    expect(served(room, callees, 2)).toEqual([1, 1])
  })

  it('tries the next callee when one is unavailable, in the order of the policy', () => {
    const tried = (policy: InvocationPolicy): number[] => {
      const { room, callees } = shared(policy)
      room.picks.push(1, 1, 0)
      const caller = room.join()
      caller.call(1, 'com.p', {}, 'question')
      const order: number[] = []
      for (let round = 0; round < 3; round += 1) {
        const at = callees.findIndex((callee) => callee.session.invocations?.size === 1)
        order.push(at)
        expect(callees[at]?.heard()).toEqual([[68, 1, 1, {}, 'question']])
        expect(caller.heard()).toEqual([])
        expect(callees[at]?.error(1, 'wamp.error.unavailable')).toBe(true)
      }
      expect(caller.heard()).toEqual([[8, 48, 1, {}, 'wamp.error.no_available_callee']])
      return order
    }
    expect(tried('first')).toEqual([0, 1, 2])
    expect(tried('last')).toEqual([2, 1, 0])
    expect(tried('roundrobin')).toEqual([0, 1, 2])
    expect(tried('random')).toEqual([1, 2, 0])
  })

  it('leaves the error of a callee that has not announced rerouting to the caller', () => {
    const room = dealerRoom()
    const callees = [room.join({ can: { calleeReroute: false } }), room.join()]
    for (const callee of callees) callee.register('com.p', { invoke: 'first' })
    const caller = room.join()
    caller.call(1, 'com.p')
    callees[0]?.error(1, 'wamp.error.unavailable', {}, 'why')
    expect(caller.heard()).toEqual([[8, 48, 1, {}, 'wamp.error.unavailable']])
    expect(callees[1]?.heard()).toEqual([])
  })

  it('answers no_available_callee at once where there is one callee', () => {
    const room = dealerRoom()
    const [callee, caller] = [room.join(), room.join()]
    callee.register('com.p')
    caller.call(1, 'com.p')
    callee.error(1, 'wamp.error.unavailable')
    expect(caller.heard()).toEqual([[8, 48, 1, {}, 'wamp.error.no_available_callee']])
    expect(callee.yield(1)).toBe(true)
    expect(caller.heard()).toEqual([])
  })

  it('does not try another callee once a progressive result is out, or the call is to be killed', () => {
    const { room, callees } = shared('first')
    const caller = room.join()
    caller.call(1, 'com.p', { receive_progress: true })
    callees[0]?.yield(1, { progress: true }, 'half')
    callees[0]?.error(1, 'wamp.error.unavailable')
    expect(caller.heard()).toEqual([
      [50, 1, { progress: true }, 'half'],
      [8, 48, 1, {}, 'wamp.error.no_available_callee'],
    ])
    const able = room.join({ can: { calleeCanceling: true } })
    able.register('com.q', { invoke: 'first' })
    room.join().register('com.q', { invoke: 'first' })
    caller.call(2, 'com.q')
    caller.cancel(2, { mode: 'kill' })
    able.error(1, 'wamp.error.unavailable')
    expect(caller.heard()).toEqual([[8, 48, 2, {}, 'wamp.error.no_available_callee']])
  })

  it('passes over callees that cannot take the call when it tries another one', () => {
    const room = dealerRoom()
    const callees = [room.join({ can: true }), room.join(), room.join({ can: true })]
    for (const callee of callees) callee.register('com.p', { invoke: 'roundrobin' })
    const caller = room.join({ can: true })
    caller.call(1, 'com.p', { ppt_scheme: 'x_own' }, 'secret')
    callees[0]?.error(1, 'wamp.error.unavailable')
    expect(callees[1]?.heard()).toEqual([])
    expect(callees[2]?.heard()).toEqual([[68, 1, 1, { ppt_scheme: 'x_own' }, 'secret']])
  })
})
