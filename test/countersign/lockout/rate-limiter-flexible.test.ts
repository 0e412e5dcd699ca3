import { RateLimiterMemory, type RateLimiterAbstract, type RateLimiterRes } from 'rate-limiter-flexible'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  authorization,
  memory,
  OutageError,
  type Guess,
  type GuessLimiter,
} from '../../../packages/countersign/src/index.ts'
import {
  rateLimiterGuesses,
  type CounterOptions,
} from '../../../packages/countersign/src/lockout/rate-limiter-flexible.ts'
import { password } from '../../../packages/countersign/src/methods/index.ts'
import { expectAcceptance, expectRefusal, knock, openGuard, plainPasswords } from '../support/guard.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) })
})
afterEach(() => {
  vi.useRealTimers()
})

const home = '192.0.2.1/32'
const at = (source = home, device?: string, identity = 'alice'): Guess => ({
  identity,
  source,
  device,
  now: Date.now(),
})

/** A store that several processes would share: each counter is made once, by its prefix. */
function sharedStore(): { readonly make: (options: CounterOptions) => RateLimiterAbstract; keys(): string } {
  const made = new Map<string, RateLimiterMemory>()
  return {
    make(options) {
      const counter = made.get(options.keyPrefix) ?? new RateLimiterMemory(options)
      made.set(options.keyPrefix, counter)
      return counter
    },
    keys: () => JSON.stringify([...made.values()].map((counter) => counter.dump())),
  }
}

const limiterOf = rateLimiterGuesses
const inMemory = (options: CounterOptions): RateLimiterMemory => new RateLimiterMemory(options)

/** Outcomes of so many wrong tries: the wait that came first, or the one that came late. */
async function wrong(limiter: GuessLimiter, times: number, guess: Guess): Promise<readonly number[]> {
  const waits: number[] = []
  for (let one = 0; one < times; one++) {
    const waitMs = await limiter.waitMs(guess)
    waits.push(waitMs > 0 ? waitMs : await limiter.tried(guess, false))
  }
  return waits
}

describe('guesses that rate-limiter-flexible counts', () => {
  test('are five, then none for five minutes', async () => {
    const limiter = limiterOf(inMemory)
    expect(await wrong(limiter, 6, at())).toEqual([0, 0, 0, 0, 0, 300_000])
    vi.advanceTimersByTime(299_999)
    expect(await limiter.waitMs(at())).toBe(1)
    vi.advanceTimersByTime(1)
    expect(await limiter.waitMs(at())).toBe(0)
  })

  test('are counted by name and source, and a success clears them', async () => {
    const limiter = limiterOf(inMemory)
    await wrong(limiter, 5, at())
    expect(await limiter.waitMs(at('192.0.2.2/32'))).toBe(0)
    expect(await limiter.waitMs(at(home, undefined, 'bob'))).toBe(0)
    const other = at('192.0.2.3/32')
    await wrong(limiter, 4, other)
    expect(await limiter.tried(other, true)).toBe(0)
    expect(await wrong(limiter, 5, other)).toEqual([0, 0, 0, 0, 0])
  })

  test('in a burst have as many outcomes as are free, right or wrong', async () => {
    const limiter = limiterOf(inMemory)
    const burst = Array.from({ length: 50 }, () => at())
    const waits = await Promise.all(burst.map(async (guess) => limiter.waitMs(guess)))
    expect(new Set(waits)).toEqual(new Set([0]))
    const outcomes = await Promise.all(burst.map(async (guess, one) => limiter.tried(guess, one === 49)))
    expect(outcomes.filter((waitMs) => waitMs === 0)).toHaveLength(5)
    expect(outcomes[49]).toBeGreaterThan(0)
  })

  test('are slowed for strangers to a name that fails from everywhere, and for nobody who is known there', async () => {
    const limiter = limiterOf(inMemory)
    await limiter.tried(at(), true)
    for (let one = 0; one < 50; one++) await limiter.tried(at(`198.51.100.${one}`), false)
    expect(await wrong(limiter, 2, at('203.0.113.1'))).toEqual([0, 600_000])
    expect(await wrong(limiter, 2, at('203.0.113.1', undefined, 'bob'))).toEqual([0, 0])
    expect(await wrong(limiter, 5, at())).toEqual([0, 0, 0, 0, 0])
  })

  test('are slowed for all strangers when everybody fails', async () => {
    const limiter = limiterOf(inMemory, { allFailures: 30 })
    for (let one = 0; one < 30; one++) await limiter.tried(at(home, undefined, `name ${one}`), false)
    expect(await wrong(limiter, 2, at('203.0.113.1'))).toEqual([0, 600_000])
  })

  test('on a device are counted apart, never slowed, and worth nothing after twenty failures', async () => {
    const limiter = limiterOf(inMemory, { identityFailures: 10 })
    const from = '203.0.113.1'
    await wrong(limiter, 5, at(from))
    for (let one = 0; one < 10; one++) await limiter.tried(at(`198.51.100.${one}`), false)
    for (let round = 0; round < 3; round++) {
      expect(await wrong(limiter, 6, at(from, 'laptop'))).toEqual([0, 0, 0, 0, 0, 300_000])
      vi.advanceTimersByTime(300_000)
    }
    expect(await wrong(limiter, 5, at(from, 'laptop'))).toEqual([0, 0, 0, 0, 0])
    await wrong(limiter, 5, at(from))
    expect(await limiter.waitMs(at(from, 'laptop'))).toBeGreaterThan(0)
    expect(await limiter.waitMs(at(from, 'phone'))).toBe(0)
  })

  test('are shared by all processes of one store', async () => {
    const store = sharedStore()
    const [one, other] = [limiterOf(store.make), limiterOf(store.make)]
    await wrong(one, 3, at())
    await wrong(other, 2, at())
    expect([await one.waitMs(at()), await other.waitMs(at())]).toEqual([300_000, 300_000])
  })

  test('leave no name and no address in the store', async () => {
    const store = sharedStore()
    const limiter = limiterOf(store.make)
    await wrong(limiter, 2, at(home, 'laptop', 'my password'))
    await limiter.tried(at(home, undefined, 'my password'), true)
    expect(store.keys()).toContain('"value"')
    for (const text of ['my password', '192.0.2', 'laptop']) expect(store.keys()).not.toContain(text)
  })

  test('are counted for windows that timers reach, and never for ever', () => {
    const made: CounterOptions[] = []
    limiterOf(
      (options) => {
        made.push(options)
        return inMemory(options)
      },
      { knownMs: Infinity, windowMs: 0 },
    )
    expect(made).toHaveLength(6)
    for (const { duration } of made) {
      expect(duration).toBeGreaterThanOrEqual(1)
      expect(duration * 1_000).toBeLessThan(2 ** 31)
    }
  })

  test('are judged by a guard that is lent them', async () => {
    const records = memory()
    const { hash } = plainPasswords
    const passwordHash = await hash('right')
    records.putAccount({ username: 'alice', roles: [], passwordHash, disabled: false, changedAtMs: 0 })
    const { guard } = openGuard({
      records,
      accept: [password({ from: authorization('Basic') })],
      guesses: limiterOf(inMemory),
    })
    const login = (word: string): ReturnType<typeof knock> =>
      knock(guard, { authorization: `Basic ${btoa(`alice:${word}`)}` })
    expectAcceptance(await login('right'), 'alice')
    for (let one = 0; one < 5; one++) expectRefusal(await login('wrong'), 'invalid_credential')
    expect(expectRefusal(await login('right'), 'too_many_attempts').retryAfterMs).toBe(300_000)
  })
})

describe('a store that is out of reach', () => {
  class Unreachable extends RateLimiterMemory {
    override get(): Promise<RateLimiterRes | null> {
      return Promise.reject(new Error('connect ECONNREFUSED redis://user:hunter2@10.0.0.1'))
    }
  }

  test('refuses, and its words go no further', async () => {
    const limiter = limiterOf((options) => new Unreachable(options))
    for (const asked of [limiter.waitMs(at()), limiter.tried(at(), true)]) {
      const error: unknown = await Promise.resolve(asked).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(OutageError)
      expect(String(error)).not.toContain('hunter2')
    }
  })
})
