import { describe, expect, test } from 'vitest'
import { wampBearer, wampHello } from '../../../packages/countersign/src/carriers/wamp.ts'
import type { Method } from '../../../packages/countersign/src/core/method.ts'
import { accept } from '../../../packages/countersign/src/core/verdict.ts'
import { functionAuthenticator } from '../../../packages/countersign/src/methods/wamp-authenticator.ts'
import { wampTicket } from '../../../packages/countersign/src/methods/wamp-ticket.ts'
import { anonymous } from '../../../packages/countersign/src/methods/anonymous.ts'
import { noDict, type Message } from '../../../packages/countersign/src/wamp/messages.ts'
import { noPayload } from '../../../packages/countersign/src/wamp/values.ts'
import { openGuard } from '../support/guard.ts'
import { expectViolation, Room, ruleFor, settled, type Peer } from './router-room.ts'

const minuteMs = 60_000
const goodbye: Message = { kind: 'goodbye', details: noDict, reason: 'wamp.close.goodbye_and_out' }

/** Who is asked about every ticket: which role they have now. */
interface Office {
  role: string
  open: boolean
}

/** A room whose leases last a minute each, warn ten seconds before and grant five of grace. */
function leaseRoom(office: Office = { role: 'frontend', open: true }): Room {
  const authenticator = functionAuthenticator(() => {
    if (!office.open) throw new Error('closed')
    return office.role
  })
  const methods: readonly Method[] = [
    anonymous({ from: wampHello() }),
    wampTicket({ from: wampBearer(), sources: [authenticator] }),
  ]
  const limits = { maxLeaseMs: 3 * minuteMs, warnMs: 10_000, graceMs: 5_000, jitter: 0 }
  const timed = methods.map((method): Method => ({ ...method, judge: minuteLong(method) }))
  return new Room({}, openGuard({ accept: timed, limits }))
}

function minuteLong(method: Method): Method['judge'] {
  return function* judge(shown) {
    const verdict = yield* method.judge(shown)
    return verdict.kind === 'accept'
      ? { ...verdict, untilMs: Date.parse('2030-01-01T00:01:00Z') + extraMs }
      : verdict
  }
}

/** What is added to the end of every acceptance from now on. */
let extraMs = 0

async function joined(room: Room, details = {}): Promise<Peer> {
  const peer = room.peer()
  peer.hello({ authmethods: ['ticket'], authid: 'joe', ...details })
  await peer.authenticate('t')
  expect(peer.kinds()).toEqual(['challenge', 'welcome'])
  return peer
}

describe('a lease', () => {
  test('that expires ends its session by GOODBYE, and the connection after it', async () => {
    const room = leaseRoom()
    const peer = await joined(room)
    room.clock.advance(64_000)
    expect(peer.kinds()).toEqual(['challenge', 'welcome'])
    room.clock.advance(2_000)
    expect(peer.sent.at(-1)).toEqual({ kind: 'goodbye', details: {}, reason: 'wamp.close.expired' })
    expect([...room.realm.sessions()]).toEqual([])
    peer.say(goodbye)
    expect(peer.closedBy).toEqual({ code: 3000, reason: 'lease_expired' })
  })

  test('neither says nor hears anything from its hard end on, between two ticks of the wheel', async () => {
    extraMs = 1
    const room = leaseRoom()
    const [quiet, loud] = [await joined(room), await joined(room)]
    extraMs = minuteMs
    const other = room.member()
    extraMs = 0
    for (const peer of [quiet, loud, other]) peer.subscribe('com.topic')
    room.clock.advance(65_000)
    other.publish('com.topic', [1])
    expect(quiet.events()).toEqual([[1]])
    room.clock.advance(1)
    other.publish('com.topic', [2])
    expect(quiet.events()).toEqual([[1]])
    expect(quiet.kinds()).not.toContain('goodbye')
    loud.say({ kind: 'publish', request: 9, options: noDict, topic: 'com.topic', payload: noPayload })
    expect(other.events()).toEqual([])
    expect(loud.sent.at(-1)).toMatchObject({ kind: 'goodbye', reason: 'wamp.close.expired' })
    room.clock.advance(500)
    expect(quiet.sent.at(-1)).toMatchObject({ kind: 'goodbye', reason: 'wamp.close.expired' })
  })

  test.each([
    ['revoked', 'wamp.close.killed'],
    ['logged_out', 'wamp.close.logout'],
  ] as const)('that is %s ends its session at once, and its client is forgotten', async (reason, uri) => {
    const room = leaseRoom()
    const [peer, other] = [await joined(room), room.member()]
    await room.guard.revoke({ subject: 'joe' }, reason)
    expect(peer.sent.at(-1)).toMatchObject({ kind: 'goodbye', reason: uri })
    expect(peer.forgotten).toBe(1)
    expect(peer.cleared).toBe(1)
    other.subscribe('com.topic')
    peer.say({ kind: 'publish', request: 1, options: noDict, topic: 'com.topic', payload: noPayload })
    expect(other.events()).toEqual([])
    expect(peer.closedBy).toBeUndefined()
    room.clock.advance(1_000)
    expect(peer.closedBy).toEqual({ code: 3003, reason })
  })

  test('is renewed by a second challenge where the client asks for that', async () => {
    const room = leaseRoom()
    const peer = await joined(room, { x_rechallenge: true })
    room.clock.advance(51_000)
    expect(peer.kinds()).toEqual(['challenge', 'welcome', 'challenge'])
    extraMs = minuteMs
    await peer.authenticate('t')
    extraMs = 0
    room.clock.advance(30_000)
    expect(peer.kinds()).toEqual(['challenge', 'welcome', 'challenge'])
    expect(peer.call('com.nothing')).toMatchObject({ kind: 'error', error: 'wamp.error.no_such_procedure' })
  })

  test('ends when it ends after a wrong answer, and an answer counts once', async () => {
    const office = { role: 'frontend', open: true }
    const room = leaseRoom(office)
    const peer = await joined(room, { x_rechallenge: true })
    room.clock.advance(51_000)
    office.open = false
    await peer.authenticate('wrong')
    expect(peer.call('com.nothing')).toMatchObject({ kind: 'error' })
    office.open = true
    await peer.authenticate('t')
    expectViolation(peer)
  })

  test('is not renewed by whoever was not asked', async () => {
    const room = leaseRoom()
    const peer = await joined(room)
    room.clock.advance(51_000)
    await peer.authenticate('t')
    expectViolation(peer)
  })

  test('that brings another role takes from the session what it may have no more', async () => {
    const office = { role: 'frontend', open: true }
    const room = leaseRoom(office)
    const peer = await joined(room, { x_rechallenge: true })
    peer.subscribe('com.topic')
    peer.subscribe('org.topic')
    peer.register('org.procedure')
    room.clock.advance(51_000)
    office.role = 'anonymous'
    await peer.authenticate('t')
    expect(peer.sent.slice(-2)).toMatchObject([
      { kind: 'unsubscribed', request: 0, details: { reason: 'wamp.error.not_authorized' } },
      { kind: 'unregistered', request: 0, details: { reason: 'wamp.error.not_authorized' } },
    ])
    const witness = room.member()
    expect(room.realm.session(peer.session)?.identity.authrole).toBe('anonymous')
    witness.publish('com.topic', ['still'])
    expect(peer.events()).toEqual([['still']])
  })

  test('that brings no role of the realm ends the session', async () => {
    const office = { role: 'frontend', open: true }
    const room = leaseRoom(office)
    const peer = await joined(room, { x_rechallenge: true })
    room.clock.advance(51_000)
    office.role = 'nobody has it'
    await peer.authenticate('t')
    expect(peer.sent.at(-1)).toMatchObject({ kind: 'goodbye', reason: 'wamp.error.no_such_role' })
  })

  test('that is renewed out of band brings its other role all the same', async () => {
    const room = leaseRoom()
    const peer = await joined(room)
    peer.subscribe('org.topic')
    const lease = room.guard.leases('joe')[0]
    if (lease === undefined) throw new Error('no lease')
    const renew = (roles: readonly string[]): void => {
      const principal = { ...lease.principal, roles }
      lease.renew(accept({ principal, grant: lease.grant, untilMs: lease.untilMs }), room.clock.now())
    }
    renew(['frontend', 'anonymous'])
    expect(peer.kinds().at(-1)).toBe('subscribed')
    renew(['anonymous'])
    expect(peer.kinds().at(-1)).toBe('unsubscribed')
    expect(room.realm.session(peer.session)?.identity.authrole).toBe('anonymous')
  })

  test('that is being renewed is given up with its connection', async () => {
    const room = leaseRoom()
    const peer = await joined(room, { x_rechallenge: true })
    room.clock.advance(51_000)
    expect(peer.kinds().at(-1)).toBe('challenge')
    peer.connection.gone()
    await peer.authenticate('t')
    expect(room.guard.leases()).toEqual([])
  })

  test('that was ended while it was judged never opens', () => {
    const room = new Room({}, [
      {
        ...anonymous({ from: wampHello() }),
        *judge(shown) {
          const verdict = yield* anonymous({ from: wampHello() }).judge(shown)
          room.guard.close()
          return verdict
        },
      },
    ])
    const peer = room.peer()
    peer.hello()
    expect(peer.sent).toEqual([])
    expect(peer.closedBy).toEqual({ code: 1001, reason: 'shutting_down' })
  })
})

describe('roles that are replaced', () => {
  test('end sessions whose role is no more, and re-check the others', async () => {
    const room = new Room()
    const [joe, member] = [await room.frontend(), room.member()]
    joe.subscribe('com.topic')
    joe.subscribe('org.topic')
    room.router.replaceRoles('realm1', [
      { name: 'frontend', rules: [ruleFor('com.', 'subscribe', 'call')], trustlevel: 3 },
    ])
    expect(member.sent.at(-1)).toMatchObject({ kind: 'goodbye', reason: 'wamp.error.no_such_role' })
    expect(joe.kinds().slice(-1)).toEqual(['unsubscribed'])
    expect(room.realm.session(joe.session)).toMatchObject({ trustlevel: 3 })
    expect(joe.subscribe('com.other')).toMatchObject({ kind: 'subscribed' })
    expect(() => room.router.replaceRoles('realm2', [])).toThrow('realm')
    await settled()
  })
})
