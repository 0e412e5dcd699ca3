import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isExtensionList } from '../../../packages/countersign/src/wire/extensions.ts'
import { anyText, numRuns } from './support.ts'

const pieces = ['permessage-deflate', '; ', ';', ',', '=', '"', '\\', 'a', '15', ' ']
const token = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]"
const value = `(?:${token}+|"(?:\\\\?${token})+")`
const extension = `[ \\t]*${token}+[ \\t]*(?:;[ \\t]*${token}+(?:=${value})?[ \\t]*)*`
const grammar = new RegExp(`^${extension}(?:,${extension})*$`)

describe('isExtensionList', () => {
  it.each([
    'permessage-deflate',
    'permessage-deflate; client_max_window_bits',
    'permessage-deflate;server_max_window_bits=10 , a ; b="c\\d" ;e, f',
    'a;b="\\c\\c"',
    '__proto__; constructor=1',
  ])('accepts %j', (header) => {
    expect(isExtensionList(header)).toBe(true)
  })

  it.each([
    '',
    ' ',
    ',',
    'a,',
    ',a',
    'a;',
    'a;;b',
    'a=b',
    'a;b=',
    'a;b=,',
    'a;b=""',
    'a;b="c',
    'a;b="c\\"',
    'a;b="c d"',
    'a;b="c"d',
    'a;b= c',
    'a b',
    'a;b="\\c\\',
    'a\u0000',
    '\u00e9',
    'a'.repeat(4097),
  ])('refuses %.30j', (header) => {
    expect(isExtensionList(header)).toBe(false)
  })

  it('accepts exactly the grammar, for any text', () => {
    fc.assert(
      fc.property(anyText(...pieces), (header) => {
        expect(isExtensionList(header)).toBe(grammar.test(header) && !header.endsWith('\n'))
      }),
      { numRuns },
    )
  })
})
