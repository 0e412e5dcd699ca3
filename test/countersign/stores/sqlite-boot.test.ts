import { describe, expect, test } from 'vitest'
import { bootId, isSameBoot } from '../../../packages/countersign/src/stores/sqlite-boot.ts'

describe('the boot of the machine', () => {
  test('has one name until it is started again', () => {
    expect(bootId()).toBe(bootId())
    expect(isSameBoot(bootId(), bootId())).toBe(true)
  })

  test('is known by its time where the system gives it no name', () => {
    const [one, other] = [bootId('/nowhere'), bootId('/nowhere')]
    expect(one).toMatch(/^at:\d+$/)
    expect(isSameBoot(one, other)).toBe(true)
  })

  test.each([
    ['at:1000000', 'at:1029999', true],
    ['at:1029999', 'at:1000000', true],
    ['at:1000000', 'at:1030000', false],
    ['at:1000000', 'e1177c19-bff3-41db-8cba-4c226aa27110', false],
    ['e1177c19-bff3-41db-8cba-4c226aa27110', 'at:1000000', false],
    ['at:', 'at:x', false],
  ])('%s and %s are one: %s', (one, other, same) => {
    expect(isSameBoot(one, other)).toBe(same)
  })
})
