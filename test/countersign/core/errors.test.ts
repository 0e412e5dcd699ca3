import { describe, expect, test } from 'vitest'
import { checkWhole, MisuseError, OutageError } from '../../../packages/countersign/src/core/errors.ts'

describe('an error', () => {
  test('has a name, a code and, for an outage, a cause', () => {
    const cause = new Error('disk')
    expect(new MisuseError('closed', 'words')).toMatchObject({
      name: 'MisuseError',
      code: 'closed',
      message: 'words',
    })
    expect(new OutageError('keys_unavailable', 'words', { cause })).toMatchObject({
      name: 'OutageError',
      code: 'keys_unavailable',
      cause,
    })
  })
})

describe('a whole number', () => {
  test.each([1, 5, 10])('may be %d between 1 and 10', (value) => {
    expect(() => checkWhole('option', value, [1, 10])).not.toThrow()
  })

  test.each([0, 11, 1.5, NaN, Infinity])('may not be %d', (value) => {
    expect(() => checkWhole('store: option', value, [1, 10])).toThrow(
      'store: option is a whole number from 1 to 10',
    )
  })
})
