import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  defaultLockout,
  Lockout,
  type LockoutLimits,
} from '../../../packages/countersign/src/core/lockout.ts'
import type { Guess } from '../../../packages/countersign/src/index.ts'

const home = '192.0.2.1'
const unslowed = { identityFailures: Infinity, allFailures: Infinity }

/** A guess at a name from a source. */
function at(now: number, identity = 'alice', source = home, device?: string): Guess {
  return { identity, source, device, now }
}

function lockoutOf(options: Partial<LockoutLimits> = {}): Lockout {
  return new Lockout({ ...defaultLockout, ...options })
}

/** Fails so many times, waiting as long as it is told before each. @returns when the last try failed */
function fail(lockout: Lockout, times: number, first: Guess): number {
  let { now } = first
  for (let one = 0; one < times; one++) {
    now += lockout.waitMs({ ...first, now })
    // The one try that is let in after a wait.
    lockout.waitMs({ ...first, now })
    expect(lockout.tried({ ...first, now }, false)).toBe(0)
  }
  return now
}

/** So many failures of one name, each from a source of its own, at one instant. */
function spray(lockout: Lockout, times: number, now: number, identity = 'alice'): void {
  for (let one = 0; one < times; one++) lockout.tried(at(now, identity, `198.51.100.${one}`), false)
}

describe('the lockout', () => {
  test.each([
    [0, 0],
    [4, 0],
    [5, 1_000],
    [6, 2_000],
    [7, 4_000],
    [10, 32_000],
    [11, 60_000],
    [200, 60_000],
  ])('after %i failures lets the next try wait %i ms', (failures, waitMs) => {
    const lockout = lockoutOf(unslowed)
    const now = fail(lockout, failures, at(0))
    expect(lockout.waitMs(at(now))).toBe(waitMs)
  })

  test('counts the wait from the last failure', () => {
    const lockout = lockoutOf()
    fail(lockout, 5, at(0))
    expect(lockout.waitMs(at(400))).toBe(600)
    expect(lockout.waitMs(at(1_000))).toBe(0)
  })

  test('lets one try through after the wait, not all that were sent at once', () => {
    const lockout = lockoutOf()
    const now = fail(lockout, 6, at(0))
    const waits = Array.from({ length: 4 }, () => lockout.waitMs(at(now + 2_000)))
    expect(waits).toEqual([0, 2_000, 2_000, 2_000])
  })

  test('shows the outcome of the free tries alone, where many were let in before the first had failed', () => {
    const lockout = lockoutOf()
    for (let one = 0; one < 100; one++) expect(lockout.waitMs(at(0))).toBe(0)
    const late = Array.from({ length: 99 }, () => lockout.tried(at(0), false))
    expect(late.filter((waitMs) => waitMs === 0)).toHaveLength(defaultLockout.failures)
    // The hundredth has the right password, and is told no more than the others.
    expect(lockout.tried(at(0), true)).toBe(late.at(-1))
    expect(lockout.waitMs(at(0))).toBe(1_000)
  })

  test('refuses none of many right ones at the same time', () => {
    const lockout = lockoutOf()
    for (let one = 0; one < 100; one++) lockout.waitMs(at(0))
    for (let one = 0; one < 100; one++) expect(lockout.tried(at(0), true)).toBe(0)
  })

  test('keeps identities apart, and sources', () => {
    const lockout = lockoutOf()
    fail(lockout, 5, at(0))
    expect(lockout.waitMs(at(0, 'bob'))).toBe(0)
    expect(lockout.waitMs(at(0, 'alice', '192.0.2.2'))).toBe(0)
  })

  test('does not take two pairs for one when identity and source run together', () => {
    const lockout = lockoutOf({ failures: 1 })
    lockout.tried(at(0, 'ab', 'c'), false)
    expect(lockout.waitMs(at(0, 'a', 'bc'))).toBe(0)
    expect(lockout.waitMs(at(0, 'ab', 'c'))).toBe(1_000)
  })

  test('forgets failures after a success', () => {
    const lockout = lockoutOf()
    const now = fail(lockout, 9, at(0)) + 60_000
    expect(lockout.waitMs(at(now))).toBe(0)
    expect(lockout.tried(at(now), true)).toBe(0)
    expect(lockout.waitMs(at(now))).toBe(0)
    lockout.tried(at(now), false)
    expect(lockout.waitMs(at(now))).toBe(0)
  })

  test('forgets failures after a long silence', () => {
    const lockout = lockoutOf()
    const now = fail(lockout, 20, at(0)) + defaultLockout.forgetMs
    expect(lockout.waitMs(at(now))).toBe(0)
    lockout.tried(at(now), false)
    expect(lockout.waitMs(at(now))).toBe(0)
  })

  test('keeps a bounded number of pairs, and drops the one untouched longest', () => {
    const lockout = lockoutOf({ failures: 1, maxEntries: 2 })
    for (const name of ['a', 'b', 'a', 'c']) fail(lockout, 1, at(0, name))
    expect(lockout.waitMs(at(0, 'b'))).toBe(0)
    expect(lockout.waitMs(at(0, 'a'))).toBeGreaterThan(0)
  })

  test('counts names together that are long and begin alike, so that a name costs no more memory than it may', () => {
    const strict = lockoutOf({ failures: 1 })
    const long = 'x'.repeat(300)
    strict.tried(at(0, `${long}1`), false)
    expect(strict.waitMs(at(0, `${long}2`))).toBeGreaterThan(0)
    expect(strict.waitMs(at(0, long))).toBe(0)
  })

  test('has defaults that nobody can change', () => {
    const lockout = new Lockout()
    fail(lockout, 5, at(0))
    expect(lockout.waitMs(at(0))).toBe(defaultLockout.firstWaitMs)
    expect(Object.isFrozen(defaultLockout)).toBe(true)
  })
})

describe('the slow-down', () => {
  test('leaves a stranger to a name one try, then long waits, once the name has failed fifty times from anywhere', () => {
    const lockout = lockoutOf()
    spray(lockout, 47, 0)
    fail(lockout, 2, at(0, 'alice', '203.0.113.1'))
    expect(lockout.waitMs(at(0, 'alice', '203.0.113.1'))).toBe(0)
    spray(lockout, 3_000, 0)
    expect(lockout.waitMs(at(0, 'alice', '203.0.113.1'))).toBe(30_000)
    expect(fail(lockout, 1, at(0, 'alice', '203.0.113.2'))).toBe(0)
    const waits: number[] = []
    for (let one = 0, now = 0; one < 8; one++) {
      const waitMs = lockout.waitMs(at(now, 'alice', '203.0.113.2'))
      waits.push(waitMs)
      now = fail(lockout, 1, at(now, 'alice', '203.0.113.2'))
    }
    expect(waits.map((ms) => ms / 1_000)).toEqual([15, 30, 60, 120, 240, 480, 600, 600])
  })

  test.each([
    [false, 69],
    [true, 11],
  ])('(%s) leaves a patient source %i tries at one name in an hour', (slowed, tries) => {
    const lockout = lockoutOf({ windowMs: Infinity, ...(slowed ? {} : unslowed) })
    spray(lockout, 60, 0)
    let count = 0
    for (let now = 0; now < 3_600_000; count++) {
      now += lockout.waitMs(at(now))
      if (now >= 3_600_000) break
      lockout.waitMs(at(now))
      expect(lockout.tried(at(now), false)).toBe(0)
    }
    expect(count).toBe(tries)
  })

  test('slows nobody down who is known from that source', () => {
    const lockout = lockoutOf()
    lockout.tried(at(0), true)
    spray(lockout, 500, 1)
    fail(lockout, 4, at(1))
    expect(lockout.waitMs(at(1))).toBe(0)
    expect(lockout.tried(at(1), true)).toBe(0)
  })

  test('locks out nobody who knows the password, from wherever: the first try is free', () => {
    const lockout = lockoutOf()
    spray(lockout, 5_000, 0)
    expect(lockout.waitMs(at(0, 'alice', '203.0.113.9'))).toBe(0)
    expect(lockout.tried(at(0, 'alice', '203.0.113.9'), true)).toBe(0)
  })

  test('is not lifted by a success, which an attacker’s victim has every day', () => {
    const lockout = lockoutOf()
    spray(lockout, 60, 0)
    lockout.tried(at(0), true)
    fail(lockout, 1, at(0, 'alice', '203.0.113.1'))
    expect(lockout.waitMs(at(0, 'alice', '203.0.113.1'))).toBe(15_000)
  })

  test('of one name is none of another, known to us or not', () => {
    const lockout = lockoutOf()
    spray(lockout, 60, 0, 'nobody')
    fail(lockout, 2, at(0, 'alice'))
    expect(lockout.waitMs(at(0, 'alice'))).toBe(0)
    fail(lockout, 1, at(0, 'nobody'))
    expect(lockout.waitMs(at(0, 'nobody'))).toBe(15_000)
  })

  test('meets every stranger when all names together have failed too often, each of them once', () => {
    const lockout = lockoutOf({ allFailures: 1_000 })
    lockout.tried(at(0, 'known'), true)
    for (let one = 0; one < 1_000; one++) lockout.tried(at(0, `name ${one}`), false)
    lockout.tried(at(0, 'alice'), false)
    expect(lockout.waitMs(at(0, 'alice'))).toBe(15_000)
    fail(lockout, 4, at(0, 'known'))
    expect(lockout.waitMs(at(0, 'known'))).toBe(0)
  })

  test('fades when the failures stop', () => {
    const lockout = lockoutOf()
    spray(lockout, 100, 0)
    const stranger = (now: number, source: string): number => {
      fail(lockout, 1, at(now, 'alice', source))
      return lockout.waitMs(at(now, 'alice', source))
    }
    const { windowMs } = defaultLockout
    // e^-0.5 and e^-1 of a hundred.
    expect(stranger(windowMs / 2, '203.0.113.1')).toBe(15_000)
    expect(stranger(windowMs, '203.0.113.2')).toBe(0)
  })

  test('forgets whom it knows, after a long time', () => {
    const lockout = lockoutOf()
    lockout.tried(at(0), true)
    const now = defaultLockout.knownMs
    spray(lockout, 60, now)
    fail(lockout, 1, at(now))
    expect(lockout.waitMs(at(now))).toBe(15_000)
  })

  test('bounds what is known of one name, so that nobody can push out what others are known by', () => {
    const lockout = lockoutOf()
    lockout.tried(at(0), true)
    for (let one = 0; one < 10_000; one++) lockout.tried(at(1, 'mallory', `source ${one}`), true)
    expect(lockout.size).toBe(defaultLockout.maxPerIdentity + 1)
    spray(lockout, 60, 2)
    fail(lockout, 2, at(2))
    expect(lockout.waitMs(at(2))).toBe(0)
  })
})

describe('a device', () => {
  test('has tries of its own, whatever its source has failed', () => {
    const lockout = lockoutOf()
    fail(lockout, 8, at(0))
    expect(lockout.waitMs(at(0, 'alice', home, 'laptop'))).toBe(0)
    const now = fail(lockout, 5, at(0, 'alice', '203.0.113.1', 'laptop'))
    expect(lockout.waitMs(at(now, 'alice', '203.0.113.2', 'laptop'))).toBe(1_000)
    expect(lockout.waitMs(at(now, 'alice', '203.0.113.2', 'phone'))).toBe(0)
  })

  test('is not slowed down with the strangers', () => {
    const lockout = lockoutOf({ allFailures: 100 })
    spray(lockout, 200, 0)
    fail(lockout, 4, at(0, 'alice', '203.0.113.1', 'laptop'))
    expect(lockout.waitMs(at(0, 'alice', '203.0.113.1', 'laptop'))).toBe(0)
  })

  test('counts as a stranger once it has failed too often, for good, and successes do not clear that', () => {
    const lockout = lockoutOf(unslowed)
    const stolen = (now: number): Guess => at(now, 'alice', '203.0.113.1', 'laptop')
    let now = fail(lockout, 10, stolen(0)) + 60_000
    lockout.waitMs(stolen(now))
    expect(lockout.tried(stolen(now), true)).toBe(0)
    now = fail(lockout, 10, stolen(now)) + defaultLockout.forgetMs
    // From now on by the source, which has its five tries, and shares them with whoever is there.
    fail(lockout, 5, at(now, 'alice', '203.0.113.1'))
    expect(lockout.waitMs(stolen(now))).toBe(1_000)
  })

  test('that is given with a name does nothing for another', () => {
    const lockout = lockoutOf()
    fail(lockout, 5, at(0, 'alice', home, 'laptop'))
    expect(lockout.waitMs(at(0, 'bob', home, 'laptop'))).toBe(0)
  })

  test('is no source of the same spelling', () => {
    const lockout = lockoutOf()
    fail(lockout, 5, at(0, 'alice', home, 'laptop'))
    expect(lockout.waitMs(at(0, 'alice', 'laptop'))).toBe(0)
  })

  test('among very many of one name costs no more memory than a few', () => {
    const lockout = lockoutOf({ maxEntries: 100 })
    for (let one = 0; one < 5_000; one++) lockout.tried(at(0, 'alice', home, `device ${one}`), false)
    expect(lockout.size).toBeLessThanOrEqual(100 + 1 + defaultLockout.maxPerIdentity)
  })
})

describe('whatever is tried by whomever', () => {
  const limits: LockoutLimits = {
    ...defaultLockout,
    maxEntries: 5,
    maxPerIdentity: 2,
    identityFailures: 8,
    allFailures: 20,
    deviceFailures: 6,
  }
  const step = fc.record({
    identity: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'),
    source: fc.constantFrom('1', '2', '3', '4'),
    device: fc.option(fc.constantFrom('x', 'y', 'z'), { nil: undefined }),
    right: fc.boolean(),
    asks: fc.boolean(),
    laterMs: fc.integer({ min: -5_000, max: 400_000 }),
  })

  test('waits are bounded, memory is bounded, and whoever waits as long as told is let in', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const lockout = new Lockout(limits)
        let now = 0
        for (const { identity, source, device, right, asks, laterMs } of steps) {
          now = Math.max(0, now + laterMs)
          const guess = { identity, source, device, now }
          const waitMs = asks ? lockout.waitMs(guess) : 0
          now += waitMs
          const stillMs = waitMs > 0 ? lockout.waitMs({ ...guess, now }) : 0
          const lateMs = lockout.tried({ ...guess, now }, right)
          // Beyond the longest wait only by as much as the clock was set back.
          const mostMs = limits.strangerMaxWaitMs + 5_000 * steps.length
          expect(waitMs >= 0 && waitMs <= mostMs && lateMs >= 0 && lateMs <= mostMs).toBe(true)
          // Whoever has asked and waited is judged.
          expect(stillMs + (asks ? lateMs : 0)).toBe(0)
          expect(lockout.size).toBeLessThanOrEqual(limits.maxEntries * (2 + 2 * limits.maxPerIdentity))
        }
      }),
      { numRuns: 1_000 },
    )
  })

  test('a pair that has come in before never waits longer than a minute', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const lockout = new Lockout({ ...limits, maxEntries: 100, maxPerIdentity: 100 })
        for (const identity of ['a', 'b', 'c', 'd', 'e', 'f', 'g'])
          lockout.tried(at(0, identity, 'home'), true)
        for (const { identity, source, right, laterMs } of steps) {
          const now = Math.abs(laterMs)
          lockout.tried({ identity, source, now }, right)
          expect(lockout.waitMs(at(now, identity, 'home'))).toBe(0)
          lockout.tried(at(now, identity, 'home'), false)
          expect(lockout.waitMs(at(now + limits.maxWaitMs, identity, 'home'))).toBe(0)
          lockout.tried(at(now + limits.maxWaitMs, identity, 'home'), true)
        }
      }),
    )
  })
})
