import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  daysOption,
  durationOption,
  parseDuration,
  writeDuration,
} from '../../../packages/server/src/cli/duration.ts'
import { CommandError } from '../../../packages/server/src/cli/exit-codes.ts'

const numRuns = Number(process.env['COUNTERSIGN_FUZZ_RUNS'] ?? 10_000)

describe('a duration', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['15m', 900_000],
    ['8h', 28_800_000],
    ['90d', 7_776_000_000],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
    expect(writeDuration(ms)).toBe(text)
  })

  it.each(['', '0s', '30', 's', '-5s', '1.5h', '5 m', '5M', '5w', '999999999d', '36501d'])(
    'refuses %j',
    (text) => {
      expect(parseDuration(text)).toBeUndefined()
    },
  )

  it('is a number of milliseconds within a century, or nothing, whatever the text', () => {
    const anything = fc.property(fc.string(), (text) => {
      const ms = parseDuration(text)
      return ms === undefined || (ms > 0 && ms <= 36_500 * 86_400_000)
    })
    fc.assert(anything, { numRuns })
  })

  it('survives being written and read again', () => {
    const whole = fc.property(
      fc.integer({ min: 1, max: 1e12 }),
      (ms) => parseDuration(writeDuration(ms)) === ms || ms > 999_999_999,
    )
    fc.assert(whole, { numRuns })
  })

  it('names the option and shows how it is written when it is none', () => {
    expect(() => durationOption('--ttl', 'soon')).toThrow(
      '--ttl soon: not a duration; write 30s, 15m, 8h or 90d',
    )
    expect(() => durationOption('--ttl', 'soon')).toThrow(CommandError)
  })

  it('of nothing is written as 0s', () => {
    expect(writeDuration(0)).toBe('0s')
  })
})

describe('a number of days', () => {
  it('is read with and without its unit', () => {
    expect([daysOption('--days', '90'), daysOption('--days', '90d')]).toEqual([90, 90])
  })

  it.each(['0', '-1', '1.5', 'ten', '36501', ''])('refuses %j', (text) => {
    expect(() => daysOption('--days', text)).toThrow('not a number of days between 1 and 36500')
  })
})
