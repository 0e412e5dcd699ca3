import { describe, expect, it } from 'vitest'
import { Allowance } from '../../../packages/server/src/server/allowance.ts'

describe('an allowance', () => {
  it('grants so many a minute to each key, and says how long to wait', () => {
    const allowance = new Allowance(2)
    expect([1, 2, 3].map(() => allowance.take('a', 90_000))).toEqual([0, 0, 30_000])
    expect(allowance.take('b', 90_000)).toBe(0)
    expect(allowance.take('a', 120_000)).toBe(0)
  })

  it('lets keys beyond its memory share one counter', () => {
    const allowance = new Allowance(1, 2)
    for (const key of ['a', 'b', 'c']) expect(allowance.take(key, 0)).toBe(0)
    expect(allowance.take('d', 0)).toBe(60_000)
  })
})
