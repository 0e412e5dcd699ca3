import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  cookie,
  type ApplicationCheck,
  type ApplicationVisitor,
} from '../../../packages/countersign/src/index.ts'
import { applicationSession } from '../../../packages/countersign/src/methods/index.ts'
import { basic, converse, hello, noon, recognised, shown, token } from '../support/conversation.ts'
import { expectRefusal, knock, numRuns, openGuard, pageOrigin } from '../support/guard.ts'
import { call, expectAccepted, expectRefused, openGuarded, type Door } from '../support/sockets.ts'

const check: ApplicationCheck = () => undefined
const method = applicationSession({ from: cookie('sid'), check })
const card = shown({ credential: token('s%3Aabc.def') })
const answering = (answer: unknown): ReturnType<typeof converse> =>
  converse(method.judge(card), [
    {
      kind: 'askApplication',
      check,
      value: 's%3Aabc.def',
      caller: { origin: undefined, remoteAddress: '127.0.0.1' },
    },
    answer,
  ])

describe('the application session method', () => {
  test('accepts whom the application names, for as long as it says', () => {
    const visitor: ApplicationVisitor = {
      subject: 'alice',
      roles: ['member'],
      session: 'login-1',
      expiresAtMs: noon + 1,
      provedAtMs: noon - 5,
      claims: { theme: 'dark' },
    }
    expect(answering(visitor)).toEqual({
      kind: 'accept',
      principal: {
        id: 'alice',
        roles: ['member'],
        realm: undefined,
        method: 'application_session',
        provider: 'application',
        claims: { theme: 'dark' },
      },
      grant: {
        subject: 'alice',
        roles: ['member'],
        session: 'login-1',
        token: undefined,
        apiKey: undefined,
        certificate: undefined,
        issuedAtMs: noon - 5,
      },
      untilMs: noon + 1,
      neverAfterMs: Infinity,
      lease: undefined,
    })
  })

  test('takes a subject for answer enough', () => {
    expect(answering({ subject: 'alice' })).toMatchObject({
      kind: 'accept',
      principal: { roles: [], claims: {} },
      grant: { session: undefined, issuedAtMs: noon },
      untilMs: Infinity,
    })
  })

  test('refuses whom the application does not know, and what is over', () => {
    expect(answering(undefined)).toMatchObject({ kind: 'deny', reason: 'invalid_credential' })
    expect(answering({ subject: 'alice', expiresAtMs: noon })).toMatchObject({
      kind: 'deny',
      reason: 'expired_credential',
    })
  })

  test.each<[string, unknown]>([
    ['no subject', {}],
    ['an empty subject', { subject: '' }],
    ['a number for a subject', { subject: 7 }],
    ['one role', { subject: 'a', roles: 'admin' }],
    ['roles that are no words', { subject: 'a', roles: [7] }],
    ['an empty session', { subject: 'a', session: '' }],
    ['a date', { subject: 'a', expiresAtMs: new Date(0) }],
    ['no instant', { subject: 'a', provedAtMs: Number.NaN }],
    ['nothing at all', null],
    ['yes', true],
  ])('takes %s for a mistake of the application', (_what, answer) => {
    expect(() => answering(answer)).toThrow('check answers no visitor')
  })

  test('recognises every token and nothing else', () => {
    const credentials = { token: token(''), session: token('css_1'), basic: basic('token', 'x'), hello }
    expect(recognised(method, credentials)).toEqual(['token', 'session'])
  })

  test('hands any value to the application as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const step = method.judge(shown({ credential: token(text) })).next()
        return step.done !== true && step.value.kind === 'askApplication' && step.value.value === text
      }),
      { numRuns },
    )
  })
})

describe('an application session from end to end', () => {
  const sessions = new Map([['raw%3Avalue', 'login-1']])
  const open = (asked: ApplicationCheck): Promise<Door> =>
    openGuarded({ accept: [applicationSession({ from: cookie('sid'), check: asked })] })
  const lookUp: ApplicationCheck = (value) => {
    const session = sessions.get(value)
    return session === undefined ? undefined : { subject: 'alice', session }
  }
  const page = { page: pageOrigin, headers: { cookie: 'sid=raw%3Avalue; theme=dark' } }

  test.each<[string, ApplicationCheck]>([
    ['at once', lookUp],
    ['later', async (value, caller) => lookUp(value, caller)],
  ])('is answered %s, and ends with the logout', async (_when, asked) => {
    const door = await open(asked)
    const caller = call(door, page)
    const guest = await expectAccepted(door, caller, 'alice')
    expect(guest.request.headers.cookie).toBe('theme=dark')
    await door.guard.revoke({ session: 'login-1' }, 'logged_out')
    expect(await caller.closed).toEqual({ code: 3003, reason: 'logged_out' })
  })

  test('is refused where the application does not know it', async () => {
    const door = await open(lookUp)
    await expectRefused(call(door, { ...page, headers: { cookie: 'sid=other' } }), 'invalid_credential')
  })

  test.each<[string, ApplicationCheck]>([
    [
      'throws',
      () => {
        throw new TypeError('raw%3Avalue')
      },
    ],
    ['rejects', () => Promise.reject(new TypeError('raw%3Avalue'))],
    ['answers nonsense', () => ({}) as never],
  ])('is an outage where the application %s', async (_what, asked) => {
    const door = await open(asked)
    await expectRefused(call(door, page), 'internal')
    expect(JSON.stringify(door.journal)).not.toContain('raw')
  })

  test('tells the application who asks', async () => {
    const callers: unknown[] = []
    const { guard } = openGuard({
      accept: [
        applicationSession({ from: cookie('sid'), check: (_value, caller) => void callers.push(caller) }),
      ],
    })
    expectRefusal(await knock(guard, { origin: pageOrigin, cookie: 'sid=a' }), 'invalid_credential')
    expect(callers).toEqual([{ origin: pageOrigin, remoteAddress: '127.0.0.1' }])
  })

  test('stays refused after a revocation where the application says how old the login is', async () => {
    const provedAtMs = Date.now() - 60_000
    const door = await open(() => ({ subject: 'alice', provedAtMs }))
    await door.guard.revoke({ subject: 'alice' })
    await expectRefused(call(door, page), 'invalid_credential')
  })
})
