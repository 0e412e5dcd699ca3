import { describe, expect, test } from 'vitest'
import {
  authorization,
  challengeFrames,
  cookie,
  createGuard,
  firstMessage,
  memory,
  query,
  subprotocol,
  type GuardOptions,
  type HandshakeCarrier,
  type Method,
  type Records,
} from '../../../packages/countersign/src/index.ts'
import { password, session, ticket, wampcra } from '../../../packages/countersign/src/methods/index.ts'
import type { Reason } from '../../../packages/countersign/src/core/reasons.ts'
import { nodePlatform } from '../../../packages/countersign/src/platform/node.ts'
import {
  expectAcceptance,
  expectRefusal,
  handshakeOf,
  knock,
  knockAndListen,
  openGuard,
  pageOrigin,
  peerTurn,
  say,
  wrapped,
  type Opened,
} from '../support/guard.ts'

/** A guard with most places and methods. */
function everyDoor(options: Partial<GuardOptions> = {}): Opened {
  return openGuard({
    accept: [
      ticket({ from: [query('ticket'), subprotocol(), firstMessage()] }),
      session({ from: cookie('sid') }),
      password({ from: authorization('Basic') }),
      wampcra({ from: challengeFrames() }),
    ],
    hosts: ['localhost:8000'],
    ...options,
  })
}

async function freshTicket(opened: Opened): Promise<string> {
  const { ticket: text } = await opened.guard.issue.ticket({ subject: 'alice' })
  opened.calls.length = 0
  return text
}

describe('a knock with its first message', () => {
  test('is decided at once, as if it had been heard', async () => {
    const opened = everyDoor()
    const text = await freshTicket(opened)
    const turn = await opened.guard.knock(handshakeOf({}), text)
    expect(turn.kind).toBe('done')
    if (turn.kind === 'done') expectAcceptance(turn.value, 'alice')
    const again = await opened.guard.knock(handshakeOf({}), text)
    if (again.kind === 'done') expectRefusal(again.value, 'invalid_credential')
    expect(again.kind).toBe('done')
  })

  test('that opens a challenge is answered by the challenge', async () => {
    const { guard } = everyDoor()
    const hello = JSON.stringify({ type: 'hello', authid: 'alice', methods: ['wampcra'] })
    const turn = await guard.knock(handshakeOf({}), hello)
    expect(turn).toMatchObject({ kind: 'peer', say: { method: 'wampcra' } })
    if (turn.kind === 'peer') turn.leave(guard.refusal(handshakeOf({}), 'invalid_credential'))
  })

  test('is not listened to beside a credential in the handshake, nor where no message is', async () => {
    const opened = everyDoor()
    const [first, second] = [await freshTicket(opened), await freshTicket(opened)]
    const turn = await opened.guard.knock(handshakeOf({ target: `/?ticket=${first}` }), second)
    if (turn.kind === 'done') expectAcceptance(turn.value, 'alice')
    expectAcceptance(await knock(opened.guard, { target: `/?ticket=${second}` }), 'alice')
    const silent = openGuard({ accept: [ticket({ from: query('ticket') })] })
    const unheard = await silent.guard.knock(handshakeOf({}), 'a')
    if (unheard.kind === 'done') expectRefusal(unheard.value, 'missing_credential')
    expect([turn.kind, unheard.kind]).toEqual(['done', 'done'])
  })
})

describe('a knock', () => {
  test('with a good credential is accepted, with a lease that is registered but not open', async () => {
    const opened = everyDoor()
    const decision = await knock(opened.guard, { target: `/?ticket=${await freshTicket(opened)}` })
    const { lease, method, reply } = expectAcceptance(decision, 'alice')
    expect({ phase: lease.phase, method, reply }).toEqual({
      phase: 'pending',
      method: 'ticket',
      reply: 'bare',
    })
    expect(opened.guard.leases()).toEqual([lease])
    expect(lease.open()).toBe(true)
    expect(opened.guard.leases('alice')).toEqual([lease])
  })

  test('answers at once when every port does', async () => {
    const opened = everyDoor()
    expect(
      opened.guard.knock(handshakeOf({ target: `/?ticket=${await freshTicket(opened)}` })),
    ).toMatchObject({
      kind: 'done',
      value: { kind: 'accepted' },
    })
  })

  test.each<[Reason, Parameters<typeof handshakeOf>[0]]>([
    ['protocol_violation', { host: undefined }],
    ['wrong_host', { host: 'evil.example' }],
    ['wrong_host', { host: '' }],
    ['forbidden_origin', { origin: 'https://evil.example' }],
    ['forbidden_origin', { origin: 'null' }],
    ['forbidden_origin', { origin: `${pageOrigin}, ${pageOrigin}` }],
    ['insecure_transport', { remoteAddress: '192.0.2.1' }],
  ])('is refused with %s before a ticket is spent or a store is asked: %j', async (reason, facts) => {
    const opened = everyDoor()
    const target = `/?ticket=${await freshTicket(opened)}`
    expectRefusal(await knock(opened.guard, { target, ...facts }), reason)
    expect(opened.calls).toEqual([])
    expectAcceptance(await knock(opened.guard, { target }), 'alice')
  })

  test('beyond the rate of its source is refused before anything is asked', async () => {
    const opened = everyDoor({ limits: { handshakesPerSecond: 2 } })
    const target = `/?ticket=${await freshTicket(opened)}`
    for (let at = 0; at < 2; at++)
      expectRefusal(await knock(opened.guard, { target: '/?ticket=cst_x' }), 'invalid_credential')
    opened.calls.length = 0
    expectRefusal(await knock(opened.guard, { target }), 'overloaded')
    expect(opened.calls).toEqual([])
    opened.clock.advance(1_000)
    expectAcceptance(await knock(opened.guard, { target }), 'alice')
  })

  test('at a guard that has closed is refused', async () => {
    const opened = everyDoor()
    const target = `/?ticket=${await freshTicket(opened)}`
    opened.guard.close()
    expectRefusal(await knock(opened.guard, { target }), 'shutting_down')
  })

  test('with two credentials that differ is refused without spending either', async () => {
    const opened = everyDoor()
    const [one, two] = [await freshTicket(opened), await freshTicket(opened)]
    const both = { target: `/?ticket=${one}`, subprotocol: `countersign.bearer.${two}, countersign.v1` }
    expectRefusal(await knock(opened.guard, both), 'protocol_violation')
    expect(opened.calls).toEqual([])
  })

  test('with the same credential twice is accepted', async () => {
    const opened = everyDoor()
    const one = await freshTicket(opened)
    const both = { target: `/?ticket=${one}`, subprotocol: `countersign.bearer.${one}, countersign.v1` }
    expectAcceptance(await knock(opened.guard, both), 'alice')
  })

  test('is judged by its explicit credential, not by the cookie beside it', async () => {
    const opened = everyDoor()
    const { session: sid } = await opened.guard.issue.session({ subject: 'mallory' })
    const facts = {
      origin: pageOrigin,
      cookie: `sid=${sid}`,
      target: `/?ticket=${await freshTicket(opened)}`,
    }
    expectAcceptance(await knock(opened.guard, facts), 'alice')
    expectRefusal(await knock(opened.guard, facts), 'invalid_credential')
  })

  test('with a cookie and no Origin is refused', async () => {
    const opened = everyDoor()
    const { session: sid } = await opened.guard.issue.session({ subject: 'alice' })
    expectRefusal(await knock(opened.guard, { cookie: `sid=${sid}` }), 'forbidden_origin')
    expectAcceptance(await knock(opened.guard, { cookie: `sid=${sid}`, origin: pageOrigin }), 'alice')
  })

  test.each([
    ['a broken parameter', { target: '/?ticket=%zz' }],
    ['two parameters that differ', { target: '/?ticket=a&ticket=b' }],
    ['a broken Basic', { authorization: 'Basic !!!' }],
    ['a broken subprotocol', { subprotocol: 'bearer' }],
    ['a token that nobody recognises', { target: '/?ticket=hello' }],
  ])('with %s is refused', async (_what, facts) => {
    expectRefusal(await knock(everyDoor().guard, facts), 'invalid_credential')
  })

  test('without any credential is refused where no first message is awaited', async () => {
    const { guard } = openGuard({ accept: [ticket({ from: query() })] })
    expectRefusal(await knock(guard), 'missing_credential')
  })

  test('finds cleartext off loopback allowed where that is said', async () => {
    const opened = everyDoor({ dangerouslyAllowCleartext: true })
    expectAcceptance(
      await knock(opened.guard, {
        remoteAddress: '192.0.2.1',
        target: `/?ticket=${await freshTicket(opened)}`,
      }),
      'alice',
    )
  })

  test.each([
    ['::1', false],
    ['127.9.9.9', false],
    ['::ffff:127.0.0.1', false],
    ['2001:db8::1', true],
  ])('from %s may carry a token when secure is %s', async (remoteAddress, secure) => {
    const opened = everyDoor()
    expectAcceptance(
      await knock(opened.guard, { remoteAddress, secure, target: `/?ticket=${await freshTicket(opened)}` }),
      'alice',
    )
  })
})

describe('a refusal is told', () => {
  const wrong = { target: '/?ticket=cst_wrong' }

  test('by HTTP to programs, by closing to browsers', async () => {
    const { guard } = everyDoor()
    expect(expectRefusal(await knock(guard, wrong), 'invalid_credential').tell).toBe('http')
    expect(
      expectRefusal(await knock(guard, { ...wrong, origin: pageOrigin }), 'invalid_credential').tell,
    ).toBe('close')
  })

  test.each(['http', 'close'] as const)('by %s to all where that is chosen', async (refusals) => {
    const { guard } = everyDoor({ refusals })
    expect(expectRefusal(await knock(guard, wrong), 'invalid_credential').tell).toBe(refusals)
    expect(
      expectRefusal(await knock(guard, { ...wrong, origin: pageOrigin }), 'invalid_credential').tell,
    ).toBe(refusals)
  })

  test('by HTTP even so when the reason has no other way', async () => {
    const { guard } = everyDoor({ refusals: 'close' })
    expect(
      expectRefusal(await knock(guard, { ...wrong, origin: 'https://evil.example' }), 'forbidden_origin')
        .tell,
    ).toBe('http')
  })

  test('with how long to wait where someone guesses passwords', async () => {
    const opened = everyDoor()
    const guess = { authorization: `Basic ${btoa('alice:wrong')}` }
    for (let at = 0; at < 5; at++) expectRefusal(await knock(opened.guard, guess), 'invalid_credential')
    opened.calls.length = 0
    expect(expectRefusal(await knock(opened.guard, guess), 'too_many_attempts').retryAfterMs).toBe(1_000)
    expect(opened.calls).toEqual([])
  })

  test('with the reason of the guard itself by `refusal`', () => {
    const opened = everyDoor()
    expect(opened.guard.refusal(handshakeOf(), 'message_too_big')).toMatchObject({
      reason: 'message_too_big',
      tell: 'http',
    })
    expect(opened.journal).toMatchObject([{ kind: 'refused', reason: 'message_too_big' }])
  })
})

describe('the first message', () => {
  test('is awaited when the handshake holds nothing, and judged like anything else', async () => {
    const opened = everyDoor()
    const turn = await knockAndListen(opened.guard)
    expect(turn.say).toBeUndefined()
    const { reply } = expectAcceptance(await say(opened, turn, await freshTicket(opened)), 'alice')
    expect(reply).toBe('bare')
  })

  test('as JSON is answered as JSON, accepted or refused', async () => {
    const opened = everyDoor()
    const auth = (token: string): string => JSON.stringify({ type: 'auth', token })
    const good = await say(opened, await knockAndListen(opened.guard), auth(await freshTicket(opened)))
    expect(expectAcceptance(good, 'alice').reply).toBe('auth')
    const bad = await say(opened, await knockAndListen(opened.guard), auth('cst_wrong'))
    expect(expectRefusal(bad, 'invalid_credential').reply).toBe('auth')
  })

  test.each<[string, Reason]>([
    ['', 'missing_credential'],
    ['{"type":"auth"}', 'missing_credential'],
    ['{"type":', 'invalid_credential'],
    ['two words', 'invalid_credential'],
    ['cst_unknown', 'invalid_credential'],
    ['{"type":"hello","authid":"a","methods":["scram-sha-256"]}', 'invalid_credential'],
  ])('%j is refused with %s', async (text, reason) => {
    const opened = everyDoor()
    expectRefusal(await say(opened, await knockAndListen(opened.guard), text), reason)
  })

  test('is judged by the clock of the moment when it came', async () => {
    const opened = everyDoor()
    const text = await freshTicket(opened)
    const turn = await knockAndListen(opened.guard)
    opened.clock.advance(30_000)
    expectRefusal(await say(opened, turn, text), 'expired_credential')
  })

  test('is not awaited where it could not be used', async () => {
    const bearer = openGuard({ accept: [ticket({ from: firstMessage() })] })
    expectRefusal(await knock(bearer.guard, { remoteAddress: '192.0.2.1' }), 'insecure_transport')
    const pages = openGuard({ accept: [ticket({ from: firstMessage({ absentOrigin: 'refuse' }) })] })
    expectRefusal(await knock(pages.guard), 'forbidden_origin')
    await knockAndListen(pages.guard, { origin: pageOrigin })
  })

  test('of a challenge may travel in clear, where a token may not', async () => {
    const opened = everyDoor()
    const turn = await knockAndListen(opened.guard, { remoteAddress: '192.0.2.1' })
    expectRefusal(await say(opened, turn, await freshTicket(opened)), 'missing_credential')
  })

  test('that never comes leaves nothing behind', async () => {
    const opened = everyDoor()
    const turn = await knockAndListen(opened.guard)
    turn.leave(opened.guard.refusal(handshakeOf(), 'authentication_timeout'))
    expect(opened.guard.leases()).toEqual([])
  })
})

describe('knock never throws', () => {
  const broken = (find: HandshakeCarrier['find']): Method => ({ ...ticket({ from: { ...query(), find } }) })
  const thrower = (): never => {
    throw new TypeError('secret-in-message')
  }

  test.each<[string, Partial<GuardOptions>]>([
    ['a carrier that throws', { accept: [broken(thrower)] }],
    ['a method that throws', { accept: [{ ...ticket({ from: query() }), judge: thrower }] }],
    ['a method that throws when asked', { accept: [{ ...ticket({ from: query() }), recognises: thrower }] }],
    ['records that throw', { records: wrapped(memory(), thrower) }],
    [
      'records that reject',
      { records: wrapped(memory(), () => Promise.reject(new TypeError('secret-in-message'))) },
    ],
    [
      'records that reject with a string',
      { records: wrapped(memory(), () => Promise.reject('secret-in-message')) },
    ],
    ['records that answer nonsense', { records: wrapped(memory(), () => null) }],
  ])(
    'for %s: it refuses with internal, and the journal learns no more than a name',
    async (_what, options) => {
      const opened = openGuard({ accept: [ticket({ from: query() })], ...options })
      expectRefusal(await knock(opened.guard, { target: '/?ticket=cst_1' }), 'internal')
      expect(opened.journal.map((entry) => entry.kind)).toEqual(['error', 'refused'])
      expect(JSON.stringify(opened.journal)).not.toContain('secret')
      expect(opened.guard.leases()).toEqual([])
    },
  )

  test('for lists that throw', async () => {
    const opened = openGuard({ accept: [ticket({ from: query() })] })
    // A handshake that no adapter builds.
    expectRefusal(await knock(opened.guard, { target: undefined as never }), 'internal')
    expect(await knock(opened.guard, { host: 'h', origin: Symbol('o') as never })).toMatchObject({
      kind: 'refused',
    })
  })

  test.each(['findMark', 'takeTicket'])('and leaves no pending lease when %s fails', async (name) => {
    for (const failure of [
      () => {
        throw new Error('x')
      },
      () => Promise.reject(new Error('x')),
    ]) {
      const store = memory()
      const records: Records = wrapped(store, (called, call) => (called === name ? failure() : call()))
      const opened = openGuard({ accept: [ticket({ from: query() })], records })
      expectRefusal(
        await knock(opened.guard, { target: `/?ticket=${await freshTicket(opened)}` }),
        'internal',
      )
      expect(opened.guard.leases()).toEqual([])
    }
  })

  test('when the journal throws', async () => {
    const opened = everyDoor({ journal: { record: thrower } })
    expectRefusal(await knock(opened.guard, { host: 'evil.example' }), 'wrong_host')
  })

  test('when the clock of the first step fails', () => {
    const platform = nodePlatform()
    const guard = createGuard({ records: memory(), accept: [ticket({ from: query() })], platform })
    platform.clock.now = thrower
    expect(() => guard.knock(handshakeOf())).not.toThrow()
  })
})

describe('the journal', () => {
  test('hears who was accepted, who was refused and why, and who ended', async () => {
    const opened = everyDoor()
    const target = `/?ticket=${await freshTicket(opened)}`
    opened.journal.length = 0
    const { lease } = expectAcceptance(await knock(opened.guard, { target }), 'alice')
    lease.leave()
    await knock(opened.guard, { target, origin: pageOrigin })
    expect(opened.journal).toMatchObject([
      { kind: 'accepted', method: 'ticket', subject: 'alice', lease: lease.id, remoteAddress: '127.0.0.1' },
      { kind: 'ended', subject: 'alice', lease: lease.id, reason: undefined },
      { kind: 'refused', reason: 'invalid_credential', origin: pageOrigin },
    ])
  })

  test('hears a decision that falls after the first message', async () => {
    const opened = everyDoor()
    const turn = await knockAndListen(opened.guard)
    expect(opened.journal).toEqual([])
    await say(opened, turn, 'cst_wrong')
    expect(opened.journal).toMatchObject([{ kind: 'refused', reason: 'invalid_credential' }])
    expect(() => peerTurn({ kind: 'done', value: opened.guard.refusal(handshakeOf(), 'internal') })).toThrow(
      'decided',
    )
  })
})
