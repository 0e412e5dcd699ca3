import { randomBytes, randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { strengthOf } from '../../../packages/server/src/audit/nonce-strength.ts'

const fifty = (make: (at: number) => string): readonly string[] =>
  Array.from({ length: 50 }, (_, at) => make(at))

describe('the strength of what is made anew each time', () => {
  it.each([
    ['hex', () => randomBytes(16).toString('hex'), 128],
    ['base64url', () => randomBytes(16).toString('base64url'), 128],
    ['256 bits', () => randomBytes(32).toString('base64url'), 256],
    ['version 4 of a UUID', () => randomUUID(), 122],
    ['eight characters', () => randomBytes(4).toString('hex'), 32],
  ])('is what is random in it: %s', (_name, make, bits) => {
    expect(strengthOf(fifty(make))).toEqual({ repeated: 0, grows: false, bits })
  })

  it('counts nothing that never changes, and nothing that only grows', () => {
    const { bits, grows } = strengthOf(
      fifty((at) => `${1_700_000_000 + at}.host7.${randomBytes(4).toString('hex')}`),
    )
    expect(grows).toBe(true)
    expect(bits).toBeLessThanOrEqual(8 * 6.5)
  })

  it('sees a counter, however it is written', () => {
    expect(strengthOf(fifty((at) => String(95 + at))).grows).toBe(true)
    expect(strengthOf(fifty((at) => (4_096 + at * 3).toString(16))).grows).toBe(true)
    expect(strengthOf(fifty(() => randomBytes(16).toString('hex'))).grows).toBe(false)
  })

  it('sees what comes again', () => {
    expect(strengthOf(fifty((at) => `${at % 10}-and-more`)).repeated).toBe(40)
  })
})
