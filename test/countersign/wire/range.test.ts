import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  addressGroups,
  addressRules,
  covers,
  formatRange,
  parseRange,
} from '../../../packages/countersign/src/wire/range.ts'
import { numRuns } from '../support/guard.ts'

describe('a block of addresses', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7/32'],
    ['192.0.2.7/24', '192.0.2.0/24'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['::ffff:192.0.2.7/120', '192.0.2.0/24'],
    ['2001:DB8::1/32', '2001:db8::/32'],
    ['::/0', '::/0'],
    ['2001:db8::1', '2001:db8::1/128'],
  ])('%s is written %s', (text, canonical) => {
    expect(addressRules.normalise(text)).toBe(canonical)
  })

  test.each([
    '',
    '/',
    '192.0.2.7/',
    '192.0.2.7/33',
    '192.0.2.7/-1',
    '192.0.2.7/08',
    '192.0.2.7/1.5',
    '192.0.2/24',
  ])('%j is none', (text) => expect(parseRange(text)).toBeUndefined())

  test.each(['::/129', '2001:db8::/', 'fe80::1%eth0/64', 'localhost', '192.0.2.0/24/24', '1'.repeat(10_000)])(
    '%j is none either',
    (text) => expect(parseRange(text)).toBeUndefined(),
  )

  test('covers the IPv4 address and the one that maps it alike, and no other', () => {
    const within = addressRules.test('192.0.2.128/25')
    expect(['192.0.2.128', '::ffff:192.0.2.255', '::ffff:c000:2ff'].map(within)).toEqual([true, true, true])
    expect(['192.0.2.127', '::192.0.2.129', 'unix', ''].map(within)).toEqual([false, false, false, false])
  })

  test('covers exactly the addresses that begin with its bits', () => {
    const groups = fc.array(fc.nat(0xffff), { minLength: 8, maxLength: 8 })
    fc.assert(
      fc.property(groups, groups, fc.nat(128), fc.boolean(), (block, other, bits, near) => {
        const text = block.map((one) => one.toString(16)).join(':')
        const range = parseRange(`${text}/${bits}`)
        if (range === undefined) return false
        const address = near ? block.map((one, at) => (at < 6 ? one : (other[at] ?? 0))) : other
        const spell = (list: readonly number[]): string =>
          list.map((one) => one.toString(2).padStart(16, '0')).join('')
        return covers(range, address) === spell(address).startsWith(spell(block).slice(0, bits))
      }),
      { numRuns },
    )
  })

  test('is read back from how it is written, and any text is a block or none', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.ipV4Extended(), fc.ipV6()), fc.nat(140), (text, bits) => {
        for (const one of [text, `${text}/${bits}`]) {
          const range = parseRange(one)
          expect(range && parseRange(formatRange(range))).toEqual(range)
          addressGroups(one)
        }
      }),
      { numRuns },
    )
  })
})
