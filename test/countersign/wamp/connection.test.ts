import { describe, expect, test } from 'vitest'
import { wampBearer, wampHello } from '../../../packages/countersign/src/carriers/wamp.ts'
import { hear } from '../../../packages/countersign/src/core/ask.ts'
import { OutageError } from '../../../packages/countersign/src/core/errors.ts'
import type { Method } from '../../../packages/countersign/src/core/method.ts'
import { memory } from '../../../packages/countersign/src/index.ts'
import { anonymous } from '../../../packages/countersign/src/methods/anonymous.ts'
import { secondFactor } from '../../../packages/countersign/src/methods/second-factor.ts'
import { functionAuthenticator } from '../../../packages/countersign/src/methods/wamp-authenticator.ts'
import { ticketPrincipals, wampTicket } from '../../../packages/countersign/src/methods/wamp-ticket.ts'
import { wampcra } from '../../../packages/countersign/src/methods/wampcra.ts'
import { noDict, type Message } from '../../../packages/countersign/src/wamp/messages.ts'
import { noPayload } from '../../../packages/countersign/src/wamp/values.ts'
import { openGuard } from '../support/guard.ts'
import { allRoles, expectAborted, expectViolation, Room, settled, wampMethods } from './router-room.ts'

const goodbye: Message = { kind: 'goodbye', details: noDict, reason: 'wamp.close.close_realm' }
const authenticate: Message = { kind: 'authenticate', signature: 'joe ticket', extra: noDict }
const malformed = { kind: 'malformed', why: 'no message' } as const

/** A method that waits until it is let go on. */
function slow(): { readonly method: Method; readonly go: () => void; readonly fail: () => void } {
  let go = (): void => {}
  let fail = (): void => {}
  const waiting = new Promise<string>((resolve, reject) => {
    go = () => resolve('anonymous')
    fail = () => reject(new OutageError('overloaded', 'nobody answers'))
  })
  const authenticators = [functionAuthenticator(() => waiting)]
  return {
    method: anonymous({ from: wampHello(), authenticators }),
    go: () => go(),
    fail: () => fail(),
  }
}

describe('the opening', () => {
  test('welcomes an anonymous session with its effective identity and what the router implements', () => {
    const peer = new Room().member()
    expect(peer.kinds()).toEqual(['welcome'])
    expect(peer.welcome.details).toMatchObject({
      realm: 'realm1',
      authrole: 'anonymous',
      authmethod: 'anonymous',
      authprovider: 'static',
      authextra: {},
      roles: { broker: { features: { session_meta_api: true } }, dealer: { features: {} } },
    })
    expect(peer.joinedAs).toMatchObject({ realm: 'realm1', authrole: 'anonymous' })
  })

  test.each<[string, Message | typeof malformed]>([
    ['AUTHENTICATE', authenticate],
    ['GOODBYE', goodbye],
    ['WELCOME', { kind: 'welcome', session: 1, details: noDict }],
    ['SUBSCRIBE', { kind: 'subscribe', request: 1, options: noDict, topic: 'com.a' }],
    ['CALL', { kind: 'call', request: 1, options: noDict, procedure: 'com.a', payload: noPayload }],
    ['something undecodable', malformed],
  ])('R1: takes %s before HELLO as a violation', (_name, message) => {
    const peer = new Room().peer()
    peer.say(message)
    expect(peer.sent).toHaveLength(1)
    expectViolation(peer)
  })

  test.each([
    ['HELLO', { kind: 'hello', realm: 'realm1', details: { roles: allRoles } }],
    ['WELCOME', { kind: 'welcome', session: 1, details: noDict }],
    ['CHALLENGE', { kind: 'challenge', method: 'ticket', extra: noDict }],
    ['AUTHENTICATE', authenticate],
    ['something undecodable', malformed],
  ] as const)('R2: ends a session that sends %s, and processes nothing further', (_name, message) => {
    const room = new Room()
    const [peer, other] = [room.member(), room.member()]
    peer.subscribe('com.topic')
    peer.say(message)
    expectViolation(peer)
    peer.subscribe('com.other')
    expect(other.publish('com.topic', [1], { acknowledge: true })).toMatchObject({ kind: 'published' })
    expect(peer.sent.at(-1)).toMatchObject({ kind: 'abort' })
    expect([...room.realm.sessions()]).toHaveLength(1)
    expect(room.guard.leases()).toHaveLength(1)
  })

  test('R3: takes AUTHENTICATE while the verdict is open as a violation', async () => {
    const { method, go } = slow()
    const room = new Room({}, [method])
    const peer = room.peer()
    peer.hello()
    peer.say(authenticate)
    expectViolation(peer)
    go()
    await settled()
    expect(room.guard.leases()).toHaveLength(0)
  })

  test('R3: answers a challenge once: a second AUTHENTICATE is no second try', async () => {
    const peer = new Room().peer()
    peer.hello({ authmethods: ['ticket'], authid: 'joe' })
    expect(peer.kinds()).toEqual(['challenge'])
    peer.say({ kind: 'authenticate', signature: 'wrong', extra: noDict })
    peer.say(authenticate)
    await settled()
    expectAborted(peer, 'wamp.error.authentication_denied')
    expect(peer.sent).toHaveLength(2)
  })

  test('takes a second HELLO while challenged as a violation', () => {
    const peer = new Room().peer()
    peer.hello({ authmethods: ['ticket'], authid: 'joe' })
    peer.hello()
    expectViolation(peer)
  })

  test('R4: takes the first of the client’s methods that is configured, and passes over unknown ones', () => {
    const peer = new Room().peer()
    peer.hello({ authmethods: ['carrier pigeon', 'ticket', 'anonymous'], authid: 'joe' })
    expect(peer.sent).toMatchObject([{ kind: 'challenge', method: 'ticket', extra: {} }])
  })

  test('R5: goes on to the next method where one lacks what it needs', () => {
    const peer = new Room().peer()
    peer.hello({ authmethods: ['ticket', 'anonymous'] })
    expect(peer.welcome.details).toMatchObject({ authmethod: 'anonymous' })
  })

  test.each([
    ['a realm that does not exist', 'realm2', 'wamp.error.no_such_realm'],
    ['no realm, where nothing assigns one', undefined, 'wamp.error.no_such_realm'],
  ])('R6: refuses %s', (_name, realm, reason) => {
    const peer = new Room().peer()
    peer.say({ kind: 'hello', realm, details: { roles: allRoles } })
    expectAborted(peer, reason)
  })

  test('R6: refuses a role that the realm does not have, once it is proved', async () => {
    const room = new Room()
    const peer = room.peer()
    peer.hello({ authmethods: ['ticket'], authid: 'eve' })
    await peer.authenticate('eve ticket')
    expectAborted(peer, 'wamp.error.no_such_role')
    expect(room.guard.leases()).toHaveLength(0)
  })

  test('R6: joins the realm that the authentication assigns', () => {
    const room = new Room({}, [anonymous({ from: wampHello(), realm: 'realm1' })])
    const peer = room.peer()
    peer.say({ kind: 'hello', realm: undefined, details: { roles: allRoles } })
    expect(peer.welcome.details).toMatchObject({ realm: 'realm1' })
  })

  test('R7: names in the challenge the session that WELCOME names', async () => {
    const records = memory()
    records.putChallengeSecret({
      authid: 'joe',
      secret: 'secret2',
      salting: undefined,
      subject: 'joe',
      roles: ['frontend'],
      session: undefined,
      uses: 'session',
      issuedAtMs: 0,
      expiresAtMs: Infinity,
    })
    const opened = openGuard({ records, accept: [wampcra({ from: wampHello() })] })
    const peer = new Room({}, opened).peer()
    peer.hello({ authmethods: ['wampcra'], authid: 'joe' })
    await settled()
    const challenge = peer.sent[0]
    if (challenge?.kind !== 'challenge') throw new Error('no challenge')
    const text = String(challenge.extra['challenge'])
    await peer.authenticate(await hmac('secret2', text))
    expect(JSON.parse(text)).toMatchObject({ session: peer.session, authid: 'joe' })
    expect(peer.welcome.details).toMatchObject({ authid: 'joe', authmethod: 'wampcra', authrole: 'frontend' })
  })

  test('R9: gives a client ten seconds for its HELLO', () => {
    const room = new Room()
    const peer = room.peer()
    room.clock.advance(9_999)
    expect(peer.sent).toEqual([])
    room.clock.advance(1)
    expectAborted(peer, 'wamp.error.authentication_failed')
    expect(peer.closedBy).toEqual({ code: 3008, reason: 'authentication_timeout' })
  })

  test('R9: gives a client its time for AUTHENTICATE, and takes none that comes later', async () => {
    const room = new Room({ authenticateTimeoutMs: 5_000 })
    const peer = room.peer()
    peer.hello({ authmethods: ['ticket'], authid: 'joe' })
    room.clock.advance(5_000)
    expectAborted(peer, 'wamp.error.authentication_failed')
    await peer.authenticate('joe ticket')
    expect(peer.sent).toHaveLength(2)
    expect(room.opened.journal.at(-1)).toMatchObject({ kind: 'refused', reason: 'authentication_timeout' })
  })

  test('R9: closes a client whose verdict does not come, so that it may try again', () => {
    const room = new Room({ verdictTimeoutMs: 7_000 }, [slow().method])
    const peer = room.peer()
    peer.hello()
    room.clock.advance(7_000)
    expect(peer.sent).toEqual([])
    expect(peer.closedBy).toEqual({ code: 1013, reason: 'overloaded' })
  })

  test('R10: leaves no ghost of a client that vanishes while it is judged', async () => {
    const { method, go } = slow()
    const room = new Room({}, [...wampMethods(), { ...method, name: 'slow', recognises: isSlow }])
    const witness = await room.frontend()
    witness.subscribe('wamp.session.', { match: 'prefix' })
    const peer = room.peer()
    peer.hello({ authmethods: ['slow'] })
    peer.connection.gone()
    go()
    await settled()
    expect(peer.sent).toEqual([])
    expect(witness.events()).toEqual([])
    expect(room.guard.leases()).toHaveLength(1)
    expect(room.router.connections).toBe(1)
  })

  test('R11: says the same of an unknown name as of a wrong ticket', async () => {
    const told = []
    for (const [authid, ticket] of [
      ['joe', 'wrong'],
      ['nobody', 'joe ticket'],
    ] as const) {
      const peer = new Room().peer()
      peer.hello({ authmethods: ['ticket'], authid })
      await peer.authenticate(ticket)
      told.push([peer.sent, peer.closedBy])
    }
    expect(told[0]).toEqual(told[1])
  })

  test('R13: gives nothing of the client’s authextra back, and believes none of it', async () => {
    const room = new Room()
    const authextra = { transport: { peer: 'trusted' }, role: 'frontend', note: 'x' }
    const member = room.member({ authextra, authid: 'admin', authrole: 'frontend' })
    expect(member.welcome.details['authextra']).toEqual({})
    expect(member.welcome.details['authrole']).toBe('anonymous')
    expect(member.welcome.details['authid']).not.toBe('admin')
    const witness = await room.frontend()
    expect(witness.result('wamp.session.get', [member.session])).toMatchObject({ transport: {} })
  })

  test('R14: never answers ABORT', () => {
    const room = new Room()
    const [fresh, member] = [room.peer(), room.member()]
    fresh.hello({ authmethods: ['ticket'], authid: 'joe' })
    for (const peer of [fresh, member]) {
      const before = peer.sent.length
      peer.say({ kind: 'abort', details: noDict, reason: 'wamp.error.cannot_authenticate' })
      expect(peer.sent).toHaveLength(before)
      expect(peer.closedBy).toEqual({ code: 1000, reason: '' })
    }
    expect([...room.realm.sessions()]).toEqual([])
    expect(room.guard.leases()).toEqual([])
  })

  test.each(['wamp.close.close_realm', 'wamp.error.goodbye_and_out', 'not even a URI'])(
    'R14: answers GOODBYE, whatever its reason: %s',
    (reason) => {
      const room = new Room()
      const peer = room.member()
      peer.say({ kind: 'goodbye', details: noDict, reason })
      expect(peer.sent.at(-1)).toEqual({
        kind: 'goodbye',
        details: {},
        reason: 'wamp.close.goodbye_and_out',
      })
      expect(peer.closedBy).toBeUndefined()
      expect(room.guard.leases()).toEqual([])
    },
  )

  test('R14: lets a client say goodbye while it is challenged', () => {
    const peer = new Room().peer()
    peer.hello({ authmethods: ['ticket'], authid: 'joe' })
    peer.say(goodbye)
    expect(peer.kinds()).toEqual(['challenge', 'goodbye'])
    expect(peer.closedBy).toEqual({ code: 1000, reason: '' })
  })

  test.each([
    ['no roles', {}],
    ['no role at all', { roles: {} }],
    ['only roles of a router', { roles: { broker: {} } }],
    ['a role that is no dictionary', { roles: { caller: true } }],
    ['features that are no dictionary', { roles: { caller: { features: [] } } }],
    ['authmethods that are no list', { roles: allRoles, authmethods: 'ticket' }],
    ['authmethods that are no texts', { roles: allRoles, authmethods: [1] }],
    ['authmethods without end', { roles: allRoles, authmethods: Array<string>(33).fill('ticket') }],
    ['an authid that is no text', { roles: allRoles, authid: 7 }],
    ['an authid without end', { roles: allRoles, authid: 'a'.repeat(1025) }],
    ['an authrole that is no text', { roles: allRoles, authrole: ['frontend'] }],
    ['an authextra that is no dictionary', { roles: allRoles, authextra: 'x' }],
  ])('takes a HELLO with %s as a violation', (_name, details) => {
    const peer = new Room().peer()
    peer.say({ kind: 'hello', realm: 'realm1', details })
    expectViolation(peer)
  })

  test('reads null in HELLO as absence', () => {
    const peer = new Room().peer()
    peer.hello({ authmethods: null, authid: null, authrole: null, authextra: null })
    expect(peer.kinds()).toEqual(['welcome'])
  })

  test('gives a role that was asked for to whoever has it, and its first role to all others', async () => {
    const authenticators = [functionAuthenticator(() => ({ role: 'frontend' }))]
    const room = new Room({}, [anonymous({ from: wampHello(), authenticators })])
    const peer = room.peer()
    peer.hello({ authrole: 'guest' })
    await settled()
    expect(peer.welcome.details['authrole']).toBe('frontend')
  })

  test('asks for as many rounds as a method has', async () => {
    const one = wampTicket({
      from: wampBearer(),
      sources: [ticketPrincipals({ joe: { ticket: 'one', role: 'frontend' } })],
    })
    const two = wampTicket({
      from: wampBearer(),
      sources: [ticketPrincipals({ joe: { ticket: 'two', role: 'frontend' } })],
    })
    const peer = new Room({}, [secondFactor(one, { ...two, name: 'code' })]).peer()
    peer.hello({ authmethods: ['ticket'], authid: 'joe' })
    await peer.authenticate('one')
    expect(peer.kinds()).toEqual(['challenge', 'challenge'])
    await peer.authenticate('two')
    expect(peer.kinds()).toEqual(['challenge', 'challenge', 'welcome'])
  })
})

describe('refusals', () => {
  test.each([
    ['spec', ['ticket'], 'wrong', 'wamp.error.authentication_denied'],
    ['crossbar', ['ticket'], 'wrong', 'wamp.error.not_authorized'],
    ['spec', ['carrier pigeon'], undefined, 'wamp.error.no_matching_auth_method'],
    ['crossbar', ['carrier pigeon'], undefined, 'wamp.error.no_auth_method'],
    ['spec', undefined, undefined, 'wamp.error.authentication_required'],
    ['crossbar', undefined, undefined, 'wamp.error.no_auth_method'],
  ] as const)(
    'are told in the vocabulary %s, in exactly three elements (trap 6): %j',
    async (errorUris, authmethods, ticket, reason) => {
      const [, ticketMethod] = wampMethods()
      if (ticketMethod === undefined) throw new Error('two methods')
      const peer = new Room({ errorUris }, [ticketMethod]).peer()
      peer.hello({ authid: 'joe', ...(authmethods === undefined ? {} : { authmethods }) })
      if (ticket !== undefined) await peer.authenticate(ticket)
      const abort = expectAborted(peer, reason)
      expect(Object.keys(abort)).toEqual(['kind', 'details', 'reason'])
      expect(abort.details).toEqual({ message: expect.any(String) })
    },
  )

  test('of a temporary condition are no ABORT, which clients take as final', async () => {
    const { method, fail } = slow()
    const peer = new Room({}, [method]).peer()
    peer.hello()
    fail()
    await settled()
    expect(peer.sent).toEqual([])
    expect(peer.closedBy).toEqual({ code: 1013, reason: 'overloaded' })
  })

  test('come of a method that listens without a challenge', () => {
    const silent: Method = {
      name: 'silent',
      from: [wampHello()],
      csrf: undefined,
      recognises: () => true,
      *judge() {
        yield* hear(undefined)
        throw new Error('nothing is ever heard')
      },
    }
    const peer = new Room({}, [silent]).peer()
    peer.hello()
    expectAborted(peer, 'wamp.error.authentication_failed')
  })
})

describe('a transport', () => {
  test('carries a second session after GOODBYE on both sides', async () => {
    const room = new Room()
    const peer = await room.frontend()
    const first = peer.session
    peer.say(goodbye)
    peer.hello()
    expect(peer.session).not.toBe(first)
    expect([...room.realm.sessions()].map(({ id }) => id)).toEqual([peer.session])
  })

  test('is closed quietly when no second session comes', () => {
    const room = new Room()
    const peer = room.member()
    peer.say(goodbye)
    room.clock.advance(10_000)
    expect(peer.closedBy).toEqual({ code: 1000, reason: '' })
    expect(peer.kinds()).toEqual(['welcome', 'goodbye'])
  })

  test('is closed at once where there is no room to wait', () => {
    const peer = new Room().member()
    peer.room = false
    peer.say(goodbye)
    expect(peer.closedBy).toEqual({ code: 1000, reason: '' })
  })

  test('forgets its client when it logs out', () => {
    const peer = new Room().member()
    peer.say({ kind: 'goodbye', details: noDict, reason: 'wamp.close.logout' })
    expect(peer.forgotten).toBe(1)
  })

  test('that is gone takes its session along', () => {
    const room = new Room()
    const peer = room.member()
    peer.connection.gone()
    peer.connection.gone()
    expect([...room.realm.sessions()]).toEqual([])
    expect(room.guard.leases()).toEqual([])
    expect(room.router.connections).toBe(0)
    room.clock.advance(1_000)
    expect(room.clock.timers).toBe(0)
  })
})

describe('a router that closes', () => {
  test('says goodbye to sessions, and closes when they have said theirs', () => {
    const room = new Room()
    const [polite, silent, fresh] = [room.member(), room.member(), room.peer()]
    room.router.close()
    expect(polite.sent.at(-1)).toMatchObject({ kind: 'goodbye', reason: 'wamp.close.system_shutdown' })
    expect(fresh.sent).toEqual([])
    expect(fresh.closedBy).toEqual({ code: 1001, reason: 'shutting_down' })
    polite.say(goodbye)
    expect(polite.closedBy).toEqual({ code: 1001, reason: 'shutting_down' })
    silent.publish('com.topic')
    expect(silent.closedBy).toBeUndefined()
    room.clock.advance(1_000)
    expect(silent.closedBy).toEqual({ code: 1001, reason: 'shutting_down' })
    expect(room.peer().closedBy).toEqual({ code: 1001, reason: 'shutting_down' })
  })
})

function isSlow(credential: { readonly kind: string; readonly methods?: readonly string[] }): boolean {
  return credential.methods?.includes('slow') === true
}

async function hmac(secret: string, text: string): Promise<string> {
  const { createHmac } = await import('node:crypto')
  return createHmac('sha256', secret).update(text).digest('base64')
}
