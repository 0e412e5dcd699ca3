import { describe, expect, it } from 'vitest'
import { permits } from '../../../packages/countersign/src/wamp/permit.ts'
import { dealerRoom, type Peer, type PeerOptions, type Room, type RoomOptions } from './dealer-room.ts'

interface Scene {
  readonly room: Room
  readonly caller: Peer
  readonly callee: Peer
}

/** A caller, and a callee that has registered `com.p`. */
function scene(options: { callee?: PeerOptions; caller?: PeerOptions; room?: RoomOptions } = {}): Scene {
  const room = dealerRoom(options.room)
  const callee = room.join(options.callee)
  const caller = room.join(options.caller)
  callee.register('com.p')
  return { room, caller, callee }
}

const capable: PeerOptions = { can: true }

describe('CALL', () => {
  it('becomes INVOCATION, and YIELD becomes RESULT, with the arguments untouched', () => {
    const { caller, callee } = scene()
    expect(caller.call(7, 'com.p', {}, 'a', { b: 1 })).toBe(true)
    expect(callee.heard()).toEqual([[68, 1, 1, {}, 'a', { b: 1 }]])
    expect(callee.yield(1, {}, 'c')).toBe(true)
    expect(caller.heard()).toEqual([[50, 7, {}, 'c']])
  })

  it('passes the error of a callee on, arguments and all, without its details', () => {
    const { caller, callee } = scene()
    caller.call(7, 'com.p')
    expect(callee.error(1, 'com.my.error', { stack: 'at /srv/app.js' }, 'reason')).toBe(true)
    expect(caller.heard()).toEqual([[8, 48, 7, {}, 'com.my.error', 'reason']])
  })

  it('counts invocations 1, 2, 3 for each callee', () => {
    const { room, caller, callee } = scene()
    const other = room.join()
    other.register('com.q')
    for (const [at, procedure] of ['com.p', 'com.q', 'com.p', 'com.p'].entries()) caller.call(at, procedure)
    expect(callee.heard().map((message) => message[1])).toEqual([1, 2, 3])
    expect(other.heard().map((message) => message[1])).toEqual([1])
  })

  it('keeps calls of several callers with the same request id apart', () => {
    const { room, caller, callee } = scene()
    const other = room.join()
    caller.call(1, 'com.p')
    other.call(1, 'com.p')
    callee.yield(2, {}, 'second')
    callee.yield(1, {}, 'first')
    expect([caller.heard(), other.heard()]).toEqual([[[50, 1, {}, 'first']], [[50, 1, {}, 'second']]])
  })

  it('lets a session call itself', () => {
    const { callee } = scene()
    callee.call(1, 'com.p')
    callee.yield(1, {}, 'echo')
    expect(callee.heard()).toEqual([
      [68, 1, 1, {}],
      [50, 1, {}, 'echo'],
    ])
  })

  it.each([
    ['com.nobody', {}, 'wamp.error.no_such_procedure'],
    ['com..p', {}, 'wamp.error.invalid_uri'],
    ['com.p q', {}, 'wamp.error.invalid_uri'],
    ['com.p', { timeout: '5' }, 'wamp.error.invalid_argument'],
    ['com.p', { timeout: -1 }, 'wamp.error.invalid_argument'],
    ['com.p', { timeout: 1.5 }, 'wamp.error.invalid_argument'],
    ['com.p', { disclose_me: 1 }, 'wamp.error.invalid_argument'],
    ['com.p', { receive_progress: 'yes' }, 'wamp.error.invalid_argument'],
    ['com.p', { progress: 0 }, 'wamp.error.invalid_argument'],
    ['com.p', { ppt_scheme: 3 }, 'wamp.error.invalid_argument'],
    ['com.p', { ppt_scheme: 'x_own', ppt_keyid: 3 }, 'wamp.error.invalid_argument'],
  ])('of %s with %j is refused: %s', (procedure, options, error) => {
    const { caller, callee } = scene({ caller: capable })
    expect(caller.call(1, procedure, options)).toBe(true)
    expect(caller.heard()).toEqual([[8, 48, 1, {}, error]])
    expect(callee.heard()).toEqual([])
  })

  it('checks the form of a URI that a pattern would take', () => {
    const { caller, callee } = scene()
    callee.register('com', { match: 'prefix' })
    caller.call(1, 'com.x y')
    expect(caller.heard()).toEqual([[8, 48, 1, {}, 'wamp.error.invalid_uri']])
  })

  it('refuses more calls than one caller may have under way, and no others', () => {
    const { room, caller, callee } = scene({ room: { limits: { maxCalls: 2 } } })
    const other = room.join()
    for (const request of [1, 2, 3]) caller.call(request, 'com.p')
    other.call(1, 'com.p')
    expect(caller.heard()).toEqual([[8, 48, 3, {}, 'wamp.error.unavailable']])
    expect(callee.heard()).toHaveLength(3)
    callee.yield(1)
    caller.heard()
    caller.call(4, 'com.p')
    expect(caller.heard()).toEqual([])
  })

  it('breaks the protocol with the id of a call that is under way and complete', () => {
    const { caller } = scene({ caller: capable })
    caller.call(1, 'com.p')
    expect(caller.call(1, 'com.p')).toBe(false)
  })

  it('tells the callee of a pattern which procedure was called', () => {
    const { caller, callee } = scene()
    callee.register('com.q', { match: 'prefix' })
    callee.register('org..x', { match: 'wildcard' })
    caller.call(1, 'com.q.sub')
    caller.call(2, 'org.some.x')
    expect(callee.heard()).toEqual([
      [68, 1, 2, { procedure: 'com.q.sub' }],
      [68, 2, 3, { procedure: 'org.some.x' }],
    ])
  })
})

describe('caller identification', () => {
  const told = { caller: 2, caller_authid: 'user2', caller_authrole: 'frontend' }

  it('tells nothing unasked', () => {
    const { caller, callee } = scene()
    caller.call(1, 'com.p', { disclose_me: false })
    expect(callee.heard()).toEqual([[68, 1, 1, {}]])
  })

  it('tells who calls when the caller, the callee or the rules want it', () => {
    const asked = scene()
    asked.caller.call(1, 'com.p', { disclose_me: true })
    expect(asked.callee.heard()).toEqual([[68, 1, 1, told]])
    const ruled = scene({ room: { permit: permits.disclosed } })
    ruled.caller.call(1, 'com.p')
    expect(ruled.callee.heard()).toEqual([[68, 1, 1, told]])
    const wanted = scene()
    wanted.callee.register('com.q', { disclose_caller: true })
    wanted.caller.call(1, 'com.q')
    expect(wanted.callee.heard()).toEqual([[68, 1, 2, told]])
  })

  it('tells it only to the callees of a shared registration that asked', () => {
    const { room, caller, callee } = scene()
    const other = room.join()
    callee.register('com.q', { invoke: 'roundrobin', disclose_caller: true })
    other.register('com.q', { invoke: 'roundrobin' })
    caller.call(1, 'com.q')
    caller.call(2, 'com.q')
    expect([callee.heard(), other.heard()]).toEqual([[[68, 1, 2, told]], [[68, 1, 2, {}]]])
  })

  it('tells the trust level of a caller that has one', () => {
    const { caller, callee } = scene({ caller: { trustlevel: 0 } })
    caller.call(1, 'com.p')
    expect(callee.heard()).toEqual([[68, 1, 1, { trustlevel: 0 }]])
  })

  it('takes over no details that a caller writes itself', () => {
    const { caller, callee } = scene()
    caller.call(1, 'com.p', { caller: 99, caller_authid: 'admin', trustlevel: 9, procedure: 'x', x_own: 1 })
    expect(callee.heard()).toEqual([[68, 1, 1, {}]])
  })
})

describe('YIELD and ERROR', () => {
  it('are a breach for an invocation that this callee was never sent', () => {
    const { room, caller, callee } = scene()
    const foreign = room.join()
    caller.call(1, 'com.p')
    expect(foreign.yield(1)).toBe(false)
    expect(foreign.error(1, 'com.e')).toBe(false)
    expect(callee.yield(2)).toBe(false)
    expect(callee.yield(0)).toBe(false)
    expect(caller.heard()).toEqual([])
    expect(callee.yield(1)).toBe(true)
  })

  it('touch only calls of the callee itself, whatever its numbers', () => {
    const { room, caller, callee } = scene()
    const other = room.join()
    other.register('com.q')
    caller.call(1, 'com.p')
    caller.call(2, 'com.q')
    other.yield(1, {}, 'q')
    expect(caller.heard()).toEqual([[50, 2, {}, 'q']])
    expect(other.yield(1, {}, 'again')).toBe(true)
    expect(caller.heard()).toEqual([])
    callee.yield(1, {}, 'p')
    expect(caller.heard()).toEqual([[50, 1, {}, 'p']])
  })

  it('are dropped when the call has been answered', () => {
    const { caller, callee } = scene()
    caller.call(1, 'com.p')
    callee.yield(1, {}, 'answer')
    caller.heard()
    expect(callee.yield(1, {}, 'more')).toBe(true)
    expect(callee.error(1, 'com.e')).toBe(true)
    expect(caller.heard()).toEqual([])
  })

  it('are a breach with malformed options or an error that is no URI', () => {
    const { caller, callee } = scene({ callee: capable, caller: capable })
    caller.call(1, 'com.p')
    expect(callee.yield(1, { progress: 1 })).toBe(false)
    expect(callee.yield(1, { ppt_scheme: 1 })).toBe(false)
    expect(callee.error(1, 'not a uri')).toBe(false)
    expect(callee.error(1, 'com.e', { ppt_scheme: 1 })).toBe(false)
    expect(caller.heard()).toEqual([])
  })
})

describe('payload passthru mode', () => {
  const attributes = {
    ppt_scheme: 'wamp.eth',
    ppt_serializer: 'cbor',
    ppt_cipher: 'aes256gcm',
    ppt_keyid: 'k1',
  }

  it('copies its attributes both ways, and nothing else', () => {
    const { caller, callee } = scene({ callee: capable, caller: capable })
    caller.call(1, 'com.p', { ...attributes, ppt_other: 1 }, 'sealed')
    caller.call(2, 'com.p', { ppt_scheme: '', ppt_cipher: 'x' })
    callee.yield(1, { ...attributes, x_own: 1 }, 'sealed too')
    callee.error(2, 'com.e', { ppt_scheme: 'mqtt' }, 'bytes')
    expect(callee.heard()).toEqual([
      [68, 1, 1, attributes, 'sealed'],
      [68, 2, 1, {}],
    ])
    expect(caller.heard()).toEqual([
      [50, 1, attributes, 'sealed too'],
      [8, 48, 2, { ppt_scheme: 'mqtt' }, 'com.e', 'bytes'],
    ])
  })

  it('is a breach where it was not announced by whoever uses it', () => {
    const { caller, callee } = scene()
    expect(caller.call(1, 'com.p', attributes)).toBe(false)
    expect(caller.call(2, 'com.p')).toBe(true)
    expect(callee.yield(1, attributes)).toBe(false)
    expect(callee.error(1, 'com.e', attributes)).toBe(false)
    expect(caller.heard()).toEqual([])
  })

  it('is refused to a caller whose callee cannot read it', () => {
    const { caller, callee } = scene({ caller: capable })
    caller.call(1, 'com.p', attributes)
    expect(caller.heard()).toEqual([[8, 48, 1, {}, 'wamp.error.feature_not_supported']])
    expect(callee.heard()).toEqual([])
  })

  it('never reaches a caller that cannot read it', () => {
    const { caller, callee } = scene({ callee: capable })
    caller.call(1, 'com.p', { receive_progress: true })
    caller.call(2, 'com.p')
    caller.call(3, 'com.p')
    callee.heard()
    expect(callee.yield(1, { ...attributes, progress: true }, 'sealed')).toBe(true)
    expect(callee.yield(2, attributes, 'sealed')).toBe(true)
    expect(callee.error(3, 'com.e', attributes, 'sealed')).toBe(true)
    expect(caller.heard()).toEqual([
      [8, 48, 1, {}, 'wamp.error.feature_not_supported'],
      [8, 48, 2, {}, 'wamp.error.feature_not_supported'],
      [8, 48, 3, {}, 'com.e'],
    ])
    expect(callee.heard()).toEqual([[69, 1, { mode: 'killnowait' }]])
  })
})

describe('progressive results', () => {
  it('reach a caller that asked for them, until the final one', () => {
    const { caller, callee } = scene({ callee: capable, caller: capable })
    caller.call(1, 'com.p', { receive_progress: true })
    expect(callee.heard()).toEqual([[68, 1, 1, { receive_progress: true }]])
    callee.yield(1, { progress: true }, 'half')
    callee.yield(1, { progress: true, ppt_scheme: 'x' }, 'sealed')
    callee.yield(1, {}, 'whole')
    expect(caller.heard()).toEqual([
      [50, 1, { progress: true }, 'half'],
      [50, 1, { progress: true, ppt_scheme: 'x' }, 'sealed'],
      [50, 1, {}, 'whole'],
    ])
    expect(callee.yield(1, { progress: true }, 'too late')).toBe(true)
    expect(caller.heard()).toEqual([])
  })

  it('are dropped where nobody asked, and the final one still arrives', () => {
    const { caller, callee } = scene()
    caller.call(1, 'com.p')
    expect(callee.yield(1, { progress: true }, 'half')).toBe(true)
    callee.yield(1, {}, 'whole')
    expect(caller.heard()).toEqual([[50, 1, {}, 'whole']])
  })

  it('trap 14: are offered to callees that announce progress without canceling, unless the setting is strict', () => {
    const likeAutobahn: PeerOptions = { can: { calleeProgressiveResults: true } }
    const lenient = scene({ callee: likeAutobahn, caller: capable })
    lenient.caller.call(1, 'com.p', { receive_progress: true })
    expect(lenient.callee.heard()).toEqual([[68, 1, 1, { receive_progress: true }]])
    const strict = scene({ callee: likeAutobahn, caller: capable, room: { strictProgress: true } })
    strict.caller.call(1, 'com.p', { receive_progress: true })
    expect(strict.callee.heard()).toEqual([[68, 1, 1, {}]])
    strict.callee.yield(1, { progress: true }, 'half')
    expect(strict.caller.heard()).toEqual([])
    const announced = scene({ callee: capable, caller: capable, room: { strictProgress: true } })
    announced.caller.call(1, 'com.p', { receive_progress: true })
    expect(announced.callee.heard()).toEqual([[68, 1, 1, { receive_progress: true }]])
  })
})

describe('progressive invocations', () => {
  it('go to one callee under one id, with the options of the first CALL', () => {
    const room = dealerRoom()
    const callees = [room.join(capable), room.join(capable)]
    for (const callee of callees) callee.register('com.p', { invoke: 'roundrobin', match: 'prefix' })
    const caller = room.join(capable)
    caller.call(5, 'com.p.x', { progress: true, disclose_me: true }, 1)
    caller.call(5, 'com.p.x', { progress: true, receive_progress: true, ppt_scheme: 'x' }, 2)
    caller.call(5, 'com.p.x', { timeout: 'ignored' }, 3)
    const details = { procedure: 'com.p.x', caller: 3, caller_authid: 'user3', caller_authrole: 'frontend' }
    expect(callees[0]?.heard()).toEqual([
      [68, 1, 1, { ...details, progress: true }, 1],
      [68, 1, 1, { ...details, progress: true }, 2],
      [68, 1, 1, details, 3],
    ])
    expect(callees[1]?.heard()).toEqual([])
    callees[0]?.yield(1, {}, 'sum')
    expect(caller.heard()).toEqual([[50, 5, {}, 'sum']])
  })

  it('are a breach from a caller that did not announce them', () => {
    const { caller, callee } = scene({ callee: capable })
    expect(caller.call(1, 'com.p', { progress: true })).toBe(false)
    expect(callee.heard()).toEqual([])
  })

  it.each([{ calleeProgressiveInvocations: true }, { calleeCanceling: true }])(
    'are refused once where the callee has only %j',
    (can) => {
      const { caller, callee } = scene({ callee: { can }, caller: capable })
      for (const progress of [true, true, false]) expect(caller.call(1, 'com.p', { progress })).toBe(true)
      expect(caller.heard()).toEqual([[8, 48, 1, {}, 'wamp.error.feature_not_supported']])
      expect(callee.heard()).toEqual([])
    },
  )

  it('are dropped after the answer until the last of them frees the id', () => {
    const { room, caller, callee } = scene({ callee: capable, caller: capable })
    caller.call(1, 'com.p', { progress: true })
    callee.yield(1, {}, 'enough')
    caller.heard()
    callee.heard()
    expect(caller.call(1, 'com.p', { progress: true })).toBe(true)
    expect(caller.call(1, 'com.p', {})).toBe(true)
    expect([caller.heard(), callee.heard(), room.dealer.held.lateCallers]).toEqual([[], [], 0])
    caller.call(1, 'com.p')
    expect(callee.heard()).toEqual([[68, 2, 1, {}]])
  })

  it('leave new calls alone whose ids are lower than others before', () => {
    const { caller, callee } = scene({ callee: capable, caller: capable })
    caller.call(9_007_199_254_740_992, 'com.p', { progress: true })
    caller.call(12, 'com.p')
    expect(callee.heard()).toHaveLength(2)
  })

  it('are remembered for so many answered calls and no more', () => {
    const { caller, callee } = scene({ callee: capable, caller: capable })
    for (let request = 1; request <= 1_001; request += 1) {
      caller.call(request, 'com.p', { progress: true })
      callee.yield(request)
    }
    callee.heard()
    caller.call(2, 'com.p', { progress: true })
    expect(callee.heard()).toEqual([])
    caller.call(1, 'com.p', { progress: true })
    expect(callee.heard()).toEqual([[68, 1_002, 1, { progress: true }]])
  })

  it('break the protocol with another procedure, or after the last part', () => {
    const { caller, callee } = scene({ callee: capable, caller: capable })
    callee.register('com.q')
    caller.call(1, 'com.p', { progress: true })
    expect(caller.call(1, 'com.q', {})).toBe(false)
    expect(caller.call(1, 'com.p', {})).toBe(true)
    expect(caller.call(1, 'com.p', {})).toBe(false)
  })

  it('end with an error when a part has a malformed flag', () => {
    const { caller, callee } = scene({ callee: capable, caller: capable })
    caller.call(1, 'com.p', { progress: true })
    callee.heard()
    expect(caller.call(1, 'com.p', { progress: 'no' })).toBe(true)
    expect(caller.heard()).toEqual([[8, 48, 1, {}, 'wamp.error.invalid_argument']])
    expect(callee.heard()).toEqual([[69, 1, { mode: 'killnowait' }]])
  })

  it('are not taken to another callee', () => {
    const room = dealerRoom()
    const callees = [room.join(capable), room.join(capable)]
    for (const callee of callees) callee.register('com.p', { invoke: 'first' })
    const caller = room.join(capable)
    caller.call(1, 'com.p', { progress: true })
    callees[0]?.error(1, 'wamp.error.unavailable')
    expect(caller.heard()).toEqual([[8, 48, 1, {}, 'wamp.error.no_available_callee']])
    expect(callees[1]?.heard()).toEqual([])
  })
})

describe('a CALL that the realm does not let through', () => {
  const refusal = (request: number) =>
    ({
      kind: 'error',
      of: 'call',
      request,
      details: {},
      error: 'wamp.error.not_authorized',
      payload: {
        count: 0,
        args: () => [],
        kwargs: () => ({}),
        bytes: () => new Uint8Array(),
        keep: () => refusal(0).payload,
      },
    }) as const
  const refuse = (room: Room, caller: Peer, progress: boolean): void => {
    const message = {
      kind: 'call',
      request: 1,
      options: { progress },
      procedure: 'com.p',
      payload: refusal(1).payload,
    } as const
    room.dealer.refuse(caller.session, message, refusal(1))
  }

  it('is answered once, however many parts it comes in', () => {
    const { room, caller } = scene({ caller: capable })
    for (const progress of [true, true, false]) refuse(room, caller, progress)
    expect(caller.heard()).toEqual([[8, 48, 1, {}, 'wamp.error.not_authorized']])
    refuse(room, caller, false)
    expect(caller.heard()).toHaveLength(1)
  })

  it('ends the call that it would have continued', () => {
    const { room, caller, callee } = scene({ callee: capable, caller: capable })
    caller.call(1, 'com.p', { progress: true })
    callee.heard()
    refuse(room, caller, false)
    expect(caller.heard()).toEqual([[8, 48, 1, {}, 'wamp.error.not_authorized']])
    expect(callee.heard()).toEqual([[69, 1, { mode: 'killnowait' }]])
    expect([callee.yield(1), caller.heard(), room.dealer.held.lateCallers]).toEqual([true, [], 0])
  })
})
