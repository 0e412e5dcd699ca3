import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findParameter, stripParameters } from '../../../packages/countersign/src/wire/query.ts'
import { anyText, expectTotal, numRuns } from './support.ts'

const names = ['ticket', 'access_token']
const pieces = [
  '/p',
  '?',
  '&',
  '=',
  'ticket',
  'tick%65t',
  'access_token',
  'access%5Ftoken',
  'abc',
  '%41',
  '+',
  'other',
  '%C3%A9',
  '#',
  ';',
]

/** A query of listed and other parameters, some names spelled with percent-encoding. */
const spelled = fc.constantFrom(
  'ticket',
  'tick%65t',
  '%74icket',
  'access_token',
  'access%5ftoken',
  'a',
  'b+c',
  'Ticket',
  'ticket%20',
  '%zz',
  '',
)
const part = fc
  .tuple(spelled, fc.constantFrom('', '=', '=1', '=x%20y', '=%zz', '=a=b'))
  .map(([name, rest]) => name + rest)
const targets = fc.array(part, { maxLength: 6 }).map((parts) => `/path?${parts.join('&')}`)

const isSecret = (segment: string) => names.some((name) => new URLSearchParams(`&${segment}`).has(name))

describe('findParameter', () => {
  it.each([
    ['/', undefined],
    ['/?', undefined],
    ['/?ticket', undefined],
    ['/?ticket=', undefined],
    ['/?ticket&ticket=', undefined],
    ['/?Ticket=a', undefined],
    ['/?xticket=a&ticketx=b&ticke=c', undefined],
    ['/ticket=a', undefined],
    ['/?a=ticket=b', undefined],
    ['/?ticket=abc', 'abc'],
    ['/?a=1&ticket=abc&b=2', 'abc'],
    ['/?tick%65t=abc', 'abc'],
    ['/?%74%69%63%6B%65%74=abc', 'abc'],
    ['/?ticket=a%2Bb+c', 'a+b c'],
    ['/?ticket=%C3%A9', '\u00e9'],
    ['/?ticket=a=b=', 'a=b='],
    ['/?ticket=a&tick%65t=%61', 'a'],
    ['/?ticket=a&access_token=a', 'a'],
    ['http://h/?ticket=abc', 'abc'],
    ['/?ticket=abc#x', 'abc#x'],
    ['/?a=%zz&%zz=1&ticket=abc', 'abc'],
    ['?ticket=abc', 'abc'],
  ])('reads %j as %j', (target, value) => {
    expect(findParameter(target, names)).toEqual(
      value === undefined ? { kind: 'absent' } : { kind: 'found', value },
    )
  })

  it.each([
    ['/?ticket=a&ticket=b', 'parameters disagree'],
    ['/?ticket=a&ticket=', 'parameters disagree'],
    ['/?ticket=a&tick%65t=b', 'parameters disagree'],
    ['/?ticket=a&access_token=b', 'parameters disagree'],
    ['/?ticket=%', 'parameter value'],
    ['/?ticket=%zz', 'parameter value'],
    ['/?ticket=%e', 'parameter value'],
    ['/?ticket=%FF', 'parameter value'],
    ['/?ticket=%C0%AF', 'parameter value'],
    ['/?ticket=%ED%A0%80', 'parameter value'],
    ['/?ticket=%00', 'parameter value'],
    ['/?ticket=a%0D%0Ab', 'parameter value'],
    ['/?ticket=a b', 'parameter value'],
    ['/?ticket=\u00e9', 'parameter value'],
    ['/?ticket=a\u0000', 'parameter value'],
    [`/?ticket=${'a'.repeat(8193)}`, 'parameter value'],
    [`/?${'a'.repeat(16_384)}`, 'request target too long'],
  ])('refuses %.60j', (target, why) => {
    expect(findParameter(target, names)).toEqual({ kind: 'malformed', why })
  })

  it('reads names with a blank, a plus sign or a percent sign in them', () => {
    expect(findParameter('/?b+c=1', ['b c'])).toEqual({ kind: 'found', value: '1' })
    expect(findParameter('/?b%2bc=1', ['b+c'])).toEqual({ kind: 'found', value: '1' })
    expect(findParameter('/?b%zz=1', ['b%zz'])).toEqual({ kind: 'found', value: '1' })
  })

  it('accepts a value of the greatest length', () => {
    expect(findParameter(`/?ticket=${'a'.repeat(8192)}`, names).kind).toBe('found')
  })

  it('answers one of three kinds for any target', () => {
    expectTotal((text) => findParameter(text, names), anyText(...pieces))
  })

  it('sees every parameter that URLSearchParams sees, with the same value', () => {
    fc.assert(
      fc.property(fc.oneof(targets, anyText(...pieces)), (target) => {
        const query = target.includes('?') ? target.slice(target.indexOf('?') + 1) : ''
        const seen = names.flatMap((name) => new URLSearchParams(`&${query}`).getAll(name))
        const answer = findParameter(target, names)
        if (answer.kind === 'malformed') return
        const value = answer.kind === 'found' ? answer.value : ''
        expect(seen.filter((other) => other !== value)).toEqual([])
        expect(seen.length > 0 || value === '').toBe(true)
      }),
      { numRuns },
    )
  })
})

describe('stripParameters', () => {
  it.each([
    ['/p', '/p'],
    ['/p?', '/p?'],
    ['/p?a=1&b=%zz', '/p?a=1&b=%zz'],
    ['/p?ticket=s', '/p'],
    ['/p?ticket', '/p'],
    ['/p?tick%65t=s&access%5Ftoken=s', '/p'],
    ['/p?ticket=s&a=1', '/p?a=1'],
    ['/p?a=1&ticket=s', '/p?a=1'],
    ['/p?a=1&ticket=s&&b=+2&ticket=t', '/p?a=1&&b=+2'],
    ['/p?ticket=s&', '/p?'],
    ['/p?&ticket=s', '/p?'],
    ['/p?a=1&ticket=s#f', '/p?a=1'],
    ['http://h/p?ticket=s', 'http://h/p'],
  ])('makes %j into %j', (target, stripped) => {
    expect(stripParameters(target, names)).toBe(stripped)
  })

  it('leaves no listed parameter, leaves the others as they were, and does nothing twice', () => {
    fc.assert(
      fc.property(fc.oneof(targets, anyText(...pieces)), (target) => {
        const stripped = stripParameters(target, names)
        expect(findParameter(stripped, names).kind).toBe('absent')
        expect(stripParameters(stripped, names)).toBe(stripped)
        const mark = target.indexOf('?')
        const path = mark < 0 ? target : target.slice(0, mark)
        const segments = mark < 0 ? [] : target.slice(mark + 1).split('&')
        const kept = segments.filter((segment) => !isSecret(segment))
        expect(stripped).toBe(kept.length === 0 ? path : `${path}?${kept.join('&')}`)
      }),
      { numRuns },
    )
  })
})
