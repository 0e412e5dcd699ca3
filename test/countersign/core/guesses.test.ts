import { describe, expect, test } from 'vitest'
import {
  authorization,
  challengeFrames,
  createGuard,
  defaultLockout,
  memory,
  OutageError,
  type Guard,
  type Guess,
  type GuessLimiter,
  type GuardOptions,
  type Records,
} from '../../../packages/countersign/src/index.ts'
import { password, wampcra } from '../../../packages/countersign/src/methods/index.ts'
import { nodePlatform } from '../../../packages/countersign/src/platform/node.ts'
import {
  expectAcceptance,
  expectRefusal,
  knock,
  knockAndListen,
  openGuard,
  peerTurn,
  plainPasswords,
  say,
} from '../support/guard.ts'
import { stillClock } from '../support/clock.ts'

const basic = password({ from: authorization('Basic') })

async function withAlice(records: Records = memory()): Promise<Records> {
  const passwordHash = await plainPasswords.hash('right')
  await records.putAccount({ username: 'alice', roles: [], passwordHash, disabled: false, changedAtMs: 0 })
  return records
}

function guardOf(records: Records, options: Partial<GuardOptions> = {}): Guard {
  const platform = { ...nodePlatform(), clock: stillClock() }
  return createGuard({ records, platform, passwords: plainPasswords, accept: [basic], ...options })
}

const guess = (guard: Guard, word: string, remoteAddress = '127.0.0.1'): ReturnType<typeof knock> =>
  knock(guard, { remoteAddress, secure: true, authorization: `Basic ${btoa(`alice:${word}`)}` })

describe('guards of the same records', () => {
  test('count guesses together: another door is no other set of tries', async () => {
    const records = await withAlice()
    const guards = [guardOf(records, { name: 'one' }), guardOf(records, { name: 'other' })]
    const reasons: string[] = []
    for (let at = 0; at < 8; at++) {
      const decision = await guess(guards[at % 2] ?? guardOf(records), 'wrong')
      reasons.push(decision.kind === 'refused' ? decision.reason : decision.kind)
    }
    expect(reasons).toEqual([
      ...Array<string>(5).fill('invalid_credential'),
      ...Array<string>(3).fill('too_many_attempts'),
    ])
  })

  test('count apart where they have other limits, and where the records are others', async () => {
    const records = await withAlice()
    const strict = guardOf(records, { limits: { lockout: { failures: 1 } } })
    expectRefusal(await guess(strict, 'wrong'), 'invalid_credential')
    expectRefusal(await guess(strict, 'right'), 'too_many_attempts')
    expectAcceptance(await guess(guardOf(records), 'right'), 'alice')
    expectAcceptance(await guess(guardOf(await withAlice()), 'right'), 'alice')
    expect(guardOf(records, { limits: { deadlineMs: 1 } }).guesses).toBe(guardOf(records).guesses)
  })

  test('are slowed down together where a name fails from everywhere', async () => {
    const records = await withAlice()
    const [one, other] = [guardOf(records), guardOf(records, { audience: 'other' })]
    for (let at = 1; at <= 60; at++) await guess(one, 'wrong', `198.51.100.${at}`)
    expectRefusal(await guess(other, 'wrong', '203.0.113.1'), 'invalid_credential')
    const refused = expectRefusal(await guess(other, 'wrong', '203.0.113.1'), 'too_many_attempts')
    expect(refused.retryAfterMs).toBe(defaultLockout.strangerFirstWaitMs)
  })
})

describe('a limiter that is lent to a guard', () => {
  /** Answers later, as one does that asks another process. */
  function lent(answers: { waitMs?: number; lateMs?: number; broken?: boolean }): {
    readonly limiter: GuessLimiter
    readonly told: (Guess & { readonly right?: boolean })[]
  } {
    const told: (Guess & { readonly right?: boolean })[] = []
    const outage = new OutageError('overloaded', 'guesses: the counts are out of reach')
    const limiter: GuessLimiter = {
      async waitMs(asked) {
        told.push(asked)
        if (answers.broken === true) throw outage
        return answers.waitMs ?? 0
      },
      async tried(asked, right) {
        told.push({ ...asked, right })
        return answers.lateMs ?? 0
      },
    }
    return { limiter, told }
  }

  test('is asked before any look-up and told the outcome, by the subnet of the source', async () => {
    const { limiter, told } = lent({})
    const records = await withAlice()
    expectAcceptance(await guess(guardOf(records, { guesses: limiter }), 'right', '2001:db8::1'), 'alice')
    const asked = { identity: 'alice', source: '2001:db8::/64', now: expect.any(Number) as number }
    expect(told).toEqual([asked, { ...asked, right: true }])
  })

  test('makes wait', async () => {
    const opened = openGuard({ accept: [basic], guesses: lent({ waitMs: 2_500 }).limiter })
    const refused = expectRefusal(await guess(opened.guard, 'right'), 'too_many_attempts')
    expect([refused.retryAfterMs, opened.calls]).toEqual([2_500, []])
  })

  test('may refuse afterwards, right or wrong, with the same words', async () => {
    const records = await withAlice()
    const guard = guardOf(records, { guesses: lent({ lateMs: 700 }).limiter })
    const answers = [await guess(guard, 'right'), await guess(guard, 'wrong')]
    expect(answers[0]).toEqual(answers[1])
    expect(answers[0]).toMatchObject({ reason: 'too_many_attempts', retryAfterMs: 700 })
  })

  test('lets nobody in while it is out of reach', async () => {
    const guard = guardOf(await withAlice(), { guesses: lent({ broken: true }).limiter })
    expectRefusal(await guess(guard, 'right'), 'overloaded')
  })
})

describe('a burst of challenges that are all answered at once', () => {
  test('shows the outcome of five, and of none with the right secret among the others', async () => {
    const opened = openGuard({ accept: [wampcra({ from: challengeFrames() })] })
    await opened.guard.issue.challengeSecret({ subject: 'alice', authid: 'alice', secret: 'secret' })
    const hello = JSON.stringify({ type: 'hello', authid: 'alice', methods: ['wampcra'] })
    const turns = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const turn = await knockAndListen(opened.guard)
        return peerTurn(await turn.answer({ text: hello, now: opened.clock.now() }))
      }),
    )
    const reasons: string[] = []
    for (const turn of turns) {
      const decision = await say(opened, turn, 'no signature')
      reasons.push(decision.kind === 'refused' ? decision.reason : decision.kind)
    }
    expect(reasons.filter((reason) => reason === 'invalid_credential')).toHaveLength(5)
    expect(reasons.filter((reason) => reason === 'too_many_attempts')).toHaveLength(45)
  })
})
