import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  parseAuthorization,
  parseBasic,
  parseBearer,
} from '../../../packages/countersign/src/wire/authorization.ts'
import { anyText, expectTotal, numRuns } from './support.ts'

const base64 = (text: string, encoding: 'utf8' | 'latin1' = 'utf8') =>
  Buffer.from(text, encoding).toString('base64')

describe('parseAuthorization', () => {
  it.each([
    ['Basic YTpi', 'basic', 'YTpi'],
    ['BEARER   abc  ', 'bearer', 'abc'],
    ['Negotiate', 'negotiate', ''],
    ['Digest a="b", c=d', 'digest', 'a="b", c=d'],
  ])('reads %j', (value, scheme, rest) => {
    expect(parseAuthorization(value)).toEqual({ kind: 'found', value: { scheme, rest } })
  })

  it.each([undefined, '', '  '])('finds nothing in %j', (value) => {
    expect(parseAuthorization(value).kind).toBe('absent')
  })

  it.each([
    'Basic\tabc',
    'B\u00e4sic abc',
    ':',
    'Bearer a\u0000',
    'Bearer \u00e9',
    'Bearer a\tb',
    `Bearer ${'a'.repeat(16_500)}`,
  ])('refuses %.30j', (value) => {
    expect(parseAuthorization(value).kind).toBe('malformed')
  })

  it('answers one of three kinds for any value', () => {
    expectTotal(parseAuthorization, anyText('Basic', 'Bearer', ' ', 'YTpi', '=', ',', '"'))
  })
})

describe('parseBasic', () => {
  it.each([
    ['a:b', 'a', 'b'],
    ['a:b:c', 'a', 'b:c'],
    ['TOKEN:', 'TOKEN', ''],
    [':p', '', 'p'],
    ['J\u00f6rg:\u{1f511}', 'J\u00f6rg', '\u{1f511}'],
    [`${'u'.repeat(1024)}:${'p'.repeat(1024)}`, 'u'.repeat(1024), 'p'.repeat(1024)],
  ])('reads %.30j', (text, username, password) => {
    expect(parseBasic(base64(text))).toEqual({ kind: 'found', value: { username, password } })
  })

  it.each(['', base64(':')])('finds nothing in %j', (rest) => {
    expect(parseBasic(rest).kind).toBe('absent')
  })

  it.each([
    ['!!!', 'basic encoding'],
    ['YTpi=', 'basic encoding'],
    ['YTpi YTpi', 'basic encoding'],
    ['YTpiYw', 'basic encoding'],
    [base64('ab'), 'basic without colon'],
    [base64('a\u0000:b'), 'basic characters'],
    [base64('a:b\n'), 'basic characters'],
    [base64('J\u00f6rg:x', 'latin1'), 'basic characters'],
    [base64(`${'u'.repeat(1025)}:p`), 'basic too long'],
    [base64(`u:${'p'.repeat(1025)}`), 'basic too long'],
    [base64(`${'u'.repeat(1024)}:${'p'.repeat(1025)}`), 'basic encoding'],
  ])('refuses %.30j', (rest, why) => {
    expect(parseBasic(rest)).toEqual({ kind: 'malformed', why })
  })

  it('brings any name and password through', () => {
    const word = fc.string({ unit: 'grapheme' }).filter((text) => !/[\u0000-\u001f\u007f]/.test(text))
    fc.assert(
      fc.property(word, word, (name, password) => {
        const username = name.replaceAll(':', '')
        const answer = parseBasic(base64(`${username}:${password}`))
        fc.pre(username !== '' || password !== '')
        expect(answer).toEqual({ kind: 'found', value: { username, password } })
      }),
      { numRuns: 1_000 },
    )
  })

  it('answers one of three kinds for any text', () => {
    expectTotal(
      parseBasic,
      fc.oneof(
        anyText('YTpi', '=', '==', 'Og', 'AA'),
        fc.string({ unit: 'binary' }).map((t) => base64(t)),
      ),
    )
  })
})

describe('parseBearer', () => {
  it.each(['a', 'abc.def-_~+/', 'abc==', 'a'.repeat(16_384)])('reads %.30j', (rest) => {
    expect(parseBearer(rest)).toEqual({ kind: 'found', value: rest })
  })

  it.each(['=', 'a=b', 'a b', 'a,b', '"a"', '\u00e9', 'a'.repeat(16_385)])('refuses %.30j', (rest) => {
    expect(parseBearer(rest).kind).toBe('malformed')
  })

  it('finds nothing in the empty text', () => {
    expect(parseBearer('').kind).toBe('absent')
  })

  it('accepts exactly the b64token of RFC 6750', () => {
    fc.assert(
      fc.property(anyText('abc', '=', '.', '-', '~', '+', '/', ' '), (text) => {
        expect(parseBearer(text).kind === 'found').toBe(
          /^[A-Za-z0-9\-._~+/]+=*$/.test(text) && !text.endsWith('\n'),
        )
      }),
      { numRuns },
    )
    expectTotal(parseBearer, anyText('abc', '=', '.', '-'))
  })
})
