import { describe, expect, test } from 'vitest'
import { cookie, query, type Records } from '../../../packages/countersign/src/index.ts'
import { ticket } from '../../../packages/countersign/src/methods/index.ts'
import { memory } from '../../../packages/countersign/src/stores/memory.ts'
import { expectAcceptance, expectRefusal, knock, openGuard, wrapped, type Opened } from '../support/guard.ts'

/** An issuer and everything that it writes. */
function issuer(): Opened & { readonly written: unknown[] } {
  const written: unknown[] = []
  const store: Records = memory()
  const records: Records = {
    ...Object.fromEntries(
      (['putTicket', 'putSession', 'putApiKey', 'putChallengeSecret'] as const).map((name) => [
        name,
        (row: never) => {
          written.push(row)
          return store[name](row)
        },
      ]),
    ),
    findSession: (key) => store.findSession(key),
  } as Records
  return { ...openGuard({ accept: [ticket({ from: query() })], audience: 'chat', records }), written }
}

const forAlice = { subject: 'alice', roles: ['member'] }
const minute = 60_000

describe('issuing', () => {
  test('a ticket: 30 s, single-use, for the audience of the guard, with the lease that it will open', async () => {
    const { guard, clock, written } = issuer()
    const issued = await guard.issue.ticket(forAlice)
    expect(issued.ticket).toMatch(/^cst_[\w-]{43}$/)
    expect(issued.expiresAtMs).toBe(clock.now() + 30_000)
    expect(written).toEqual([
      {
        key: expect.stringMatching(/^[\w-]{43}$/) as string,
        id: issued.id,
        purpose: 'connect',
        subject: 'alice',
        roles: ['member'],
        session: undefined,
        audience: 'chat',
        origin: undefined,
        sessionKey: undefined,
        lease: issued.lease,
        leaseUntilMs: clock.now() + 15 * minute,
        issuedAtMs: clock.now(),
        expiresAtMs: clock.now() + 30_000,
      },
    ])
  })

  test('a ticket with everything said', async () => {
    const { guard, clock, written } = issuer()
    await guard.issue.ticket({
      subject: 'bob',
      session: 's',
      audience: 'D3',
      purpose: 'frame',
      origin: 'https://a.example',
      ttlMs: 1_000,
      leaseMs: 5_000,
    })
    expect(written[0]).toMatchObject({
      subject: 'bob',
      roles: [],
      session: 's',
      audience: 'D3',
      purpose: 'frame',
      origin: 'https://a.example',
      expiresAtMs: clock.now() + 1_000,
      leaseUntilMs: clock.now() + 5_000,
    })
  })

  test.each([
    ['login', 'css_'],
    ['frame', 'css_'],
    ['alias', 'csa_'],
    ['preauth', 'csp_'],
  ] as const)('a session for %s, told apart by its prefix', async (purpose, prefix) => {
    const { guard, written } = issuer()
    const { session } = await guard.issue.session({ ...forAlice, purpose, session: 'parent' })
    expect(session.startsWith(prefix)).toBe(true)
    expect(written[0]).toMatchObject({ purpose, root: 'parent', idleMs: Infinity })
  })

  test('a login session is its own root', async () => {
    const { guard, clock, written } = issuer()
    const { id } = await guard.issue.session({ ...forAlice, idleMs: minute })
    expect(written[0]).toMatchObject({
      id,
      root: id,
      purpose: 'login',
      idleMs: minute,
      lastSeenMs: clock.now(),
    })
  })

  test('an API key with scopes, which may live for ever', async () => {
    const { guard, written } = issuer()
    const { key } = await guard.issue.apiKey({ ...forAlice, name: 'robot' })
    expect(key).toMatch(/^csk_/)
    expect(written[0]).toMatchObject({ name: 'robot', scopes: ['connect'], expiresAtMs: Infinity })
    await guard.issue.apiKey({ ...forAlice, name: 'robot', scopes: ['issue'], ttlMs: 5 })
    expect(written[1]).toMatchObject({ scopes: ['issue'] })
  })

  test('a challenge secret: plain as it is, salted as what PBKDF2 makes of it', async () => {
    const { guard, written } = issuer()
    const { authid, secret } = await guard.issue.challengeSecret(forAlice)
    expect(authid).toHaveLength(22)
    expect(secret).toHaveLength(43)
    expect(written[0]).toMatchObject({ authid, secret, salting: undefined, uses: 'session' })
    const salting = { salt: 'salt123', iterations: 100, keylen: 16 }
    await guard.issue.challengeSecret({
      ...forAlice,
      authid: 'peter',
      secret: 'secret1',
      salting,
      uses: 'one',
    })
    expect(written[1]).toMatchObject({
      authid: 'peter',
      secret: 'prq7+YkJ1/KlW1X0YczMHw==',
      salting,
      uses: 'one',
    })
  })

  test('keeps no secret at rest but the challenge secret, which the protocol needs in clear', async () => {
    const { guard, written, journal } = issuer()
    const { ticket: one } = await guard.issue.ticket(forAlice)
    const { session: two } = await guard.issue.session(forAlice)
    const { key: three } = await guard.issue.apiKey({ ...forAlice, name: 'n' })
    const { cookie: four, csrf: five } = await guard.issue.preauth(forAlice)
    const kept = JSON.stringify([written, journal])
    for (const secret of [one, two, three, four, five]) {
      expect(kept).not.toContain(secret)
      expect(kept).not.toContain(secret.slice(4))
    }
  })

  test('is journalled by kind and subject', async () => {
    const { guard, journal } = issuer()
    await guard.issue.ticket(forAlice)
    await guard.issue.preauth(forAlice)
    await guard.issue.challengeSecret(forAlice)
    await guard.issue.apiKey({ ...forAlice, name: 'n' })
    expect(journal.map((entry) => `${entry.kind} ${entry.detail ?? ''} ${entry.subject ?? ''}`)).toEqual([
      'issued ticket alice',
      'issued preauth alice',
      'issued preauth alice',
      'issued challenge_secret alice',
      'issued api_key alice',
    ])
  })

  test('has no two secrets alike', async () => {
    const { guard } = issuer()
    const all = await Promise.all(Array.from({ length: 200 }, () => guard.issue.ticket(forAlice)))
    expect(new Set(all.flatMap((one) => [one.ticket, one.id])).size).toBe(400)
  })

  test('names the lease that a ticket opens as the ticket itself', async () => {
    const { guard } = issuer()
    const { id, lease } = await guard.issue.ticket(forAlice)
    expect(lease).toBe(id)
  })
})

describe('the preauth cookie', () => {
  const login = { ...forAlice, session: 'login-1' }

  test('is kept for the same login, so that several tabs share it', async () => {
    const { guard } = issuer()
    const first = await guard.issue.preauth(login)
    const second = await guard.issue.preauth({ ...login, cookie: first.cookie })
    expect(second.cookie).toBe(first.cookie)
    expect(second.csrf).not.toBe(first.csrf)
  })

  test.each([
    ['another login', { ...login, session: 'login-2' }],
    ['another subject', { ...login, subject: 'mallory' }],
    ['no login', { ...forAlice }],
  ])('is not kept for %s', async (_who, other) => {
    const { guard } = issuer()
    const first = await guard.issue.preauth(login)
    expect((await guard.issue.preauth({ ...other, cookie: first.cookie })).cookie).not.toBe(first.cookie)
  })

  test('of a subject without a login is its own root, hence not kept', async () => {
    const { guard } = issuer()
    const first = await guard.issue.preauth(forAlice)
    const second = await guard.issue.preauth({ ...forAlice, cookie: first.cookie })
    expect(second.cookie).toBe(first.cookie)
  })

  test('is not kept when it would end before the token that is bound to it', async () => {
    const { guard, clock } = issuer()
    const first = await guard.issue.preauth(login)
    clock.advance(15 * minute - 30_000)
    expect((await guard.issue.preauth({ ...login, cookie: first.cookie })).cookie).not.toBe(first.cookie)
  })

  test('is not kept when it is something else', async () => {
    const { guard } = issuer()
    const { session } = await guard.issue.session(forAlice)
    expect((await guard.issue.preauth({ ...login, cookie: session })).cookie).not.toBe(session)
    expect((await guard.issue.preauth({ ...login, cookie: 'made up' })).cookie).not.toBe('made up')
  })
})

describe('issuing refuses', () => {
  const { guard } = openGuard({ accept: [ticket({ from: cookie('c') })] })

  test.each([
    ['nobody', () => guard.issue.ticket({ subject: '' })],
    ['a subject without end', () => guard.issue.session({ subject: 'x'.repeat(257) })],
    ['a ticket of more than 30 s', () => guard.issue.ticket({ subject: 'a', ttlMs: 30_001 })],
    ['a life of nothing', () => guard.issue.ticket({ subject: 'a', ttlMs: 0 })],
    ['a negative life', () => guard.issue.session({ subject: 'a', ttlMs: -1 })],
    ['an infinite session', () => guard.issue.session({ subject: 'a', ttlMs: Infinity })],
    ['a lease that is no number', () => guard.issue.ticket({ subject: 'a', leaseMs: NaN })],
    ['an idle time that is no number', () => guard.issue.session({ subject: 'a', idleMs: NaN })],
    ['a key that expires before it lives', () => guard.issue.apiKey({ subject: 'a', name: 'n', ttlMs: -5 })],
    ['an empty name', () => guard.issue.challengeSecret({ subject: 'a', authid: '' })],
    ['a name without end', () => guard.issue.challengeSecret({ subject: 'a', authid: 'x'.repeat(257) })],
    ['an empty secret', () => guard.issue.challengeSecret({ subject: 'a', secret: '' })],
    ...(
      [
        { salt: '', iterations: 1, keylen: 1 },
        { salt: 's', iterations: 0, keylen: 1 },
        { salt: 's', iterations: 1.5, keylen: 1 },
        { salt: 's', iterations: 1e9, keylen: 1 },
        { salt: 's', iterations: 1, keylen: 0 },
        { salt: 's', iterations: 1, keylen: 257 },
      ] as const
    ).map(
      (salting) =>
        [
          `a salting of ${JSON.stringify(salting)}`,
          () => guard.issue.challengeSecret({ subject: 'a', salting }),
        ] as const,
    ),
  ] as const)('%s', async (_what, issue) => {
    await expect(issue()).rejects.toThrow(expect.objectContaining({ code: 'invalid_option' }) as Error)
  })

  test('to say that something was issued when the store has failed', async () => {
    const failing = openGuard({
      accept: [ticket({ from: query() })],
      records: wrapped(memory(), () => Promise.reject(new Error('disk'))),
    })
    await expect(failing.guard.issue.ticket({ subject: 'a' })).rejects.toThrow('disk')
    expect(failing.journal).toEqual([])
  })
})

describe('what is issued to someone who was revoked meanwhile', () => {
  test.each([
    [
      'a ticket',
      'putTicket',
      (o: Opened, provedAtMs: number) => o.guard.issue.ticket({ subject: 'alice', provedAtMs }),
    ],
    [
      'a session',
      'putSession',
      (o: Opened, provedAtMs: number) => o.guard.issue.session({ subject: 'alice', provedAtMs }),
    ],
    [
      'a preauth pair',
      'putSession',
      (o: Opened, provedAtMs: number) => o.guard.issue.preauth({ subject: 'alice', provedAtMs }),
    ],
    [
      'a challenge secret',
      'putChallengeSecret',
      (o: Opened, provedAtMs: number) => o.guard.issue.challengeSecret({ subject: 'alice', provedAtMs }),
    ],
  ] as const)('%s is no younger than the proof', async (_what, name, issue) => {
    const opened = issuer()
    const provedAtMs = opened.clock.now()
    opened.clock.advance(5)
    await issue(opened, provedAtMs)
    expect(opened.calls).toContain(name)
    for (const row of opened.written) expect(row).toMatchObject({ issuedAtMs: provedAtMs })
  })

  test('opens nothing', async () => {
    const opened = openGuard({ accept: [ticket({ from: query() })] })
    const provedAtMs = opened.clock.now()
    opened.clock.advance(5)
    await opened.guard.revoke({ subject: 'alice' })
    opened.clock.advance(5)
    const { ticket: late } = await opened.guard.issue.ticket({ subject: 'alice', provedAtMs })
    expectRefusal(await knock(opened.guard, { target: `/?ticket=${late}` }), 'invalid_credential')
    const { ticket: fresh } = await opened.guard.issue.ticket({ subject: 'alice' })
    expectAcceptance(await knock(opened.guard, { target: `/?ticket=${fresh}` }), 'alice')
  })

  test('is not made younger by a proof that lies in the future', async () => {
    const opened = issuer()
    await opened.guard.issue.ticket({ subject: 'alice', provedAtMs: opened.clock.now() + 1_000 })
    expect(opened.written[0]).toMatchObject({ issuedAtMs: opened.clock.now() })
  })
})
