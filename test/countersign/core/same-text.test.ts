import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { sameText } from '../../../packages/countersign/src/core/same-text.ts'
import { numRuns } from '../support/guard.ts'

test('two texts are the same when every character is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => sameText(text, text.split('').join(''))),
    { numRuns },
  )
})

test('two texts differ when any character does, or the length', () => {
  fc.assert(
    fc.property(
      fc.string({ maxLength: 4 }),
      fc.string({ maxLength: 4 }),
      (one, other) => sameText(one, other) === (one === other),
    ),
    { numRuns },
  )
  expect(sameText('', 'a')).toBe(false)
  expect(sameText('a', '')).toBe(false)
  expect(sameText('a\0', 'a')).toBe(false)
  expect(sameText('a', 'a\0')).toBe(false)
})
