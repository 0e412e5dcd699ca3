import { describe, expect, it } from 'vitest'
import { maxTimeoutMs } from '../../../packages/countersign/src/wamp/call-options.ts'
import { dealerRoom, type Peer, type PeerOptions, type Room } from './dealer-room.ts'

interface Scene {
  readonly room: Room
  readonly caller: Peer
  readonly callee: Peer
}

const capable: PeerOptions = { can: true }
const canceled = [8, 48, 1, {}, 'wamp.error.canceled']

/** A call under way from a caller to a callee, both with an empty ear. */
function underWay(options: { callee?: PeerOptions; caller?: PeerOptions; call?: object } = {}): Scene {
  const room = dealerRoom()
  const callee = room.join(options.callee)
  const caller = room.join(options.caller)
  callee.register('com.p', { forward_timeout: true })
  caller.call(1, 'com.p', { ...options.call })
  callee.heard()
  return { room, caller, callee }
}

describe('CANCEL', () => {
  it('skip answers at once and leaves the callee alone', () => {
    const { caller, callee } = underWay({ callee: capable })
    caller.cancel(1, { mode: 'skip' })
    expect([caller.heard(), callee.heard()]).toEqual([[canceled], []])
  })

  it.each([{ mode: 'killnowait' }, {}])('%j answers at once and interrupts the callee', (options) => {
    const { caller, callee } = underWay({ callee: capable })
    caller.cancel(1, options)
    expect([caller.heard(), callee.heard()]).toEqual([[canceled], [[69, 1, { mode: 'killnowait' }]]])
  })

  it('kill interrupts the callee once and waits for what it says', () => {
    const { caller, callee } = underWay({ callee: capable })
    caller.cancel(1, { mode: 'kill' })
    caller.cancel(1, { mode: 'kill' })
    expect([caller.heard(), callee.heard()]).toEqual([[], [[69, 1, { mode: 'kill' }]]])
    callee.error(1, 'wamp.error.canceled')
    expect(caller.heard()).toEqual([canceled])
  })

  it('kill may still bring a result', () => {
    const { caller, callee } = underWay({ callee: capable })
    caller.cancel(1, { mode: 'kill' })
    callee.yield(1, {}, 'done')
    expect(caller.heard()).toEqual([[50, 1, {}, 'done']])
  })

  it('skip after kill gives up waiting', () => {
    const { caller, callee } = underWay({ callee: capable })
    caller.cancel(1, { mode: 'kill' })
    caller.cancel(1, { mode: 'skip' })
    expect(caller.heard()).toEqual([canceled])
    expect(callee.error(1, 'com.e')).toBe(true)
    expect(caller.heard()).toEqual([])
  })

  it.each([{ mode: 'abort' }, { mode: 3 }, { mode: null }, { mode: 'toString' }])(
    'with %j is an invalid argument, which ends the call',
    (options) => {
      const { caller, callee } = underWay({ callee: capable })
      caller.cancel(1, options)
      expect(caller.heard()).toEqual([[8, 48, 1, {}, 'wamp.error.invalid_argument']])
      expect(callee.heard()).toEqual([[69, 1, { mode: 'killnowait' }]])
      expect([callee.yield(1), caller.heard()]).toEqual([true, []])
    },
  )

  it('of a call that is unknown, over, or somebody else’s means nothing', () => {
    const { room, caller, callee } = underWay({ callee: capable })
    const other = room.join()
    other.cancel(1)
    caller.cancel(2)
    callee.yield(1)
    caller.heard()
    caller.cancel(1)
    expect([caller.heard(), other.heard(), callee.heard()]).toEqual([[], [], []])
  })

  it.each(['skip', 'kill', 'killnowait'])(
    'trap 7: %s never interrupts a callee that did not announce it',
    (mode) => {
      const { caller, callee } = underWay()
      caller.cancel(1, { mode })
      expect([caller.heard(), callee.heard()]).toEqual([[canceled], []])
    },
  )

  it.each(['skip', 'killnowait', undefined])(
    'trap 8: nothing follows the answer to a call that was canceled with %s',
    (mode) => {
      const { caller, callee } = underWay({ callee: capable, call: { receive_progress: true } })
      caller.cancel(1, mode === undefined ? {} : { mode })
      caller.heard()
      expect(callee.yield(1, { progress: true }, 'half')).toBe(true)
      expect(callee.yield(1, {}, 'late')).toBe(true)
      expect(callee.error(1, 'wamp.error.canceled')).toBe(true)
      expect(caller.heard()).toEqual([])
    },
  )

  it.each(['skip', 'killnowait', 'nonsense', undefined])(
    'trap 13: %s is not answered where the client forgets the call at once',
    (mode) => {
      const { caller, callee } = underWay({ callee: capable, caller: { cancelReply: 'kill_only' } })
      caller.cancel(1, mode === undefined ? {} : { mode })
      expect(callee.yield(1, {}, 'late')).toBe(true)
      expect(caller.heard()).toEqual([])
    },
  )

  it.each([capable, {}])('trap 13: kill is answered there, whether or not the callee can cancel', (peer) => {
    const { caller, callee } = underWay({ callee: peer, caller: { cancelReply: 'kill_only' } })
    caller.cancel(1, { mode: 'kill' })
    callee.error(1, 'wamp.error.canceled')
    expect(caller.heard()).toEqual([canceled])
  })
})

describe('a call timeout', () => {
  const timeout = [8, 48, 1, {}, 'wamp.error.timeout']

  it('answers the caller, interrupts a capable callee, and drops what comes later', () => {
    const { room, caller, callee } = underWay({
      callee: { can: { calleeCanceling: true } },
      call: { timeout: 500 },
    })
    room.advance(499)
    expect(caller.heard()).toEqual([])
    room.advance(1)
    expect([caller.heard(), callee.heard()]).toEqual([[timeout], [[69, 1, { mode: 'killnowait' }]]])
    expect([callee.yield(1, {}, 'late'), caller.heard()]).toEqual([true, []])
  })

  it('leaves a callee alone that cannot be interrupted', () => {
    const { room, caller, callee } = underWay({ call: { timeout: 500 } })
    room.advance(500)
    expect([caller.heard(), callee.heard()]).toEqual([[timeout], []])
  })

  it('of 0 is none', () => {
    expect(underWay({ call: { timeout: 0 } }).room.timers()).toBe(0)
  })

  it('is unset by the answer', () => {
    const { room, caller, callee } = underWay({ call: { timeout: 500 } })
    callee.yield(1)
    expect(room.timers()).toBe(0)
    caller.heard()
    room.advance(1_000)
    expect(caller.heard()).toEqual([])
  })

  it('begins anew with every progressive result', () => {
    const { room, caller, callee } = underWay({ call: { timeout: 500, receive_progress: true } })
    for (let round = 0; round < 3; round += 1) {
      room.advance(400)
      callee.yield(1, { progress: true })
    }
    expect(caller.heard()).toHaveLength(3)
    room.advance(500)
    expect(caller.heard()).toEqual([timeout])
  })

  it('does not begin anew with a progressive result that nobody asked for', () => {
    const { room, caller, callee } = underWay({ call: { timeout: 500 } })
    room.advance(400)
    callee.yield(1, { progress: true })
    room.advance(100)
    expect(caller.heard()).toEqual([timeout])
  })

  it('is handed to a callee that asked for it and can keep it', () => {
    const room = dealerRoom()
    const [callee, other, caller] = [room.join(capable), room.join(capable), room.join()]
    callee.register('com.p', { forward_timeout: true })
    other.register('com.q')
    caller.call(1, 'com.p', { timeout: 500 })
    expect([callee.heard(), room.timers()]).toEqual([[[68, 1, 1, { timeout: 500 }]], 0])
    caller.call(2, 'com.q', { timeout: 500 })
    expect([other.heard(), room.timers()]).toEqual([[[68, 1, 2, {}]], 1])
    callee.error(1, 'wamp.error.timeout')
    expect(caller.heard()).toEqual([timeout])
  })

  it('goes on over a rerouting', () => {
    const room = dealerRoom()
    const callees = [room.join(capable), room.join(), room.join()]
    for (const callee of callees) callee.register('com.p', { invoke: 'first', forward_timeout: true })
    const caller = room.join()
    caller.call(1, 'com.p', { timeout: 500 })
    expect(room.timers()).toBe(0)
    callees[0]?.error(1, 'wamp.error.unavailable')
    expect(room.timers()).toBe(1)
    room.advance(400)
    callees[1]?.error(1, 'wamp.error.unavailable')
    room.advance(100)
    expect(caller.heard()).toEqual([timeout])
  })

  it('is cut to what a timer can hold', () => {
    const { room, caller } = underWay({ call: { timeout: Number.MAX_SAFE_INTEGER } })
    room.advance(maxTimeoutMs)
    expect(caller.heard()).toEqual([timeout])
  })
})

describe('a caller that leaves', () => {
  it('interrupts those of its callees that can be, and nobody hears of the results', () => {
    const { room, caller, callee } = underWay({
      callee: { can: { calleeCanceling: true } },
      call: { timeout: 500 },
    })
    const simple = room.join()
    simple.register('com.q')
    caller.call(2, 'com.q')
    simple.heard()
    caller.leave()
    expect([callee.heard(), simple.heard(), room.timers()]).toEqual([
      [[69, 1, { mode: 'killnowait' }]],
      [],
      0,
    ])
    expect([callee.yield(1), simple.yield(1), caller.heard()]).toEqual([true, true, []])
  })
})

describe('a callee that leaves', () => {
  it('answers its callers with canceled, and is not called any more', () => {
    const { room, caller, callee } = underWay({ call: { timeout: 500 } })
    callee.leave()
    expect([caller.heard(), room.timers()]).toEqual([[canceled], 0])
    caller.call(2, 'com.p')
    expect(caller.heard()).toEqual([[8, 48, 2, {}, 'wamp.error.no_such_procedure']])
  })

  it('is sent nothing about calls to itself', () => {
    const { room, callee } = underWay({ callee: capable })
    callee.call(9, 'com.p')
    callee.heard()
    room.dealer.leave(callee.session)
    expect(callee.heard()).toEqual([])
    expect(callee.session.invocations).toBeUndefined()
  })
})
