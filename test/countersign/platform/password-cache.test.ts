import { describe, expect, test } from 'vitest'
import { PasswordCache } from '../../../packages/countersign/src/platform/password-cache.ts'

describe('the memory of right passwords', () => {
  test('remembers until the time is over, which asking does not prolong', () => {
    const cache = new PasswordCache(1000, 10)
    const entry = cache.entryOf('secret', 'hash')
    cache.add(entry, 0)
    expect(cache.has(entry, 600)).toBe(true)
    expect(cache.has(entry, 999)).toBe(true)
    expect(cache.has(entry, 1000)).toBe(false)
    expect(cache.has(entry, 0)).toBe(false)
  })

  test('remembers nothing when it may not', () => {
    const cache = new PasswordCache(0, 10)
    const entry = cache.entryOf('secret', 'hash')
    cache.add(entry, 0)
    expect(cache.has(entry, 0)).toBe(false)
  })

  test('tells passwords, stored hashes and their boundary apart', () => {
    const cache = new PasswordCache(1000, 10)
    const pairs = [
      ['secret', 'hash'],
      ['secret', 'hash2'],
      ['secrets', 'hash'],
      ['secreth', 'ash'],
      ['1:a', ''],
      ['', '1:a'],
    ] as const
    expect(new Set(pairs.map(([password, stored]) => cache.entryOf(password, stored))).size).toBe(
      pairs.length,
    )
  })

  test('names the same password differently in another process', () => {
    const names = [1, 2].map(() => new PasswordCache(1000, 10).entryOf('secret', 'hash'))
    expect(names[0]).not.toBe(names[1])
    expect(names[0]).not.toContain('secret')
  })

  test('gives up the entry that was used longest ago when it is full', () => {
    const cache = new PasswordCache(1000, 2)
    for (const entry of ['a', 'b']) cache.add(entry, 0)
    expect(cache.has('a', 1)).toBe(true)
    cache.add('c', 2)
    expect(['a', 'b', 'c'].map((entry) => cache.has(entry, 3))).toEqual([true, false, true])
  })
})
