import { describe, expect, test } from 'vitest'
import { defaultLockout, Lockout } from '../../../packages/countersign/src/core/lockout.ts'

const wrong = (now: number): { readonly right: false; readonly now: number } => ({ right: false, now })

/** A lockout in which this many failures have happened, all at instant 0. */
function failed(times: number, options: Partial<typeof defaultLockout> = {}): Lockout {
  const lockout = new Lockout({ ...defaultLockout, ...options })
  for (let at = 0; at < times; at++) lockout.tried('alice', '192.0.2.1', wrong(0))
  return lockout
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
    [500, 60_000],
  ])('after %i failures lets the next try wait %i ms', (failures, waitMs) => {
    expect(failed(failures).waitMs('alice', '192.0.2.1', 0)).toBe(waitMs)
  })

  test('counts the wait from the last failure', () => {
    const lockout = failed(5)
    expect(lockout.waitMs('alice', '192.0.2.1', 400)).toBe(600)
    expect(lockout.waitMs('alice', '192.0.2.1', 1_000)).toBe(0)
  })

  test('lets one try through after the wait, not all that were sent at once', () => {
    const lockout = failed(6)
    const waits = Array.from({ length: 4 }, () => lockout.waitMs('alice', '192.0.2.1', 2_000))
    expect(waits).toEqual([0, 2_000, 2_000, 2_000])
  })

  test('keeps identities apart, and sources', () => {
    const lockout = failed(5)
    expect(lockout.waitMs('bob', '192.0.2.1', 0)).toBe(0)
    expect(lockout.waitMs('alice', '192.0.2.2', 0)).toBe(0)
  })

  test('does not take two pairs for one when identity and source run together', () => {
    const lockout = new Lockout({ ...defaultLockout, failures: 1 })
    lockout.tried('ab', 'c', wrong(0))
    expect(lockout.waitMs('a', 'bc', 0)).toBe(0)
    expect(lockout.waitMs('ab', 'c', 0)).toBe(1_000)
  })

  test('forgets failures after a success', () => {
    const lockout = failed(9)
    lockout.tried('alice', '192.0.2.1', { right: true, now: 1 })
    expect(lockout.waitMs('alice', '192.0.2.1', 1)).toBe(0)
    lockout.tried('alice', '192.0.2.1', wrong(2))
    expect(lockout.waitMs('alice', '192.0.2.1', 2)).toBe(0)
  })

  test('forgets failures after a long silence', () => {
    const lockout = failed(20)
    expect(lockout.waitMs('alice', '192.0.2.1', defaultLockout.forgetMs)).toBe(0)
    lockout.tried('alice', '192.0.2.1', wrong(defaultLockout.forgetMs))
    expect(lockout.waitMs('alice', '192.0.2.1', defaultLockout.forgetMs)).toBe(0)
  })

  test('keeps a bounded number of pairs, and drops the one untouched longest', () => {
    const lockout = failed(5, { maxEntries: 3 })
    for (const name of ['b', 'c', 'd']) lockout.tried(name, 's', wrong(1))
    expect(lockout.waitMs('alice', '192.0.2.1', 1)).toBe(0)
    lockout.tried('b', 's', wrong(2))
    lockout.tried('e', 's', wrong(3))
    const strict = new Lockout({ ...defaultLockout, failures: 1, maxEntries: 2 })
    for (const name of ['a', 'b', 'a', 'c']) strict.tried(name, 's', wrong(0))
    expect(strict.waitMs('b', 's', 0)).toBe(0)
    expect(strict.waitMs('a', 's', 0)).toBeGreaterThan(0)
  })

  test('has defaults', () => {
    const lockout = new Lockout()
    for (let at = 0; at < 5; at++) lockout.tried('a', 's', wrong(0))
    expect(lockout.waitMs('a', 's', 0)).toBe(defaultLockout.firstWaitMs)
  })

  test('counts names together that are long and begin alike, so that a name costs no more memory than it may', () => {
    const strict = new Lockout({ ...defaultLockout, failures: 1 })
    const long = 'x'.repeat(300)
    strict.tried(`${long}1`, 's', wrong(0))
    expect(strict.waitMs(`${long}2`, 's', 0)).toBeGreaterThan(0)
    expect(strict.waitMs(long, 's', 0)).toBe(0)
  })
})
