import { describe, expect, test } from 'vitest'
import { authorization } from '../../../packages/countersign/src/index.ts'
import { normaliseUsername, password } from '../../../packages/countersign/src/methods/index.ts'
import { rejectingPasswords } from '../../../packages/countersign/src/platform/argon2.ts'
import type { AccountRow } from '../../../packages/countersign/src/core/records.ts'
import {
  basic,
  converse,
  hello,
  noon,
  recognised,
  shown,
  token,
  type Exchange,
} from '../support/conversation.ts'
import { expectAcceptance, expectRefusal, knock, openGuard } from '../support/guard.ts'

const method = password({ from: authorization('Basic') })

const account = (facts: Partial<AccountRow> = {}): AccountRow => ({
  username: 'alice',
  roles: ['member'],
  passwordHash: '$argon2id$…',
  disabled: false,
  changedAtMs: 0,
  ...facts,
})

/** The whole conversation: it has the same shape for everyone. */
function tried(
  row: AccountRow | undefined,
  stored: string | undefined,
  outcome: 'right' | 'wrong',
  right: boolean,
): readonly Exchange[] {
  const source = '127.0.0.1'
  return [
    [{ kind: 'attempt', identity: 'alice', source }, 0],
    [{ kind: 'findAccount', username: 'alice' }, row],
    [{ kind: 'verifyPassword', identity: 'alice', password: 'pass', hash: stored }, outcome],
    [{ kind: 'attempted', identity: 'alice', source, right }, undefined],
  ]
}

const card = shown({ credential: basic('Alice', 'pass') })

describe('the password method', () => {
  test('accepts the right password of an account', () => {
    expect(converse(method.judge(card), ...tried(account(), '$argon2id$…', 'right', true))).toMatchObject({
      kind: 'accept',
      principal: { id: 'alice', roles: ['member'], method: 'password', provider: 'accounts' },
      grant: { subject: 'alice', issuedAtMs: noon },
      untilMs: Infinity,
    })
  })

  test.each([
    ['a wrong password', account(), '$argon2id$…', 'wrong' as const],
    ['an unknown name', undefined, undefined, 'wrong' as const],
    ['an unknown name, whatever the hasher says', undefined, undefined, 'right' as const],
    ['a disabled account', account({ disabled: true }), undefined, 'wrong' as const],
    [
      'a disabled account, whatever the hasher says',
      account({ disabled: true }),
      undefined,
      'right' as const,
    ],
    ['an account without password', account({ passwordHash: undefined }), undefined, 'wrong' as const],
  ])('does the same work and says the same for %s', (_who, row, stored, outcome) => {
    expect(converse(method.judge(card), ...tried(row, stored, outcome, false))).toEqual({
      kind: 'deny',
      reason: 'invalid_credential',
      retryAfterMs: undefined,
    })
  })

  test('lets a guesser wait before anything is looked up', () => {
    expect(converse(method.judge(card), [{ kind: 'attempt' }, 1_500])).toEqual({
      kind: 'deny',
      reason: 'too_many_attempts',
      retryAfterMs: 1_500,
    })
  })

  test('says that it is overloaded when the hasher is, and counts no failure', () => {
    expect(
      converse(
        method.judge(card),
        [{ kind: 'attempt' }, 0],
        [{ kind: 'findAccount' }, account()],
        [{ kind: 'verifyPassword' }, 'busy'],
      ),
    ).toMatchObject({ kind: 'deny', reason: 'overloaded' })
  })

  test('recognises Basic and nothing else', () => {
    expect(recognised(method, { basic: basic('a', 'b'), token: token('a'), hello })).toEqual(['basic'])
    expect(converse(method.judge(shown()))).toMatchObject({ kind: 'deny', reason: 'invalid_credential' })
  })

  test.each([
    ['ALICE', 'alice'],
    ['Ａlice', 'alice'],
    ['ﬁn', 'fin'],
    ['İ', 'i̇'],
  ])('takes %s for %s', (typed, name) => {
    expect(normaliseUsername(typed)).toBe(name)
  })

  test('is accepted from end to end, and refused alike for a wrong name and a wrong password', async () => {
    const { guard, records } = openGuard({ accept: [method] })
    await records.putAccount(account({ passwordHash: 'pass' }))
    expectAcceptance(await knock(guard, { authorization: `Basic ${btoa('ALICE:pass')}` }), 'alice')
    const answers = await Promise.all(
      ['alice:wrong', 'nobody:pass'].map((text) => knock(guard, { authorization: `Basic ${btoa(text)}` })),
    )
    expect(answers[0]).toEqual(answers[1])
    expectRefusal(answers[0] ?? (await knock(guard)), 'invalid_credential')
  })

  test('locks a known and an unknown name alike', async () => {
    const { guard, records } = openGuard({ accept: [method] })
    await records.putAccount(account({ passwordHash: 'pass' }))
    const guesses = async (name: string): Promise<readonly unknown[]> => {
      const answers: unknown[] = []
      for (let at = 0; at < 7; at++)
        answers.push(await knock(guard, { authorization: `Basic ${btoa(`${name}:wrong`)}` }))
      return answers
    }
    const known = await guesses('alice')
    expect(known).toEqual(await guesses('nobody'))
    expect(known.at(-1)).toMatchObject({ reason: 'too_many_attempts', retryAfterMs: 1_000 })
    expectRefusal(await knock(guard, { authorization: `Basic ${btoa('alice:pass')}` }), 'too_many_attempts')
    expectAcceptance(
      await knock(guard, { authorization: `Basic ${btoa('alice:pass')}`, remoteAddress: '127.0.0.2' }),
      'alice',
    )
  })

  test('lets nobody in behind a hasher that rejects', async () => {
    const { guard, records } = openGuard({ accept: [method], passwords: rejectingPasswords })
    await records.putAccount(account({ passwordHash: 'pass' }))
    expect(await knock(guard, { authorization: `Basic ${btoa('alice:pass')}` })).toMatchObject({
      kind: 'refused',
    })
  })
})
