import { describe, expect, it, vi } from 'vitest'
import type { AuthorityOptions } from '../../../packages/countersign/src/wamp/authorization.ts'
import type { AuthorizerOptions } from '../../../packages/countersign/src/wamp/options.ts'
import { type Permit, permits } from '../../../packages/countersign/src/wamp/permit.ts'
import { asking, Bench, rule, user } from './authorization-room.ts'

const { denied, allowed, disclosed, failed } = permits

describe('authorizers that are functions', () => {
  it.each<[unknown, Permit]>([
    [true, allowed],
    [false, denied],
    [{ allow: true }, allowed],
    [{ allow: false, disclose: true }, denied],
    [{ allow: true, disclose: true }, disclosed],
    [{ allow: true, disclose: false, cache: true, validate: { args: ['x'] } }, allowed],
    [{ disclose: true }, failed],
    [{ allow: 1 }, failed],
    [{ allow: true, disclose: 1 }, failed],
    [{ allow: true, cache: 'yes' }, failed],
    [{ allow: true, allowed: true }, failed],
    [Object.create({ allow: true }), failed],
    [[true], failed],
    [null, failed],
    [undefined, failed],
    [1, failed],
    ['true', failed],
  ])('answering %j decide %i, at once or later', async (answer, permit) => {
    expect(new Bench([asking(() => answer)]).decide('call', 'com.a')).toBe(permit)
    const later = new Bench([asking(() => Promise.resolve(answer))]).decide('call', 'com.a')
    expect(later).toBeInstanceOf(Promise)
    expect(await later).toBe(permit)
  })

  it('disclose whoever acts, not whoever listens', () => {
    const bench = new Bench([asking(() => ({ allow: true, disclose: true }))])
    expect(bench.decide('publish', 'com.a')).toBe(disclosed)
    expect(bench.decide('subscribe', 'com.a')).toBe(allowed)
    expect(bench.decide('register', 'com.a')).toBe(allowed)
  })

  it('are told who asks what, with the options', () => {
    const authorizer = vi.fn(() => true)
    new Bench([asking(authorizer)]).decide('subscribe', 'com.a', {
      options: { match: 'prefix', get_retained: true },
    })
    const session = {
      session: 1,
      realm: 'realm1',
      authid: 'ann',
      authrole: 'user',
      authmethod: 'ticket',
      authprovider: 'static',
      authextra: {},
      transport: {},
    }
    const options = { match: 'prefix', get_retained: true }
    expect(authorizer.mock.calls).toEqual([[session, 'com.a', 'subscribe', options]])
  })

  it('fail when they throw, reject, or have a `then` that throws', async () => {
    const throwing = (): never => {
      throw new Error('secret')
    }
    expect(new Bench([asking(throwing)]).decide('call', 'com.a')).toBe(failed)
    expect(await new Bench([asking(() => Promise.reject(new Error('secret')))]).decide('call', 'com.a')).toBe(
      failed,
    )
    // oxlint-disable-next-line unicorn/no-thenable
    expect(await new Bench([asking(() => ({ then: throwing }))]).decide('call', 'com.a')).toBe(failed)
  })

  it('fail when their time is over, and leave no timer when it is not', async () => {
    const bench = new Bench([asking(() => new Promise(() => {}), { timeoutMs: 700 })])
    const decided = bench.decide('call', 'com.a')
    const [timer] = bench.timers
    expect(timer?.ms).toBe(700)
    timer?.fire()
    expect(await decided).toBe(failed)
    const quick = new Bench([asking(() => Promise.resolve(true))])
    await quick.decide('call', 'com.a')
    expect(quick.timers.size).toBe(0)
  })
})

describe('authorizers that are procedures', () => {
  type Call = AuthorityOptions['call']
  const value = (answer: unknown): ReturnType<Call> => Promise.resolve({ kind: 'result', args: [answer] })
  const complaint = (message: string): ReturnType<Call> => Promise.resolve({ kind: 'error', args: [message] })

  it('are called with session, URI, action and options', async () => {
    const call = vi.fn<Call>(() => value(true))
    const bench = new Bench([asking('com.auth', { timeoutMs: 900 })], { call })
    expect(await bench.decide('publish', 'com.a', { options: { retain: true } })).toBe(allowed)
    expect(call.mock.calls).toMatchObject([
      [
        {
          procedure: 'com.auth',
          args: [{ session: 1, authid: 'ann' }, 'com.a', 'publish', { retain: true }],
          timeoutMs: 900,
        },
      ],
    ])
  })

  it('fail with an ERROR, without an answer, and when nobody is there', async () => {
    for (const call of [
      () => complaint('no'),
      (): ReturnType<Call> => Promise.resolve({ kind: 'result', args: [] }),
      (): ReturnType<Call> => Promise.reject(new Error('nobody')),
    ]) {
      expect(await new Bench([asking('com.auth')], { call }).decide('call', 'com.a')).toBe(failed)
    }
  })

  it('that take three arguments are called with three, from then on at once', async () => {
    const call = vi.fn<Call>(({ args }) =>
      args.length === 3
        ? value(true)
        : complaint('authorize() takes 3 positional arguments but 4 were given'),
    )
    const bench = new Bench([asking('com.auth')], { call })
    expect(await bench.decide('call', 'com.a')).toBe(allowed)
    expect(await bench.decide('call', 'com.a')).toBe(allowed)
    expect(call.mock.calls.map(([{ args }]) => args.length)).toEqual([4, 3, 3])
  })
})

describe('decisions that may be kept', () => {
  const counting = (answer: unknown): { asked: string[]; authorizer: AuthorizerOptions['authorizer'] } => {
    const asked: string[] = []
    const authorizer: AuthorizerOptions['authorizer'] = ({ session }, uri, action, { match }) => {
      asked.push(`${session} ${action} ${uri}${typeof match === 'string' ? ` ${match}` : ''}`)
      return answer
    }
    return { asked, authorizer }
  }
  const keep = { allow: true, cache: true }

  it('are not kept unless the authorizer says so', () => {
    const { asked, authorizer } = counting({ allow: true })
    const bench = new Bench([asking(authorizer)])
    bench.decide('call', 'com.a')
    bench.decide('call', 'com.a')
    expect(asked).toHaveLength(2)
  })

  it('are kept for the session, by action, URI and policy', () => {
    const { asked, authorizer } = counting(keep)
    const bench = new Bench([asking(authorizer)])
    for (let twice = 0; twice < 2; twice++) {
      bench.decide('call', 'com.a')
      bench.decide('publish', 'com.a')
      bench.decide('subscribe', 'com.a')
      bench.decide('subscribe', 'com.a', { options: { match: 'exact' } })
      bench.decide('subscribe', 'com.a', { options: { match: 'prefix' } })
      bench.decide('call', 'com.a', { who: user(2) })
    }
    expect(asked).toEqual([
      '1 call com.a',
      '1 publish com.a',
      '1 subscribe com.a',
      '1 subscribe com.a prefix',
      '2 call com.a',
    ])
  })

  it.each([
    ['session', 4],
    ['authid', 3],
    ['role', 1],
  ] as const)('are kept by %s: %i questions', (cacheBy, questions) => {
    const { asked, authorizer } = counting(keep)
    const bench = new Bench([asking(authorizer, { cacheBy })])
    bench.decide('call', 'com.a', { who: user(1, 'ann') })
    bench.decide('call', 'com.a', { who: user(2, 'ann') })
    bench.decide('call', 'com.a', { who: user(3, 'bea') })
    bench.decide('call', 'com.a', { who: user(4, 'cyd') })
    expect(asked).toHaveLength(questions)
  })

  it('are kept for their time, also when the clock is set back', () => {
    const { asked, authorizer } = counting({ allow: false, cache: true })
    const bench = new Bench([asking(authorizer, { cacheTtlMs: 1000 })])
    expect(bench.decide('call', 'com.a')).toBe(denied)
    bench.now += 999
    expect(bench.decide('call', 'com.a')).toBe(denied)
    expect(asked).toHaveLength(1)
    bench.now += 1
    bench.decide('call', 'com.a')
    expect(asked).toHaveLength(2)
    bench.now -= 5000
    bench.decide('call', 'com.a')
    expect(asked).toHaveLength(3)
  })

  it('are forgotten with their session, with a purge, and with their roles', () => {
    const { asked, authorizer } = counting(keep)
    const bench = new Bench([asking(authorizer)])
    const ask = (): number => {
      bench.decide('call', 'com.a', { who: user(1) })
      bench.decide('call', 'com.a', { who: user(2) })
      return asked.splice(0).length
    }
    expect([ask(), ask()]).toEqual([2, 0])
    bench.authority.forget(user(1))
    expect([ask(), ask()]).toEqual([1, 0])
    bench.authority.purge(user(2))
    expect([ask(), ask()]).toEqual([1, 0])
    bench.authority.purge()
    expect([ask(), ask()]).toEqual([2, 0])
    bench.authority.replace([asking(authorizer)])
    expect([ask(), ask()]).toEqual([2, 0])
  })

  it('for a whole role outlive its sessions, not a purge', () => {
    const { asked, authorizer } = counting(keep)
    const bench = new Bench([asking(authorizer, { cacheBy: 'role' }), { name: 'other' }])
    bench.decide('call', 'com.a')
    bench.authority.forget(user(1))
    bench.decide('call', 'com.a')
    expect(asked).toHaveLength(1)
    bench.authority.purge()
    bench.decide('call', 'com.a')
    expect(asked).toHaveLength(2)
  })

  it('about an unknown policy are kept apart', () => {
    const { asked, authorizer } = counting(keep)
    const bench = new Bench([asking(authorizer)])
    bench.decide('subscribe', 'com.a', { options: { match: 'prefix com.a' } })
    bench.decide('subscribe', 'com.a', { options: { match: 'prefix' } })
    bench.decide('subscribe', 'com.a', { options: { match: null } })
    expect(asked).toHaveLength(3)
  })

  it('are bounded', () => {
    const { asked, authorizer } = counting(keep)
    const bench = new Bench([asking(authorizer)])
    for (let n = 0; n < 10_001; n++) bench.decide('call', `com.${n}`)
    bench.decide('call', 'com.0')
    bench.decide('call', `com.${'x'.repeat(300)}`)
    bench.decide('call', `com.${'x'.repeat(300)}`)
    expect(asked).toHaveLength(10_004)
  })
})

describe('answers under way', () => {
  /** An authorizer whose answers the test gives. */
  function waiting(): {
    answers: ((answer: unknown) => void)[]
    authorizer: AuthorizerOptions['authorizer']
  } {
    const answers: ((answer: unknown) => void)[] = []
    return { answers, authorizer: () => new Promise((resolve) => answers.push(resolve)) }
  }

  it('are waited for by all who ask the same, if they may be kept', async () => {
    const { answers, authorizer } = waiting()
    const bench = new Bench([asking(authorizer, { cacheBy: 'role' })])
    const asked = [1, 2, 3].map((id) => bench.decide('call', 'com.a', { who: user(id) }))
    expect(answers).toHaveLength(1)
    answers[0]?.({ allow: true, cache: true })
    expect(await Promise.all(asked)).toEqual([allowed, allowed, allowed])
    expect(answers).toHaveLength(1)
  })

  it('are for whoever asked alone, if they may not', async () => {
    const { answers, authorizer } = waiting()
    const bench = new Bench([asking(authorizer, { cacheBy: 'role' })])
    const first = bench.decide('call', 'com.a', { who: user(1) })
    const second = bench.decide('call', 'com.a', { who: user(2) })
    answers[0]?.(true)
    expect(await first).toBe(allowed)
    await vi.waitFor(() => expect(answers).toHaveLength(2))
    answers[1]?.(false)
    expect(await second).toBe(denied)
  })

  it('are not kept when a purge came between', async () => {
    const { answers, authorizer } = waiting()
    const bench = new Bench([asking(authorizer)])
    for (const purge of [() => bench.authority.purge(), () => bench.authority.forget(user(1))]) {
      const asked = bench.decide('call', 'com.a')
      purge()
      answers.pop()?.({ allow: true, cache: true })
      expect(await asked).toBe(allowed)
      const again = bench.decide('call', 'com.a')
      answers.pop()?.(true)
      expect(again).toBeInstanceOf(Promise)
      await again
    }
  })

  it.each(['session', 'authid'] as const)(
    'are kept though another %s has gone meanwhile',
    async (cacheBy) => {
      const { answers, authorizer } = waiting()
      const bench = new Bench([asking(authorizer, { cacheBy })])
      const asked = bench.decide('call', 'com.a', { who: user(1) })
      const behind = bench.decide('call', 'com.a', { who: user(1) })
      bench.authority.forget(user(2, 'bob'))
      answers[0]?.({ allow: true, cache: true })
      expect([await asked, await behind]).toEqual([allowed, allowed])
      expect(bench.decide('call', 'com.a', { who: user(1) })).toBe(allowed)
      expect(answers).toHaveLength(1)
    },
  )

  it('are asked anew when the roles were replaced, or the session has another one', async () => {
    const { answers, authorizer } = waiting()
    const bench = new Bench([asking(authorizer), { name: 'admin', rules: [rule('com.a', 'exact')] }])
    const first = bench.decide('call', 'com.a')
    bench.authority.replace([{ name: 'user' }, { name: 'admin', rules: [rule('com.a', 'exact')] }])
    answers[0]?.(true)
    expect(await first).toBe(denied)
    bench.authority.replace([asking(authorizer), { name: 'admin', rules: [rule('com.a', 'exact')] }])
    const who = user(1)
    const second = bench.decide('call', 'com.a', { who })
    who.identity = { ...who.identity, authrole: 'admin' }
    answers[1]?.(false)
    expect(await second).toBe(allowed)
  })

  it('are nothing to a role that is no more', async () => {
    const { answers, authorizer } = waiting()
    const bench = new Bench([asking(authorizer)])
    const asked = bench.decide('call', 'com.a')
    bench.authority.replace([])
    answers[0]?.(true)
    expect(await asked).toBe(denied)
  })

  it('fail when the roles never rest, and are nothing to a session that is gone', async () => {
    const spin = async (): Promise<boolean> => {
      await Promise.resolve()
      bench.authority.replace([asking(spin)])
      return true
    }
    const bench: Bench = new Bench([asking(spin)])
    expect(await bench.decide('call', 'com.a')).toBe(failed)
    const { answers, authorizer } = waiting()
    const other = new Bench([asking(authorizer)])
    const who = user(1)
    const asked = other.decide('call', 'com.a', { who })
    who.gone = true
    answers[0]?.(true)
    expect(await asked).toBe(denied)
  })
})
