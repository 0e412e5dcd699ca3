import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { closeReason, isValidCloseCode } from '../../../packages/countersign/src/wire/close.ts'
import { numRuns } from './support.ts'

describe('closeReason', () => {
  it('fits a close frame, is well-formed and a prefix of the text, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const reason = closeReason(text)
        const size = Buffer.byteLength(reason)
        expect(size).toBeLessThanOrEqual(123)
        expect(reason.isWellFormed()).toBe(true)
        expect(text.toWellFormed().startsWith(reason)).toBe(true)
        expect(reason.length === text.length || size > 119).toBe(true)
      }),
      { numRuns },
    )
  })

  it('cuts before a character that does not fit', () => {
    expect(closeReason('a'.repeat(130))).toBe('a'.repeat(123))
    expect(closeReason(`${'a'.repeat(121)}\u{1f600}`)).toBe('a'.repeat(121))
    expect(closeReason(`${'a'.repeat(119)}\u{1f600}b`)).toBe(`${'a'.repeat(119)}\u{1f600}`)
    expect(closeReason('\ud800')).toBe('\ufffd')
  })
})

describe('isValidCloseCode', () => {
  it.each([1000, 1001, 1003, 1007, 1011, 1014, 3000, 4429, 4999])('allows %d', (code) => {
    expect(isValidCloseCode(code)).toBe(true)
  })

  it.each([0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 1000.5, Number.NaN, -1000])(
    'refuses %d',
    (code) => {
      expect(isValidCloseCode(code)).toBe(false)
    },
  )
})
