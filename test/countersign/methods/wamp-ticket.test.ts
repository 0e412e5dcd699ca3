import { describe, expect, test } from 'vitest'
import { wampBearer } from '../../../packages/countersign/src/carriers/wamp.ts'
import { OutageError } from '../../../packages/countersign/src/core/errors.ts'
import type { Hash } from '../../../packages/countersign/src/core/records.ts'
import {
  accounts,
  functionAuthenticator,
  ticketPrincipals,
  wampTicket,
} from '../../../packages/countersign/src/methods/index.ts'
import { nodePlatform } from '../../../packages/countersign/src/platform/node.ts'
import { noon, recognised, hello, ticketRow, token } from '../support/conversation.ts'
import { expectAccepted, expectAlike, helloOf, stage, type Held, type Stage } from './wamp-support.ts'

const from = wampBearer()
const joe = ticketPrincipals({ joe: { ticket: 'secret!!!', role: 'frontend' } })
const listed = wampTicket({ from, sources: [joe] })
const denied = { verdict: { kind: 'deny', reason: 'invalid_credential' } }
const show = (text: string, authid = 'joe', method = listed, place: Stage = stage()): Promise<Held> =>
  place.hold(method, helloOf('ticket', { authid }), () => text)

async function withAccount(): Promise<Stage> {
  const place = stage()
  await place.records.putAccount({
    username: 'alice',
    roles: ['member'],
    passwordHash: 'pass',
    disabled: false,
    changedAtMs: 0,
  })
  await place.records.putAccount({
    username: 'bob',
    roles: ['member'],
    passwordHash: 'pass',
    disabled: true,
    changedAtMs: 0,
  })
  return place
}

describe('a listed ticket', () => {
  test('lets its principal in', async () => {
    const held = await show('secret!!!')
    expect(held.challenges).toEqual([{ method: 'ticket', extra: {} }])
    expect(expectAccepted(held).principal).toMatchObject({ id: 'joe', roles: ['frontend'], method: 'ticket' })
    expect(JSON.stringify(held.verdict)).not.toContain('secret')
  })

  test.each([
    ['secret!!', 'joe'],
    ['', 'joe'],
    ['x'.repeat(20_000), 'joe'],
    ['secret!!!', 'jane'],
    ['x'.repeat(32), 'jane'],
  ])('is not %j of %s', async (text, authid) => {
    expect(await show(text, authid)).toMatchObject(denied)
  })

  test('that is wrong cannot be told from a name that nobody has', async () => {
    expectAlike(await show('wrong'), await show('wrong', 'jane'))
    const both = wampTicket({ from, sources: [joe, accounts()] })
    expectAlike(await show('wrong', 'joe', both), await show('wrong', 'jane', both))
  })

  test('of a principal without a role gives the default one', async () => {
    const sources = [ticketPrincipals({ joe: { ticket: 't', authid: 'Joe' } })]
    const held = await show('t', 'joe', wampTicket({ from, sources, defaultRole: 'd' }))
    expect(expectAccepted(held).principal).toMatchObject({ id: 'Joe', roles: ['d'] })
  })

  test('that is empty is refused as an option', () => {
    expect(() => ticketPrincipals({ joe: { ticket: '' } })).toThrow('empty')
  })

  test('is asked for only where a name was given', async () => {
    const held = await stage().hold(listed, helloOf('ticket', { authid: undefined }))
    expect(held).toMatchObject({ verdict: { reason: 'missing_credential' }, asked: [] })
  })
})

describe('guessing', () => {
  test('has to wait, for names that exist and for others alike, before anything is asked', async () => {
    const place = stage()
    for (const authid of ['joe', 'jane']) {
      for (let at = 0; at < 5; at++) expect(await show('wrong', authid, listed, place)).toMatchObject(denied)
      expect(await show('secret!!!', authid, listed, place)).toMatchObject({
        verdict: { reason: 'too_many_attempts', retryAfterMs: 1_000 },
        asked: ['attempt'],
      })
    }
  })
})

test('many guesses at once show the outcome of five, and of no right one among the others', async () => {
  const place = stage()
  const tickets = [...Array<string>(7).fill('wrong'), 'secret!!!']
  const held = await Promise.all(tickets.map((ticket) => show(ticket, 'joe', listed, place)))
  expect(held.map(({ verdict }) => ('reason' in verdict ? verdict.reason : verdict.kind))).toEqual([
    ...Array<string>(5).fill('invalid_credential'),
    ...Array<string>(3).fill('too_many_attempts'),
  ])
})

describe('the password of an account', () => {
  const method = wampTicket({ from })

  test('is a ticket, under the name in any of its forms', async () => {
    const place = await withAccount()
    for (const authid of ['alice', 'ALICE']) {
      const { principal } = expectAccepted(await show('pass', authid, method, place))
      expect(principal).toMatchObject({
        id: 'alice',
        roles: ['member'],
        provider: 'accounts',
        claims: { authid: 'alice' },
      })
    }
  })

  test('that is wrong, of nobody, or of a disabled account cannot be told apart', async () => {
    const place = await withAccount()
    const wrong = await show('wrong', 'alice', method, place)
    expect(wrong).toMatchObject(denied)
    expectAlike(wrong, await show('pass', 'nobody', method, place))
    expectAlike(wrong, await show('pass', 'bob', method, place))
  })

  test('that cannot be judged now is an outage', async () => {
    const busy = method.judge({
      credential: helloOf('ticket'),
      proof: undefined,
      handshake: { remoteAddress: '127.0.0.1' } as never,
      audience: 'chat',
      now: noon,
    })
    busy.next()
    busy.next(0)
    busy.next({ text: 'pass', now: noon })
    busy.next(undefined)
    expect(() => busy.next('busy')).toThrow(OutageError)
  })
})

describe('a ticket of this server', () => {
  const key = nodePlatform().hash('cst_secret') as Hash
  const method = wampTicket({ from })

  test('opens once, for its own subject, with the lease that was promised', async () => {
    const place = stage()
    await place.records.putTicket(ticketRow({ key }))
    const { principal, lease, grant, untilMs } = expectAccepted(
      await show('cst_secret', 'alice', method, place),
    )
    expect(principal).toMatchObject({ id: 'alice', roles: ['member'], provider: 'records' })
    expect({ lease, token: grant.token, untilMs }).toEqual({
      lease: 'lease-1',
      token: 'ticket-1',
      untilMs: noon + 900_000,
    })
    expect(await show('cst_secret', 'alice', method, place)).toMatchObject(denied)
  })

  test.each([
    ['for another subject', { subject: 'bob' }],
    ['for another audience', { audience: 'shop' }],
    ['for another purpose', { purpose: 'csrf' as const }],
    ['for another page', { origin: 'https://app.example.com' }],
    ['for a time that is over', { expiresAtMs: noon }],
  ])('%s is refused, and spent', async (_what, facts) => {
    const place = stage()
    await place.records.putTicket(ticketRow({ key, ...facts }))
    expect(await show('cst_secret', 'alice', method, place)).toMatchObject(denied)
    expect(await place.records.takeTicket(key)).toBeUndefined()
  })
})

describe('an authenticator', () => {
  test('is told the ticket, and judges it', async () => {
    const method = wampTicket({
      from,
      sources: [
        functionAuthenticator((realm, authid, details) => {
          if (details['ticket'] !== 'right') throw new Error('wrong')
          return { role: 'r', authid: `${String(authid)}@${String(realm)}` }
        }),
      ],
    })
    expect(expectAccepted(await show('right', 'joe', method)).principal.id).toBe('joe@realm1')
    expectAlike(await show('wrong', 'joe', method), await show('wrong', 'jane', method))
  })
})

test('recognises a hello that names it', () => {
  expect(recognised(listed, { hello, token: token('cst_a'), ticket: helloOf('ticket') })).toEqual(['ticket'])
})
