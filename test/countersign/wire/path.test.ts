import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findSegment, maxSegmentLength, stripSegment } from '../../../packages/countersign/src/wire/path.ts'
import { maxTargetLength } from '../../../packages/countersign/src/wire/query.ts'
import { anyText, expectTotal, numRuns } from './support.ts'

const prefix = '/connect/'
const pieces = ['/connect/', '/conn%65ct/', '/', '%2F', '?', '#', 'abc', '%41', '%C3%A9', '+', '..', ';']
const targets = fc.oneof(
  anyText(...pieces),
  anyText(...pieces).map((rest) => prefix + rest),
)

describe('the last segment of a path', () => {
  it.each([
    ['/connect/abc', 'abc'],
    ['/connect/abc?a=/b', 'abc'],
    ['/connect/%C3%A9%2f', 'é/'],
    ['/connect/a+b', 'a+b'],
    ['/%63onnect/a', 'a'],
  ])('of %s is %s', (target, value) => {
    expect(findSegment(target, prefix)).toEqual({ kind: 'found', value })
  })

  it.each([
    '',
    '/',
    '/connect',
    '/connect/',
    '/connect/?abc',
    '/connecting/a',
    '/connect%2Fa',
    '?/connect/a',
  ])('is not there in %j', (target) => {
    expect(findSegment(target, prefix)).toEqual({ kind: 'absent' })
  })

  it.each(['a/', 'a/b', '/a', 'a\\b', 'a#b', 'a b', 'é', '%', '%zz', '%C3', '%00', '%7f'])(
    'is malformed as %j',
    (rest) => {
      expect(findSegment(prefix + rest, prefix)).toMatchObject({ kind: 'malformed' })
    },
  )

  it('is bounded, and so is its target', () => {
    const longest = 'a'.repeat(maxSegmentLength)
    expect(findSegment(prefix + longest, prefix)).toMatchObject({ kind: 'found' })
    expect(findSegment(`${prefix}${longest}a`, prefix)).toMatchObject({ kind: 'malformed' })
    expect(findSegment(`/?${'a'.repeat(maxTargetLength)}`, prefix)).toMatchObject({ kind: 'malformed' })
  })

  it('is found, absent or malformed in any text', () => {
    expectTotal((text) => findSegment(text, prefix), targets)
  })
})

describe('stripping the path', () => {
  it.each([
    ['/connect/abc', '/connect/'],
    ['/connect/abc?a=%41', '/connect/?a=%41'],
    ['/connect/a/b#c?d', '/connect/?d'],
    ['/conn%65ct/abc', '/conn%65ct/'],
    ['/connect/', '/connect/'],
    ['/other/abc', '/other/abc'],
  ])('makes %s %s', (target, stripped) => {
    expect(stripSegment(target, prefix)).toBe(stripped)
  })

  it('leaves nothing to be found, keeps the query, and changes nothing the second time', () => {
    fc.assert(
      fc.property(targets, (target) => {
        const once = stripSegment(target, prefix)
        const queryOf = (text: string): string => (text.includes('?') ? text.slice(text.indexOf('?')) : '')
        return (
          (findSegment(once, prefix).kind === 'absent' || target.length > maxTargetLength) &&
          queryOf(once) === queryOf(target) &&
          stripSegment(once, prefix) === once
        )
      }),
      { numRuns },
    )
  })
})
