import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defaultPauses, pauseMs } from '../../../packages/countersign/src/client/backoff.ts'
import type { Advice } from '../../../packages/countersign/src/index.ts'

const advices: readonly Advice[] = ['new_credential', 'retry', 'wait', 'back_off', 'reconnect']

describe('a pause', () => {
  test('is drawn over the whole of its window', () => {
    const at = (random: number): number => pauseMs('retry', { failures: 3, random: () => random })
    expect([at(0), at(0.5), at(1)]).toEqual([0, 4_000, 8_000])
  })

  test('is never before the instant that was asked for, nor beyond the widest window behind it', () => {
    const input = fc.record({
      advice: fc.constantFrom(...advices),
      failures: fc.nat(2_000),
      afterMs: fc.option(fc.nat(86_400_000), { nil: undefined }),
      at: fc.double({ min: 0, max: 0.999_999, noNaN: true }),
    })
    fc.assert(
      fc.property(input, ({ advice, failures, afterMs, at }) => {
        const ms = pauseMs(advice, { failures, afterMs, random: () => at })
        const asked = afterMs ?? (advice === 'wait' ? defaultPauses.advisedMs : 0)
        expect(ms).toBeGreaterThanOrEqual(asked)
        expect(ms).toBeLessThanOrEqual(asked + defaultPauses.maxMs)
      }),
    )
  })

  test('after a server that shuts down lies anywhere in the advised window, from the first attempt on', () => {
    const row = { failures: 0, random: () => 0.999 }
    expect(pauseMs('reconnect', row)).toBe(4_995)
    expect(pauseMs('retry', row)).toBe(999)
  })
})
