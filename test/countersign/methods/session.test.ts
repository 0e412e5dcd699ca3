import { describe, expect, test } from 'vitest'
import { cookie, firstMessage, query } from '../../../packages/countersign/src/index.ts'
import { preauth, session } from '../../../packages/countersign/src/methods/index.ts'
import type { Handshake } from '../../../packages/countersign/src/core/handshake.ts'
import type { Reason } from '../../../packages/countersign/src/core/reasons.ts'
import type { SessionRow, TicketRow } from '../../../packages/countersign/src/core/records.ts'
import {
  converse,
  hello,
  noon,
  recognised,
  sessionRow,
  shown,
  ticketRow,
  token,
  type Exchange,
} from '../support/conversation.ts'
import {
  expectAcceptance,
  expectRefusal,
  knock,
  knockAndListen,
  openGuard,
  pageOrigin,
  say,
} from '../support/guard.ts'

const method = session({ from: cookie('sid') })
const card = shown({ credential: token('css_1') })

const found = (row: SessionRow | undefined): readonly Exchange[] => [
  [{ kind: 'hash', text: 'css_1' }, 'hashed'],
  [{ kind: 'findSession', key: 'hashed' as SessionRow['key'] }, row],
]

describe('the session method', () => {
  test('accepts a session, until it ends', () => {
    expect(converse(method.judge(card), ...found(sessionRow()))).toMatchObject({
      kind: 'accept',
      principal: { id: 'alice', method: 'session' },
      grant: { session: 'login-1', token: 'login-1', issuedAtMs: noon - 60_000 },
      untilMs: noon + 3_600_000,
      lease: undefined,
    })
  })

  test('notes at most once a minute that it is used', () => {
    expect(
      converse(method.judge(card), ...found(sessionRow({ lastSeenMs: noon - 60_000 })), [
        { kind: 'touchSession', key: 'hashed' as SessionRow['key'], now: noon },
        undefined,
      ]),
    ).toMatchObject({ kind: 'accept' })
  })

  test.each<[string, SessionRow | undefined, Reason]>([
    ['nobody knows', undefined, 'invalid_credential'],
    ['is an alias', sessionRow({ purpose: 'alias' }), 'invalid_credential'],
    ['is for another page', sessionRow({ origin: 'https://other.example' }), 'invalid_credential'],
    ['has ended this moment', sessionRow({ expiresAtMs: noon }), 'expired_credential'],
    ['has been silent too long', sessionRow({ idleMs: 999 }), 'expired_credential'],
  ])('refuses a session that %s', (_what, row, reason) => {
    expect(converse(method.judge(card), ...found(row))).toMatchObject({ kind: 'deny', reason })
  })

  test('accepts other kinds where they are named', () => {
    const aliases = session({ from: firstMessage(), purposes: ['alias'] })
    expect(converse(aliases.judge(card), ...found(sessionRow({ purpose: 'alias' })))).toMatchObject({
      kind: 'accept',
    })
    expect(converse(aliases.judge(card), ...found(sessionRow()))).toMatchObject({ kind: 'deny' })
  })

  test('recognises its own by their prefixes', () => {
    expect(
      recognised(method, {
        login: token('css_1'),
        alias: token('csa_1'),
        preauth: token('csp_1'),
        ticket: token('cst_1'),
        hello,
      }),
    ).toEqual(['login', 'alias', 'preauth'])
  })

  test('judges what it does not recognise as unknown', () => {
    expect(
      converse(
        method.judge(shown({ credential: hello })),
        [{ kind: 'hash', text: '' }, 'h'],
        [{ kind: 'findSession' }, undefined],
      ),
    ).toMatchObject({ kind: 'deny', reason: 'invalid_credential' })
  })
})

const csrf = (facts: Partial<TicketRow> = {}): TicketRow =>
  ticketRow({ purpose: 'csrf', sessionKey: 'hashed' as TicketRow['sessionKey'] & string, ...facts })

const proof = (row: TicketRow | undefined): readonly Exchange[] => [
  [{ kind: 'hash', text: 'csc_1' }, 'proofhash'],
  [{ kind: 'takeTicket', key: 'proofhash' as TicketRow['key'] }, row],
]

describe('the preauth method', () => {
  const both = preauth({ from: cookie('pre'), csrf: query('csrf') })
  const withProof = shown({ credential: token('css_1'), proof: 'csc_1' })
  const row = sessionRow({ purpose: 'preauth', id: 'pre-1' })

  test('accepts a cookie and a token that is bound to it and to its login', () => {
    expect(converse(both.judge(withProof), ...found(row), ...proof(csrf()))).toMatchObject({
      kind: 'accept',
      principal: { id: 'alice', method: 'preauth' },
      lease: 'lease-1',
    })
  })

  test('accepts a pair that descends from no login at all', () => {
    const alone = sessionRow({ purpose: 'preauth', id: 'pre-1', root: 'pre-1' })
    expect(
      converse(both.judge(withProof), ...found(alone), ...proof(csrf({ session: undefined }))),
    ).toMatchObject({ kind: 'accept' })
  })

  test.each<[string, TicketRow | undefined, Reason]>([
    ['is unknown or spent', undefined, 'invalid_credential'],
    ['is no CSRF token', csrf({ purpose: 'connect' }), 'invalid_credential'],
    ['is bound to another cookie', csrf({ sessionKey: 'other' as TicketRow['key'] }), 'invalid_credential'],
    ['is bound to another login', csrf({ session: 'login-2' }), 'invalid_credential'],
    ['is of another subject', csrf({ subject: 'mallory' }), 'invalid_credential'],
    ['has expired', csrf({ expiresAtMs: noon }), 'expired_credential'],
  ])('refuses a token that %s', (_what, ticketOf, reason) => {
    expect(converse(both.judge(withProof), ...found(row), ...proof(ticketOf))).toMatchObject({
      kind: 'deny',
      reason,
    })
  })

  test('refuses a cookie without a token, and spends none', () => {
    expect(converse(both.judge(card), ...found(row))).toMatchObject({
      kind: 'deny',
      reason: 'missing_credential',
    })
  })

  test.each<[string, SessionRow | undefined, Reason]>([
    ['nobody knows', undefined, 'invalid_credential'],
    ['is of a login', sessionRow(), 'invalid_credential'],
    ['is over', sessionRow({ purpose: 'preauth', expiresAtMs: noon }), 'expired_credential'],
  ])('refuses a cookie that %s before it spends a token', (_what, cookieRow, reason) => {
    expect(converse(both.judge(withProof), ...found(cookieRow))).toMatchObject({ kind: 'deny', reason })
  })

  test('recognises sessions only', () => {
    expect(recognised(both, { preauth: token('csp_1'), ticket: token('cst_1') })).toEqual(['preauth'])
  })
})

describe('preauth from end to end', () => {
  const open = (): ReturnType<typeof openGuard> =>
    openGuard({ accept: [preauth({ from: cookie('pre'), csrf: query('csrf') })] })
  const login = { subject: 'alice', session: 'login-1' }
  const facts = (pair: { readonly cookie: string; readonly csrf: string }): Partial<Handshake> => ({
    origin: pageOrigin,
    cookie: `pre=${pair.cookie}`,
    target: `/?csrf=${pair.csrf}`,
  })

  test('lets several tabs in at once, each with a token of its own, once', async () => {
    const { guard } = open()
    const one = await guard.issue.preauth(login)
    const two = await guard.issue.preauth({ ...login, cookie: one.cookie })
    const { lease } = expectAcceptance(await knock(guard, facts(two)), 'alice')
    expect(lease.id).toBe(two.lease)
    expectAcceptance(await knock(guard, facts(one)), 'alice')
    expectRefusal(await knock(guard, facts(one)), 'invalid_credential')
  })

  test('does not mix the pairs of two logins', async () => {
    const { guard } = open()
    const mine = await guard.issue.preauth(login)
    const theirs = await guard.issue.preauth({ subject: 'mallory', session: 'login-2' })
    expectRefusal(await knock(guard, facts({ cookie: mine.cookie, csrf: theirs.csrf })), 'invalid_credential')
    expectRefusal(await knock(guard, facts({ cookie: theirs.cookie, csrf: mine.csrf })), 'invalid_credential')
  })

  test('ends with its login', async () => {
    const { guard, clock } = open()
    const pair = await guard.issue.preauth(login)
    const next = await guard.issue.preauth({ ...login, cookie: pair.cookie })
    const { lease } = expectAcceptance(await knock(guard, facts(pair)), 'alice')
    await guard.revoke({ session: 'login-1' }, 'logged_out')
    expect(lease.reason).toBe('logged_out')
    clock.advance(1)
    expectRefusal(await knock(guard, facts(next)), 'invalid_credential')
  })

  test('wants a token that can be read', async () => {
    const { guard } = open()
    const pair = await guard.issue.preauth(login)
    expectRefusal(await knock(guard, { ...facts(pair), target: '/?csrf=%' }), 'missing_credential')
  })
})

describe('a session cookie with a CSRF token besides', () => {
  const open = (): ReturnType<typeof openGuard> =>
    openGuard({ accept: [session({ from: cookie('sid'), csrf: query('csrf') })] })

  test('is accepted with a token that was issued for this login, once', async () => {
    const { guard } = open()
    const { session: sid, id } = await guard.issue.session({ subject: 'alice' })
    const { csrf: text, lease: promised } = await guard.issue.preauth({ subject: 'alice', session: id })
    const facts = { origin: pageOrigin, cookie: `sid=${sid}`, target: `/?csrf=${text}` }
    const { lease } = expectAcceptance(await knock(guard, facts), 'alice')
    expect(lease.id).toBe(promised)
    expectRefusal(await knock(guard, facts), 'invalid_credential')
  })

  test('is refused with a token of another login, or with none', async () => {
    const { guard } = open()
    const { session: sid } = await guard.issue.session({ subject: 'alice' })
    const { csrf: text } = await guard.issue.preauth({ subject: 'alice', session: 'another' })
    const facts = { origin: pageOrigin, cookie: `sid=${sid}` }
    expectRefusal(await knock(guard, { ...facts, target: `/?csrf=${text}` }), 'invalid_credential')
    expectRefusal(await knock(guard, facts), 'missing_credential')
  })
})

test('an alias is good as first message where it is taken, and dead with its session', async () => {
  const opened = openGuard({
    accept: [session({ from: firstMessage(), purposes: ['alias'] }), session({ from: cookie('sid') })],
  })
  const { session: sid, id } = await opened.guard.issue.session({ subject: 'alice' })
  const { session: alias } = await opened.guard.issue.session({
    subject: 'alice',
    session: id,
    purpose: 'alias',
  })
  const tell = async (text: string): Promise<Awaited<ReturnType<typeof say>>> =>
    say(opened, await knockAndListen(opened.guard), text)
  expectAcceptance(await tell(alias), 'alice')
  expectRefusal(await tell(sid), 'invalid_credential')
  expectRefusal(
    await knock(opened.guard, { origin: pageOrigin, cookie: `sid=${alias}` }),
    'invalid_credential',
  )
  await opened.guard.revoke({ session: id }, 'logged_out')
  expectRefusal(await tell(alias), 'invalid_credential')
})
