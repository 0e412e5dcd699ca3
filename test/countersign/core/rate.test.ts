import { describe, expect, test } from 'vitest'
import { Rate } from '../../../packages/countersign/src/core/rate.ts'

describe('the rate', () => {
  test('allows so many a second and source, and starts anew with the next second', () => {
    const rate = new Rate(2, 10)
    expect([1, 2, 3].map(() => rate.allows('a', 1_500))).toEqual([true, true, false])
    expect(rate.allows('b', 1_900)).toBe(true)
    expect(rate.allows('a', 2_000)).toBe(true)
  })

  test('lets sources beyond its memory share one counter', () => {
    const rate = new Rate(1, 2)
    expect(rate.allows('a', 0)).toBe(true)
    expect(rate.allows('b', 0)).toBe(true)
    expect(rate.allows('c', 0)).toBe(true)
    expect(rate.allows('d', 0)).toBe(false)
    expect(rate.allows('a', 0)).toBe(false)
  })

  test('allows nobody at a rate of zero', () => {
    expect(new Rate(0, 10).allows('a', 0)).toBe(false)
  })
})
