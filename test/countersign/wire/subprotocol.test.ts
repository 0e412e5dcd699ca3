import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  findBearerSubprotocol,
  parseSubprotocols,
  stripSubprotocols,
} from '../../../packages/countersign/src/wire/subprotocol.ts'
import { anyText, expectTotal, numRuns, valueOf } from './support.ts'

const base64url = (text: string | Uint8Array) => Buffer.from(text).toString('base64url')
const k8s = (text: string | Uint8Array) => `base64url.bearer.authorization.k8s.io.${base64url(text)}`
const phx = (text: string | Uint8Array) => `base64url.bearer.phx.${base64url(text)}`
const pieces = [
  'bearer',
  ', ',
  ',',
  'countersign.v1',
  'countersign.bearer.',
  'abc',
  'base64url.bearer.phx.',
  'YWJj',
  k8s('abc'),
  '=',
]

describe('parseSubprotocols', () => {
  it.each([
    ['a', ['a']],
    ['a, b', ['a', 'b']],
    [' a\t,b ', ['a', 'b']],
    ['a,A', ['a', 'A']],
    ["!#$%&'*+-.^_`|~09az,AZ", ["!#$%&'*+-.^_`|~09az", 'AZ']],
  ])('reads %j', (header, offered) => {
    expect(parseSubprotocols(header)).toEqual({ kind: 'found', value: offered })
  })

  it('finds nothing without a header', () => {
    expect(parseSubprotocols(undefined).kind).toBe('absent')
  })

  it.each([
    '',
    ' ',
    ',',
    'a,',
    ',a',
    'a,,b',
    'a b',
    'a, a',
    'a=b',
    'a/b',
    '"a"',
    'a\u0000',
    '\u00e9',
    'a;b',
    'a'.repeat(16_385),
  ])('refuses %.30j', (header) => {
    expect(parseSubprotocols(header).kind).toBe('malformed')
  })

  it('reads 32 entries and no more', () => {
    const list = (count: number) => Array.from({ length: count }, (_, index) => `p${index}`).join()
    expect(valueOf(parseSubprotocols(list(32)))).toHaveLength(32)
    expect(parseSubprotocols(list(33))).toEqual({ kind: 'malformed', why: 'too many subprotocols' })
  })

  it('answers one of three kinds for any header', () => {
    expectTotal(parseSubprotocols, anyText(...pieces))
  })
})

describe('findBearerSubprotocol', () => {
  it.each([
    [['countersign.v1', 'countersign.bearer.abc'], 'abc', ['countersign.bearer.abc']],
    [['countersign.v1', 'bearer', 'abc'], 'abc', ['bearer', 'abc']],
    [[k8s('a.b/c='), 'v4.channel.k8s.io'], 'a.b/c=', [k8s('a.b/c=')]],
    [['phoenix', phx('abc')], 'abc', [phx('abc')]],
    [
      ['countersign.bearer.abc', 'bearer', 'abc', phx('abc')],
      'abc',
      ['countersign.bearer.abc', 'bearer', 'abc', phx('abc')],
    ],
  ])('reads %j', (offered, token, secrets) => {
    expect(findBearerSubprotocol(offered)).toEqual({ kind: 'found', value: { token, secrets } })
  })

  it.each([[[]], [['countersign.v1']], [['Bearer', 'abc']], [['countersign.bearer']]])(
    'finds nothing in %j',
    (offered) => {
      expect(findBearerSubprotocol(offered)).toEqual({ kind: 'absent' })
    },
  )

  it.each([
    [['countersign.bearer.']],
    [['bearer']],
    [['a', 'bearer']],
    [['base64url.bearer.phx.']],
    [['base64url.bearer.phx.YWJ']],
    [['base64url.bearer.phx.YWJj+']],
    [[phx('a b')]],
    [[phx('\u00e9')]],
    [[phx(Uint8Array.of(0xff))]],
    [[k8s('a\n')]],
    [['countersign.bearer.a', 'countersign.bearer.b']],
    [['bearer', 'a', phx('b')]],
    [['bearer', 'countersign.bearer.a']],
  ])('refuses %j', (offered) => {
    expect(findBearerSubprotocol(offered).kind).toBe('malformed')
  })

  it('answers one of three kinds for any list', () => {
    const list = (text: string) => findBearerSubprotocol(text.split(','))
    expectTotal(list, anyText(...pieces))
  })
})

describe('stripSubprotocols', () => {
  it.each([
    [undefined, ['a'], undefined],
    ['a, b', ['c'], 'a, b'],
    ['a,b ,c', ['b'], 'a, c'],
    ['bearer, abc', ['bearer', 'abc'], 'bearer'],
    ['countersign.bearer.abc', ['countersign.bearer.abc'], undefined],
    ['bearer', ['bearer'], undefined],
    ['countersign.v1, bearer, abc', ['bearer', 'abc'], 'countersign.v1'],
  ])('makes %j without %j into %j', (header, secrets, stripped) => {
    expect(stripSubprotocols(header, secrets)).toBe(stripped)
  })

  it('leaves no token behind and hides it whole', () => {
    fc.assert(
      fc.property(anyText(...pieces), (header) => {
        const offered = parseSubprotocols(header)
        const shown = offered.kind === 'found' ? findBearerSubprotocol(offered.value) : undefined
        if (offered.kind !== 'found' || shown?.kind !== 'found') return
        const { secrets } = shown.value
        const stripped = stripSubprotocols(header, secrets)
        const left = stripped === undefined ? [] : valueOf(parseSubprotocols(stripped))
        const others = offered.value.filter((entry) => !secrets.includes(entry))
        expect(left).toEqual(others.length === 0 && secrets.includes('bearer') ? ['bearer'] : others)
        expect(findBearerSubprotocol(left).kind).not.toBe('found')
      }),
      { numRuns },
    )
  })
})
