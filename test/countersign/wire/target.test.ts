import { describe, expect, it } from 'vitest'
import { parseTarget } from '../../../packages/countersign/src/wire/target.ts'
import { anyText, expectTotal } from './support.ts'

describe('parseTarget', () => {
  it.each([
    ['/', '/', ''],
    ['/?', '/', ''],
    ['/a/b?c=d?e', '/a/b', 'c=d?e'],
    ['/a%2Fb;v=1?x=|{}\\', '/a%2Fb;v=1', 'x=|{}\\'],
    ['/a//b', '/a//b', ''],
  ])('reads %j', (target, path, query) => {
    expect(parseTarget(target)).toEqual({ kind: 'found', value: { path, query } })
  })

  it('finds nothing in the empty text', () => {
    expect(parseTarget('').kind).toBe('absent')
  })

  it.each([
    'http://example.com/',
    'wss://example.com/',
    'example.com:443',
    '*',
    '?a=b',
    '//example.com/',
    '/\\example.com',
    '/a\\b',
    '/a#b',
    '/?a#b',
    '/a b',
    '/\u0000',
    '/a\r\nX: y',
    '/\u00e9',
    '/\u007f',
    `/${'a'.repeat(8192)}`,
  ])('refuses %.40j', (target) => {
    expect(parseTarget(target).kind).toBe('malformed')
  })

  it('accepts the greatest length', () => {
    expect(parseTarget(`/${'a'.repeat(8191)}`).kind).toBe('found')
  })

  it('answers one of three kinds for any text', () => {
    expectTotal(parseTarget, anyText('/', '//', '?', '#', 'a', '%2F', 'http:', '*', '\\'))
  })
})
