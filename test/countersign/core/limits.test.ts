import { describe, expect, test } from 'vitest'
import { defaultLimits, limitsOf } from '../../../packages/countersign/src/core/limits.ts'

describe('limits', () => {
  test('are the defaults where nothing is said', () => {
    expect(limitsOf(undefined)).toEqual(defaultLimits)
  })

  test('keep the rest of a group when one member is named', () => {
    expect(limitsOf({ pool: { total: 7 }, lockout: { failures: 2 }, graceMs: 0 })).toEqual({
      ...defaultLimits,
      graceMs: 0,
      pool: { ...defaultLimits.pool, total: 7 },
      lockout: { ...defaultLimits.lockout, failures: 2 },
    })
  })

  test('may be infinite', () => {
    expect(limitsOf({ maxLeaseMs: Infinity }).maxLeaseMs).toBe(Infinity)
  })

  test.each([
    [{ deadlineMs: NaN }, 'deadlineMs'],
    [{ maxBytes: -1 }, 'maxBytes'],
    [{ pool: { total: '9' as never } }, 'total'],
    [{ lockout: { failures: undefined as never } }, 'failures'],
    [{ jitter: 1.5 }, 'jitter'],
  ])('refuse %j', (options, name) => {
    expect(() => limitsOf(options)).toThrow(name)
  })
})
