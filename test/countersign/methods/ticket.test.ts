import { describe, expect, test } from 'vitest'
import { query } from '../../../packages/countersign/src/index.ts'
import { ticket } from '../../../packages/countersign/src/methods/index.ts'
import type { Reason } from '../../../packages/countersign/src/core/reasons.ts'
import type { TicketRow } from '../../../packages/countersign/src/core/records.ts'
import {
  basic,
  converse,
  hello,
  noon,
  recognised,
  shown,
  ticketRow,
  token,
  type Exchange,
} from '../support/conversation.ts'
import {
  expectAcceptance,
  expectRefusal,
  handshakeOf,
  knock,
  openGuard,
  pageOrigin,
} from '../support/guard.ts'

const method = ticket({ from: query() })

const taken = (row: TicketRow | undefined): readonly Exchange[] => [
  [{ kind: 'hash', text: 'cst_1' }, 'hashed'],
  [{ kind: 'takeTicket', key: 'hashed' as TicketRow['key'] }, row],
]

const card = shown({ credential: token('cst_1') })

describe('the ticket method', () => {
  test('takes the row first and accepts what it says', () => {
    expect(converse(method.judge(card), ...taken(ticketRow()))).toEqual({
      kind: 'accept',
      principal: {
        id: 'alice',
        roles: ['member'],
        realm: undefined,
        method: 'ticket',
        provider: 'records',
        claims: {},
      },
      grant: {
        subject: 'alice',
        roles: ['member'],
        session: 'login-1',
        token: 'ticket-1',
        apiKey: undefined,
        certificate: undefined,
        issuedAtMs: noon - 1_000,
      },
      untilMs: noon + 900_000,
      neverAfterMs: Infinity,
      lease: 'lease-1',
    })
  })

  test.each<[string, TicketRow | undefined, Reason]>([
    ['nobody knows', undefined, 'invalid_credential'],
    ['is for another audience', ticketRow({ audience: 'D3' }), 'invalid_credential'],
    ['is for a frame', ticketRow({ purpose: 'frame' }), 'invalid_credential'],
    ['is a CSRF token', ticketRow({ purpose: 'csrf' }), 'invalid_credential'],
    ['is for another page', ticketRow({ origin: 'https://other.example' }), 'invalid_credential'],
    ['has expired this moment', ticketRow({ expiresAtMs: noon }), 'expired_credential'],
  ])('refuses a ticket that %s', (_what, row, reason) => {
    expect(converse(method.judge(card), ...taken(row))).toMatchObject({ kind: 'deny', reason })
  })

  test('accepts a ticket of this page', () => {
    const here = shown({ credential: token('cst_1'), handshake: handshakeOf({ origin: pageOrigin }) })
    expect(converse(method.judge(here), ...taken(ticketRow({ origin: pageOrigin })))).toMatchObject({
      kind: 'accept',
    })
  })

  test('may name an audience of its own', () => {
    const own = ticket({ from: query(), audience: 'D3' })
    expect(converse(own.judge(card), ...taken(ticketRow({ audience: 'D3' })))).toMatchObject({
      kind: 'accept',
    })
    expect(converse(own.judge(card), ...taken(ticketRow()))).toMatchObject({ kind: 'deny' })
  })

  test('recognises tickets by their prefix, in Basic as user name or as password of the user token', () => {
    expect(
      recognised(method, {
        token: token('cst_1'),
        'other token': token('css_1'),
        'user name': basic('cst_1', ''),
        password: basic('token', 'cst_1'),
        'password of somebody': basic('alice', 'cst_1'),
        hello,
      }),
    ).toEqual(['token', 'user name', 'password'])
  })

  test('judges what it does not recognise as unknown', () => {
    expect(
      converse(
        method.judge(shown({ credential: hello })),
        [{ kind: 'hash', text: '' }, 'h'],
        [{ kind: 'takeTicket' }, undefined],
      ),
    ).toMatchObject({ kind: 'deny', reason: 'invalid_credential' })
  })
})

describe('a ticket', () => {
  test('opens one door once', async () => {
    const { guard } = openGuard({ accept: [method] })
    const { ticket: text } = await guard.issue.ticket({ subject: 'alice' })
    expectAcceptance(await knock(guard, { target: `/?ticket=${text}` }), 'alice')
    expectRefusal(await knock(guard, { target: `/?ticket=${text}` }), 'invalid_credential')
  })

  test('presented fifty times at once opens one door', async () => {
    const { guard } = openGuard({ accept: [method] })
    const { ticket: text } = await guard.issue.ticket({ subject: 'alice' })
    const all = await Promise.all(
      Array.from({ length: 50 }, () => knock(guard, { target: `/?ticket=${text}` })),
    )
    expect(all.filter((one) => one.kind === 'accepted')).toHaveLength(1)
  })

  test('is spent by a presentation at the wrong door', async () => {
    const opened = openGuard({ accept: [method] })
    const { ticket: text } = await opened.guard.issue.ticket({ subject: 'alice', audience: 'elsewhere' })
    expectRefusal(await knock(opened.guard, { target: `/?ticket=${text}` }), 'invalid_credential')
    expect(opened.calls.at(-1)).toBe('takeTicket')
  })

  test('is over after its time', async () => {
    const { guard, clock } = openGuard({ accept: [method] })
    const { ticket: text } = await guard.issue.ticket({ subject: 'alice', ttlMs: 5_000 })
    clock.advance(5_000)
    expectRefusal(await knock(guard, { target: `/?ticket=${text}` }), 'expired_credential')
  })
})
