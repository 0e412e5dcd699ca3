import { describe, expect, test } from 'vitest'
import { noDict, type Message } from '../../../packages/countersign/src/wamp/messages.ts'
import { jsonCodec } from '../../../packages/countersign/src/wamp/json-codec.ts'
import { noPayload } from '../../../packages/countersign/src/wamp/values.ts'
import { openGuard } from '../support/guard.ts'
import { allRoles, Room, settled, wampMethods, type Peer } from './router-room.ts'

const goodbye: Message = { kind: 'goodbye', details: noDict, reason: 'wamp.close.close_realm' }
const codec = jsonCodec()

function decoded(text: string): Message {
  const message = codec.decode(new TextEncoder().encode(text))
  if (message.kind === 'malformed') throw new Error(message.why)
  return message
}

describe('sessions one after the other on one connection', () => {
  test('cost what as many connections would', () => {
    const room = new Room({}, openGuard({ accept: wampMethods(), limits: { handshakesPerSecond: 5 } }))
    const peer = room.peer()
    let joined = 0
    while (peer.closedBy === undefined && joined < 100) {
      peer.hello()
      if (peer.sent.at(-1)?.kind !== 'welcome') break
      joined++
      peer.say(goodbye)
    }
    expect(joined).toBeLessThanOrEqual(6)
    expect(peer.closedBy?.code).toBe(1013)
    expect([...room.realm.sessions()]).toEqual([])
  })
})

describe('connections without end', () => {
  test('stop at the router’s bound, and others may come when some have gone', () => {
    const room = new Room({ maxConnections: 3 })
    const peers = [room.member(), room.member(), room.peer()]
    expect(room.peer().closedBy).toEqual({ code: 1013, reason: 'overloaded' })
    expect(room.router.connections).toBe(3)
    peers[0]?.connection.gone()
    expect(room.peer().closedBy).toBeUndefined()
  })

  test.each([0, -1, 1.5, Number.NaN])('%j is no bound', (maxConnections) => {
    expect(() => new Room({ maxConnections })).toThrow('maxConnections')
  })
})

describe('names that every object has', () => {
  test.each([
    '{"__proto__":{"disclose_me":true,"acknowledge":true}}',
    '{"constructor":{"disclose_me":true}}',
    '{"__proto__":{"match":"prefix"},"prototype":1}',
  ])('in options are no options: %s', (options) => {
    const room = new Room()
    const [peer, listener] = [room.member(), room.member()]
    peer.say(decoded(`[32,1,${options},"com"]`))
    expect(peer.sent.at(-1)?.kind === 'error' || [...room.realm.broker.list().prefix].length === 0).toBe(true)
    listener.subscribe('com.t')
    peer.say(decoded(`[16,2,${options},"com.t",[1],{"__proto__":{"a":1}}]`))
    const event = listener.sent.find(({ kind }) => kind === 'event')
    expect(event).toMatchObject({ kind: 'event', details: {} })
    if (event?.kind !== 'event') return
    expect(event.details['publisher']).toBeUndefined()
    expect(JSON.stringify(event.payload.kwargs())).toBe('{"__proto__":{"a":1}}')
    expect(Reflect.get({}, 'a')).toBeUndefined()
  })

  test('in HELLO bring no role, no method and no name', () => {
    const room = new Room()
    const peer = room.peer()
    peer.say(
      decoded('[1,"realm1",{"roles":{"caller":{}},"__proto__":{"authmethods":["ticket"],"authid":"joe"}}]'),
    )
    expect(peer.welcome.details).toMatchObject({ authmethod: 'anonymous', authrole: 'anonymous' })
    const other = room.peer()
    other.say(decoded('[1,"realm1",{"__proto__":{"roles":{"caller":{}}}}]'))
    expect(other.closedBy?.code).toBe(1002)
  })

  test.each(['__proto__', 'constructor', 'toString'])('are no realm, and topics like others: %s', (name) => {
    const room = new Room()
    const peer = room.peer()
    peer.hello(noDict, name)
    expect(peer.sent.at(-1)).toMatchObject({ kind: 'abort', reason: 'wamp.error.no_such_realm' })
    const member = room.member()
    expect(member.error(`wamp.${name}`)).toBe('wamp.error.not_authorized')
    expect(member.error(`com.${name}`)).toBe('wamp.error.no_such_procedure')
    expect(member.register(`com.${name}`)).toMatchObject({ kind: 'registered' })
  })
})

describe('ids that belong to somebody else', () => {
  test('cancel, unsubscribe and unregister nothing', () => {
    const room = new Room()
    const [owner, callee, thief] = [room.member(), room.member(), room.member()]
    callee.register('com.slow')
    owner.subscribe('com.t')
    owner.say({ kind: 'call', request: 9, options: noDict, procedure: 'com.slow', payload: noPayload })
    thief.say({ kind: 'cancel', request: 9, options: { mode: 'kill' } })
    thief.say({ kind: 'unsubscribe', request: 1, subscription: 1 })
    thief.say({ kind: 'unregister', request: 2, registration: 1 })
    expect(thief.sent.slice(1)).toMatchObject([
      { error: 'wamp.error.no_such_subscription' },
      { error: 'wamp.error.no_such_registration' },
    ])
    callee.yield(['done'])
    expect(owner.replyTo(9)).toMatchObject({ kind: 'result' })
    expect(callee.kinds()).not.toContain('interrupt')
  })
})

describe('storms', () => {
  test('of CANCEL reach a callee once', () => {
    const room = new Room()
    const [caller, callee] = [room.member(), room.member()]
    callee.register('com.slow')
    caller.say({ kind: 'call', request: 1, options: noDict, procedure: 'com.slow', payload: noPayload })
    for (let at = 0; at < 100; at++) caller.say({ kind: 'cancel', request: 1, options: { mode: 'kill' } })
    expect(callee.kinds().filter((kind) => kind === 'interrupt')).toHaveLength(1)
  })

  test('of calls that nobody answers end at the limit', () => {
    const room = new Room({ limits: { maxCalls: 10 } })
    const [caller, callee] = [room.member(), room.member()]
    callee.register('com.slow')
    for (let at = 1; at <= 50; at++) caller.call('com.slow')
    expect(callee.kinds().filter((kind) => kind === 'invocation')).toHaveLength(10)
    expect(caller.sent.filter(({ kind }) => kind === 'error')).toHaveLength(40)
  })

  test('of progressive results that nobody asked for reach nobody', () => {
    const room = new Room()
    const [caller, callee] = [room.member(), room.member()]
    callee.register('com.slow')
    caller.say({ kind: 'call', request: 1, options: noDict, procedure: 'com.slow', payload: noPayload })
    for (let at = 0; at < 100; at++) {
      callee.say({ kind: 'yield', request: 1, options: { progress: true }, payload: noPayload })
    }
    expect(caller.kinds()).toEqual(['welcome'])
  })

  test('of time limits beyond all bounds are limits like others', () => {
    const room = new Room()
    const [caller, callee] = [room.member(), room.member()]
    callee.register('com.slow')
    caller.say({
      kind: 'call',
      request: 1,
      options: { timeout: 2 ** 53 },
      procedure: 'com.slow',
      payload: noPayload,
    })
    expect(callee.kinds().at(-1)).toBe('invocation')
    for (const timeout of [-1, 1.5, '1', true, {}]) {
      const request = 2
      caller.say({ kind: 'call', request, options: { timeout }, procedure: 'com.slow', payload: noPayload })
      expect(caller.replyTo(request)).toMatchObject({ error: 'wamp.error.invalid_argument' })
    }
  })
})

describe('a session that is killed', () => {
  async function challenged(): Promise<{ room: Room; peer: Peer; root: Peer }> {
    const limits = { maxLeaseMs: 60_000, warnMs: 10_000, graceMs: 5_000, jitter: 0 }
    const room = new Room({}, openGuard({ accept: wampMethods(), limits }))
    const peer = await room.frontend('joe', { x_rechallenge: true })
    const root = await room.frontend('ann')
    room.clock.advance(51_000)
    return { room, peer, root }
  }

  test('while it is challenged again stays dead, whatever it answers', async () => {
    const { room, peer, root } = await challenged()
    expect(peer.kinds().at(-1)).toBe('challenge')
    expect(root.call('wamp.session.kill', [peer.session])).toMatchObject({ kind: 'result' })
    peer.say({ kind: 'authenticate', signature: 'joe ticket', extra: noDict })
    await settled()
    expect(peer.kinds().at(-1)).toBe('goodbye')
    expect(peer.forgotten).toBe(1)
    expect([...room.realm.sessions()].map(({ id }) => id)).toEqual([root.session])
    expect(room.guard.leases('joe')).toEqual([])
  })

  test('while the answer to its challenge is judged stays dead', async () => {
    const { room, peer, root } = await challenged()
    peer.say({ kind: 'authenticate', signature: 'joe ticket', extra: noDict })
    root.call('wamp.session.kill', [peer.session])
    await settled()
    expect(peer.kinds().at(-1)).toBe('goodbye')
    expect(room.guard.leases('joe')).toEqual([])
  })
})

describe('a revocation', () => {
  test('of a subject whose HELLO is being judged is found before the session opens', async () => {
    const room = new Room()
    const peer = room.peer()
    peer.hello({ authmethods: ['ticket'], authid: 'joe' })
    peer.say({ kind: 'authenticate', signature: 'joe ticket', extra: noDict })
    const revoking = room.guard.revoke({ subject: 'joe' })
    await settled()
    await revoking
    await settled()
    expect([...room.realm.sessions()]).toEqual([])
    expect(room.guard.leases('joe')).toEqual([])
    expect(['abort', 'goodbye']).toContain(peer.kinds().at(-1))
  })
})

describe('an identity', () => {
  test('that only the router has is nobody’s by asking for it', () => {
    const room = new Room()
    const peer = room.member({ authrole: 'router', authid: 'router', roles: allRoles })
    expect(peer.welcome.details).toMatchObject({ authrole: 'anonymous' })
    expect(peer.welcome.details['authid']).not.toBe('router')
  })
})
