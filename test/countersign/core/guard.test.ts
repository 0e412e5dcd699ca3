import { describe, expect, test } from 'vitest'
import {
  authorization,
  cookie,
  firstMessage,
  memory,
  query,
  tls,
  wampBearer,
  wampHello,
  type Guard,
  type Mark,
  type Method,
  type Records,
  type RevokeOptions,
} from '../../../packages/countersign/src/index.ts'
import {
  accounts,
  certificate,
  cryptosign,
  cryptosignPrincipals,
  password,
  secondFactor,
  session,
  ticket,
  ticketPrincipals,
  wampTicket,
} from '../../../packages/countersign/src/methods/index.ts'
import type { Decision } from '../../../packages/countersign/src/core/knock.ts'
import { certificateOf } from '../support/certificates.ts'
import {
  expectAcceptance,
  expectRefusal,
  handshakeOf,
  knock,
  knockAndListen,
  openGuard,
  pageOrigin,
  plainPasswords,
  say,
  wrapped,
  type Opened,
} from '../support/guard.ts'

type TicketOptions = Parameters<Guard['issue']['ticket']>[0]

const twoDoors = (): Opened =>
  openGuard({
    accept: [ticket({ from: [query('ticket'), firstMessage()] }), session({ from: cookie('sid') })],
  })

async function ticketAt(opened: Opened, options: Partial<TicketOptions> = {}): Promise<string> {
  return `/?ticket=${(await opened.guard.issue.ticket({ subject: 'alice', ...options })).ticket}`
}

/** An open lease of alice, by ticket. */
async function openLease(
  opened: Opened,
  options: Partial<TicketOptions> = {},
): Promise<ReturnType<typeof expectAcceptance>['lease']> {
  const { lease } = expectAcceptance(
    await knock(opened.guard, { target: await ticketAt(opened, options) }),
    'alice',
  )
  lease.open()
  return lease
}

describe('a guard', () => {
  test.each([
    ['cookie:sid', () => session({ from: cookie('sid') })],
    ['tls', () => certificate({ from: tls(), subjects: () => undefined })],
  ])('does not accept %s without a rule about Origins', (_key, method) => {
    expect(() => openGuard({ accept: [method()], origins: undefined as never })).toThrow('origins')
  })

  test.each(['', 'naïve', 'a\r\nb', 'x'.repeat(129)])('cannot be called %j', (name) => {
    expect(() => openGuard({ accept: [ticket({ from: query() })], name })).toThrow('name')
  })

  test('refuses every present Origin when it knows none', async () => {
    const opened = openGuard({ accept: [ticket({ from: query() })], origins: undefined as never })
    expectRefusal(await knock(opened.guard, { origin: pageOrigin }), 'forbidden_origin')
  })

  test('says what adapters must hide', () => {
    expect(twoDoors().guard.hiding).toEqual({
      query: ['ticket'],
      paths: [],
      cookies: ['sid'],
      headers: [],
      subprotocols: false,
    })
  })
})

describe('the end of a lease', () => {
  test('is no later than the credential says, and brought forward by at most the jitter', async () => {
    const opened = twoDoors()
    for (let at = 0; at < 50; at++) {
      const { untilMs, grantedAtMs } = await openLease(opened, { leaseMs: 100_000 })
      expect(untilMs - grantedAtMs).toBeLessThanOrEqual(100_000)
      expect(untilMs - grantedAtMs).toBeGreaterThan(90_000)
    }
    const ends = opened.guard.leases().map((lease) => lease.untilMs)
    expect(new Set(ends).size).toBeGreaterThan(10)
  })

  test('is no later than the longest life of the guard', async () => {
    const opened = openGuard({
      accept: [ticket({ from: query('ticket') })],
      limits: { maxLeaseMs: 1_000, jitter: 0 },
    })
    const lease = await openLease(opened)
    expect(lease.untilMs).toBe(opened.clock.now() + 1_000)
    opened.clock.advance(1_000 + 500)
    expect(lease.reason).toBe('lease_expired')
  })

  test('carries the id that was promised with the ticket', async () => {
    const opened = twoDoors()
    const issued = await opened.guard.issue.ticket({ subject: 'alice' })
    const decision = await knock(opened.guard, { target: `/?ticket=${issued.ticket}` })
    expect(expectAcceptance(decision, 'alice').lease.id).toBe(issued.lease)
  })
})

describe('refreshing a lease', () => {
  test('takes a fresh credential of the same subject; roles may change', async () => {
    const opened = twoDoors()
    const lease = await openLease(opened, { leaseMs: 60_000 })
    const fresh = handshakeOf({ target: await ticketAt(opened, { roles: ['admin'], leaseMs: 500_000 }) })
    expect(await opened.guard.refresh(lease.id, fresh)).toBeUndefined()
    expect(lease.untilMs).toBe(opened.clock.now() + 500_000)
    expect(lease.principal).toMatchObject({ id: 'alice', roles: ['admin'] })
  })

  test('takes a fresh first message where the guard awaits one', async () => {
    const opened = twoDoors()
    const lease = await openLease(opened, { leaseMs: 60_000 })
    const { ticket: text } = await opened.guard.issue.ticket({ subject: 'alice', leaseMs: 500_000 })
    const message = JSON.stringify({ type: 'auth', token: text })
    expect(await opened.guard.refresh(lease.id, handshakeOf(), message)).toBeUndefined()
    expect(lease.untilMs).toBe(opened.clock.now() + 500_000)
    expect(await opened.guard.refresh(lease.id, handshakeOf(), message)).toBe('invalid_credential')
  })

  test('of nobody spends no ticket', async () => {
    const opened = twoDoors()
    const target = await ticketAt(opened)
    expect(await opened.guard.refresh('unknown', handshakeOf({ target }))).toBe('forbidden')
    expectAcceptance(await knock(opened.guard, { target }), 'alice')
  })

  test.each<[string, string, (opened: Opened) => Promise<Parameters<typeof handshakeOf>[0]>]>([
    [
      'forbidden',
      'another subject',
      async (opened) => ({ target: await ticketAt(opened, { subject: 'bob' }) }),
    ],
    [
      'forbidden',
      'another method',
      async (opened) => ({
        origin: pageOrigin,
        cookie: `sid=${(await opened.guard.issue.session({ subject: 'alice' })).session}`,
      }),
    ],
    ['invalid_credential', 'a wrong credential', async () => ({ target: '/?ticket=cst_wrong' })],
    ['invalid_credential', 'a broken credential', async () => ({ target: '/?ticket=%' })],
    ['missing_credential', 'no credential', async () => ({})],
    [
      'forbidden_origin',
      'a foreign page',
      async (opened) => ({ target: await ticketAt(opened), origin: 'https://evil.example' }),
    ],
    [
      'insecure_transport',
      'cleartext off loopback',
      async (opened) => ({ target: await ticketAt(opened), remoteAddress: '192.0.2.1' }),
    ],
  ])('is %s for %s, and leaves the lease as it was', async (reason, _what, facts) => {
    const opened = twoDoors()
    const lease = await openLease(opened)
    const before = lease.untilMs
    expect(await opened.guard.refresh(lease.id, handshakeOf(await facts(opened)))).toBe(reason)
    expect(lease).toMatchObject({ untilMs: before, ended: false })
  })

  test('by a method that would talk is refused', async () => {
    const opened = openGuard({
      accept: [
        ticket({ from: query('ticket') }),
        {
          ...ticket({ from: query('other') }),
          *judge() {
            yield { kind: 'hear', say: undefined }
            throw new Error('unreachable')
          },
        },
      ],
    })
    const lease = await openLease(opened)
    expect(await opened.guard.refresh(lease.id, handshakeOf({ target: '/?other=cst_1' }))).toBe(
      'missing_credential',
    )
  })

  test('with a credential that was revoked is refused', async () => {
    const opened = twoDoors()
    const lease = await openLease(opened)
    const issued = await opened.guard.issue.ticket({ subject: 'alice', session: 'dead' })
    await opened.guard.revoke({ session: 'dead' })
    expect(await opened.guard.refresh(lease.id, handshakeOf({ target: `/?ticket=${issued.ticket}` }))).toBe(
      'revoked',
    )
    expect(lease.ended).toBe(false)
  })

  test('is final for a lease that ends meanwhile', async () => {
    const opened = twoDoors()
    const lease = await openLease(opened)
    const fresh = handshakeOf({ target: await ticketAt(opened) })
    const answer = opened.guard.refresh(lease.id, fresh)
    lease.apply({ kind: 'ended', reason: 'superseded' }, opened.clock.now())
    expect(await answer).toBe('superseded')
    expect(await opened.guard.refresh(lease.id, fresh)).toBe('forbidden')
  })

  test('is final for a lease whose socket leaves meanwhile', async () => {
    const opened = twoDoors()
    const lease = await openLease(opened)
    const answer = opened.guard.refresh(lease.id, handshakeOf({ target: await ticketAt(opened) }))
    lease.leave()
    expect(await answer).toBe('forbidden')
  })

  test.each(['takeTicket', 'findMark'])('is refused with internal when %s fails', async (name) => {
    let failing = false
    const records: Records = wrapped(memory(), (called, call) => {
      if (failing && called === name) throw new Error('disk')
      return call()
    })
    const opened = openGuard({ accept: [ticket({ from: query('ticket') })], records })
    const lease = await openLease(opened)
    const fresh = handshakeOf({ target: await ticketAt(opened) })
    failing = true
    expect(await opened.guard.refresh(lease.id, fresh)).toBe('internal')
    expect(lease.ended).toBe(false)
  })

  test('never passes the end of the certificate that is shown', async () => {
    const opened = openGuard({
      accept: [certificate({ from: tls(), subjects: () => ({ subject: 'alice', roles: [] }) })],
      limits: { jitter: 0, graceMs: 25_000 },
    })
    const at = (lifeMs: number): ReturnType<typeof handshakeOf> =>
      handshakeOf({ secure: true, certificate: certificateOf({ notAfterMs: opened.clock.now() + lifeMs }) })
    const { lease } = expectAcceptance(await knock(opened.guard, at(60_000)), 'alice')
    lease.open()
    expect(await opened.guard.refresh(lease.id, at(50_000))).toBeUndefined()
    opened.clock.advance(50_000 + 500)
    expect(lease.reason).toBe('lease_expired')
  })
})

describe('revoking', () => {
  test.each<[RevokeOptions, Mark['kind']]>([
    [{ subject: 'alice' }, 'subject'],
    [{ session: 's1' }, 'session'],
    [{ role: 'member' }, 'role'],
    [{ address: '127.0.0.0/8' }, 'address'],
    [{ issuedBefore: Number.MAX_SAFE_INTEGER }, 'issuedBefore'],
  ])('by %j ends the lease and is remembered', async (options, kind) => {
    const opened = twoDoors()
    const facts = { session: 's1', roles: ['member'] }
    const lease = await openLease(opened, facts)
    const unused = await ticketAt(opened, facts)
    await opened.guard.revoke(options)
    expect(lease).toMatchObject({ ended: true, reason: 'revoked' })
    expectRefusal(await knock(opened.guard, { target: unused }), 'invalid_credential')
    expect(opened.journal).toContainEqual(expect.objectContaining({ kind: 'revoked', detail: kind }))
    opened.clock.advance(1)
    await openLease(opened, { session: 's2', roles: [] })
  })

  test('by token and by lease ends exactly one', async () => {
    const opened = twoDoors()
    const [one, two, three] = [await openLease(opened), await openLease(opened), await openLease(opened)]
    await opened.guard.revoke({ token: one.grant.token ?? '' })
    await opened.guard.revoke({ lease: two.id }, 'logged_out')
    expect([one.reason, two.reason, three.reason]).toEqual(['revoked', 'logged_out', undefined])
  })

  test('by session ends the session itself and by API key the key', async () => {
    const opened = twoDoors()
    const { session: sid, id } = await opened.guard.issue.session({ subject: 'alice' })
    await opened.guard.revoke({ session: id }, 'logged_out')
    expectRefusal(
      await knock(opened.guard, { cookie: `sid=${sid}`, origin: pageOrigin }),
      'invalid_credential',
    )
    const key = await opened.guard.issue.apiKey({ subject: 'robot', name: 'robot' })
    await opened.guard.revoke({ apiKey: key.id })
    expect(await opened.records.listApiKeys()).toEqual([])
  })

  test('reaches every guard of the same records', async () => {
    const records = memory()
    const open = (): Opened => openGuard({ accept: [ticket({ from: query('ticket') })], records, bus: bus })
    const { localBus } = await import('../../../packages/countersign/src/index.ts')
    const bus = localBus()
    const [here, there] = [open(), open()]
    const lease = await openLease(there)
    await here.guard.revoke({ subject: 'alice' })
    expect(lease.ended).toBe(true)
  })

  test.each([
    ['serial', '00:0A:ff', 'aff'],
    ['certificate', `AB:${'cd'.repeat(31)}`, `ab${'cd'.repeat(31)}`],
    ['address', '192.0.2.9/24', '192.0.2.0/24'],
  ])('by %s takes any spelling', async (kind, text, value) => {
    const opened = twoDoors()
    const marks: Mark[] = []
    const guard = openGuard({
      accept: [ticket({ from: query() })],
      records: wrapped(memory(), (_name, call) => call()),
      bus: { publish: (news) => void marks.push(news), subscribe: () => () => {} },
    }).guard
    // One of the members of the union, which the compiler cannot see through a table.
    await guard.revoke({ [kind]: text } as RevokeOptions)
    expect(marks).toEqual([expect.objectContaining({ kind, value, atMs: opened.clock.now() })])
  })

  test('spares what was issued later than it says', async () => {
    const opened = twoDoors()
    const older = await openLease(opened)
    const issuedBeforeMs = opened.clock.now()
    opened.clock.advance(1_000)
    const newer = await openLease(opened)
    await opened.guard.revoke({ subject: 'alice' }, 'logged_out', { issuedBeforeMs })
    expect([older.reason, newer.ended]).toEqual(['logged_out', false])
  })

  test('with a margin lets nobody in by the old credential, and spares who comes with a new one', async () => {
    const opened = twoDoors()
    const [renewed, lost] = [await openLease(opened), await openLease(opened)]
    const unused = await ticketAt(opened)
    await opened.guard.revoke({ subject: 'alice' }, 'revoked', { marginMs: 10_000 })
    expect([renewed.ended, lost.ended, lost.phase]).toEqual([false, false, 'due'])
    expect(await opened.guard.refresh(lost.id, handshakeOf({ target: unused }))).toBe('revoked')
    expectRefusal(await knock(opened.guard, { target: await ticketAt(opened) }), 'invalid_credential')
    opened.clock.advance(1)
    const fresh = handshakeOf({ target: await ticketAt(opened) })
    expect(await opened.guard.refresh(renewed.id, fresh)).toBeUndefined()
    opened.clock.advance(10_000)
    expect([renewed.ended, lost.reason]).toEqual([false, 'revoked'])
  })

  test('that another process has written is met by a look at the records', async () => {
    const records = memory()
    const deaf = { publish: () => {}, subscribe: () => () => {} }
    const open = (): Opened => openGuard({ accept: [ticket({ from: query('ticket') })], records, bus: deaf })
    const [here, there] = [open(), open()]
    const [hit, spared] = [await openLease(there, { session: 's' }), await openLease(there)]
    await here.guard.revoke({ session: 's' }, 'logged_out')
    expect(hit.ended).toBe(false)
    await there.guard.recheck()
    expect([hit.reason, spared.ended]).toEqual(['logged_out', false])
  })

  test.each([
    { marginMs: -1 },
    { marginMs: 3_600_001 },
    { marginMs: Number.NaN },
    { issuedBeforeMs: Number.NaN },
  ])('refuses the terms %j', async (terms) => {
    const opened = twoDoors()
    await expect(opened.guard.revoke({ subject: 'a' }, 'revoked', terms)).rejects.toThrow('revoke: ')
    expect(opened.calls).toEqual([])
  })

  test.each<unknown>([
    { address: 'localhost' },
    { address: '192.0.2.0/33' },
    { issuedBefore: '1' },
    {},
    { subject: '' },
    { subject: 7 },
    { nobody: 'a' },
    { subject: 'a', role: 'b' },
  ])('refuses %j', async (options) => {
    const opened = twoDoors()
    await expect(opened.guard.revoke(options as RevokeOptions)).rejects.toThrow('exactly one of')
    expect(opened.calls).toEqual([])
  })

  test('that the store does not take is not acknowledged', async () => {
    const opened = openGuard({
      accept: [ticket({ from: query() })],
      records: wrapped(memory(), () => Promise.reject(new Error('disk'))),
    })
    await expect(opened.guard.revoke({ subject: 'a' })).rejects.toThrow('disk')
  })

  test('ends sockets even when tidying up fails afterwards', async () => {
    const records: Records = wrapped(memory(), (name, call) => {
      if (name === 'endSessions') throw new Error('disk')
      return call()
    })
    const opened = openGuard({ accept: [ticket({ from: query('ticket') })], records })
    const lease = await openLease(opened, { session: 's' })
    await expect(opened.guard.revoke({ session: 's' })).rejects.toThrow('disk')
    expect(lease.reason).toBe('revoked')
  })
})

describe('closing a guard', () => {
  test('ends all leases and hears no more news', async () => {
    const opened = twoDoors()
    const lease = await openLease(opened)
    opened.guard.close()
    expect(lease.reason).toBe('shutting_down')
    expect(opened.guard.leases()).toEqual([])
    expect(opened.clock.timers).toBe(0)
    await opened.guard.revoke({ subject: 'alice' })
  })

  test('while a credential is judged refuses it, and says that it need not be replaced', async () => {
    const opened = twoDoors()
    const { ticket: text } = await opened.guard.issue.ticket({ subject: 'alice' })
    const turn = await knockAndListen(opened.guard)
    opened.guard.close()
    expectRefusal(await say(opened, turn, text), 'shutting_down')
    expect(opened.guard.leases()).toEqual([])
  })
})

describe('a method that judges passwords needs someone who can', () => {
  const joe = ticketPrincipals({ joe: { ticket: 'joe ticket' } })
  const code = cryptosign({ from: wampHello(), sources: [cryptosignPrincipals({})] })
  const open = (method: Method) => (): unknown =>
    openGuard({ accept: [method], passwords: undefined as never })

  test.each([
    ['HTTP Basic', password({ from: authorization('Basic') })],
    [
      'WAMP tickets, whose source is the accounts unless another is named',
      wampTicket({ from: wampBearer() }),
    ],
    ['WAMP tickets of accounts', wampTicket({ from: wampBearer(), sources: [joe, accounts()] })],
    ['a factor beside another one', secondFactor(wampTicket({ from: wampHello() }), code)],
  ])('%s', (_name, method) => {
    expect(open(method)).toThrow('passwords')
  })

  test.each([
    ['listed WAMP tickets', wampTicket({ from: wampBearer(), sources: [joe] })],
    ['signatures', code],
  ])('and %s do without', (_name, method) => {
    expect(open(method)).not.toThrow()
  })
})

describe('sources are counted by what one host commonly owns', () => {
  const { hash } = plainPasswords
  const guessing = async (): Promise<Opened> => {
    const opened = openGuard({
      accept: [password({ from: authorization('Basic') })],
      dangerouslyAllowCleartext: true,
    })
    await opened.records.putAccount({
      username: 'alice',
      roles: [],
      passwordHash: await hash('right'),
      disabled: false,
      changedAtMs: 0,
    })
    return opened
  }
  const guess = async (opened: Opened, remoteAddress: string, word = 'wrong'): Promise<Decision> =>
    knock(opened.guard, { remoteAddress, authorization: `Basic ${btoa(`alice:${word}`)}` })

  test('guessing from address after address of one /64 is slowed', async () => {
    const opened = await guessing()
    for (let at = 1; at <= 5; at++)
      expectRefusal(await guess(opened, `2001:db8:0:1::${at}`), 'invalid_credential')
    expectRefusal(await guess(opened, '2001:db8:0:1:ffff::9', 'right'), 'too_many_attempts')
    expectAcceptance(await guess(opened, '2001:db8:0:2::1', 'right'), 'alice')
  })

  test('so are handshakes', async () => {
    const opened = openGuard({ accept: [ticket({ from: query() })], limits: { handshakesPerSecond: 3 } })
    const statuses: string[] = []
    for (let at = 1; at <= 4; at++) {
      const decision = await knock(opened.guard, { remoteAddress: `2001:db8:0:1::${at}`, secure: true })
      statuses.push(decision.kind === 'refused' ? decision.reason : decision.kind)
    }
    expect(statuses).toEqual(['missing_credential', 'missing_credential', 'missing_credential', 'overloaded'])
  })

  test('and the journal keeps no more of an Origin than one can be long', async () => {
    const opened = openGuard({ accept: [ticket({ from: query() })] })
    await knock(opened.guard, { origin: `https://${'x'.repeat(15_000)}` })
    expect(opened.journal.at(-1)?.origin?.length).toBe(320)
  })
})
