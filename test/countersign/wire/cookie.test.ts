import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findCookie, serializeCookie, stripCookie } from '../../../packages/countersign/src/wire/cookie.ts'
import { anyText, expectTotal, numRuns } from './support.ts'

const pieces = ['sid', '=', ';', '; ', 'abc', '"', 'other', ',', ' sid=1', 'sid=2', '__Host-sid', '\\']

describe('findCookie', () => {
  it.each([
    [undefined, undefined],
    ['', undefined],
    ['sid', undefined],
    ['sid=', undefined],
    ['sid=""', undefined],
    ['SID=a', undefined],
    ['xsid=a; sidx=b', undefined],
    ['=sid=a', undefined],
    ['a=sid=b', undefined],
    ['s%69d=a', undefined],
    ['sid=a', 'a'],
    ['a=1; sid=abc; b=2', 'abc'],
    ['a=1;sid=abc;b=2', 'abc'],
    [';;  sid\t= abc ;', 'abc'],
    ['sid="abc"', 'abc'],
    ['sid=a=b==', 'a=b=='],
    ['sid=s%3Aabc.def', 's%3Aabc.def'],
    ['sid=a; sid=a', 'a'],
    ['sid=a; sid="a"', 'a'],
    ['bad="\u00e9,"; sid=a', 'a'],
    ['a; sid=b', 'b'],
  ])('reads %j as %j', (header, value) => {
    expect(findCookie(header, 'sid')).toEqual(
      value === undefined ? { kind: 'absent' } : { kind: 'found', value },
    )
  })

  it.each([
    ['sid=a; sid=b', 'cookies disagree'],
    ['sid=a; sid=', 'cookies disagree'],
    ['sid=a b', 'cookie characters'],
    ['sid=a,b', 'cookie characters'],
    ['sid=a"b', 'cookie characters'],
    ['sid="', 'cookie characters'],
    ['sid=a\\b', 'cookie characters'],
    ['sid=\u00e9', 'cookie characters'],
    ['sid=a\u0000', 'cookie characters'],
    [`a=${'b'.repeat(16_383)}`, 'cookie header too long'],
  ])('refuses %.40j', (header, why) => {
    expect(findCookie(header, 'sid')).toEqual({ kind: 'malformed', why })
  })

  it('answers one of three kinds for any header', () => {
    expectTotal((text) => findCookie(text, 'sid'), anyText(...pieces))
  })
})

describe('stripCookie', () => {
  it.each([
    ['a=1; sid=s; b=2', 'a=1; b=2'],
    ['sid=s', ''],
    ['sid', ''],
    ['sid=s; sid=t; a=1', 'a=1'],
    ['a=1; sid = s', 'a=1'],
    ['a="x;y";  b', 'a="x;y";  b'],
    ['', ''],
  ])('makes %j into %j', (header, stripped) => {
    expect(stripCookie(header, ['sid'])).toBe(stripped)
  })

  it('leaves no cookie of the name, keeps the others in place, and does nothing twice', () => {
    fc.assert(
      fc.property(anyText(...pieces), (header) => {
        const stripped = stripCookie(header, ['sid'])
        expect(findCookie(stripped, 'sid').kind).toBe('absent')
        expect(stripCookie(stripped, ['sid'])).toBe(stripped)
        expect(findCookie(stripped, 'other')).toEqual(findCookie(header, 'other'))
      }),
      { numRuns },
    )
  })
})

describe('serializeCookie', () => {
  it('writes every attribute', () => {
    expect(
      serializeCookie('__Host-sid', 'abc', {
        secure: true,
        httpOnly: true,
        sameSite: 'None',
        partitioned: true,
        maxAgeSeconds: 60,
      }),
    ).toBe('__Host-sid=abc; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=None; Partitioned')
  })

  it('writes a path and nothing else by default', () => {
    expect(serializeCookie('sid', '')).toBe('sid=; Path=/')
    expect(serializeCookie('sid', 'a', { path: '/x', maxAgeSeconds: 0 })).toBe('sid=a; Path=/x; Max-Age=0')
  })

  it.each([
    ['', 'a', {}],
    ['a b', 'a', {}],
    ['a=b', 'a', {}],
    ['sid', 'a;b', {}],
    ['sid', 'a b', {}],
    ['sid', '\u00e9', {}],
    ['sid', 'a'.repeat(4094), {}],
    ['sid', 'a', { path: 'x' }],
    ['sid', 'a', { path: '/;Domain=evil' }],
    ['sid', 'a', { path: '/\r\n' }],
    ['sid', 'a', { maxAgeSeconds: 1.5 }],
    ['sid', 'a', { maxAgeSeconds: -1 }],
    ['__Host-sid', 'a', {}],
    ['__host-sid', 'a', { secure: true, path: '/x' }],
    ['__Secure-sid', 'a', {}],
    ['sid', 'a', { sameSite: 'None' }],
    ['sid', 'a', { partitioned: true }],
  ] as const)('throws on the misuse %.20j=%.20j %j', (name, value, attributes) => {
    expect(() => serializeCookie(name, value, attributes)).toThrow(TypeError)
  })

  it('writes what findCookie reads', () => {
    fc.assert(
      fc.property(fc.base64String(), (value) => {
        const [pair] = serializeCookie('sid', value).split('; ')
        expect(findCookie(pair, 'sid')).toEqual(value === '' ? { kind: 'absent' } : { kind: 'found', value })
      }),
    )
  })
})
