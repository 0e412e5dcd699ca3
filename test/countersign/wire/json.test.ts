import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isJsonArray, isJsonObject, parseJson } from '../../../packages/countersign/src/wire/json.ts'
import { anyText, expectTotal, numRuns, valueOf } from './support.ts'

const limits = { maxBytes: 100_000, maxDepth: 20 }
const parse = (text: string) => parseJson(text, limits)

describe('parseJson', () => {
  it('agrees with JSON.parse on JSON without repeated members', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
        const text = JSON.stringify(value, null, indent)
        fc.pre(text.isWellFormed() && !/\\ud[89a-f]/.test(text))
        expect(JSON.stringify(valueOf(parse(text)))).toBe(JSON.stringify(JSON.parse(text)))
      }),
      { numRuns },
    )
  })

  it('accepts nothing that JSON.parse refuses', () => {
    const texts = anyText(
      '{',
      '}',
      '[',
      ']',
      '"a"',
      ':',
      ',',
      '1',
      '-',
      '.',
      'e',
      '0',
      'true',
      'null',
      '\\u0041',
      ' ',
    )
    fc.assert(
      fc.property(texts, (text) => {
        const answer = parse(text)
        return answer.kind !== 'found' || JSON.stringify(answer.value) === JSON.stringify(JSON.parse(text))
      }),
      { numRuns },
    )
  })

  it('answers one of three kinds for any text', () => {
    expectTotal(
      parse,
      anyText('{"', '":', '"', '{', '}', '[', ']', ',', '1e9', '-0.5', 'false', '\\u', 'd800', '\\n'),
    )
  })

  it.each([
    ['1', 1],
    ['-0.5e+1', -5],
    ['1E-2', 0.01],
    [' [ ] ', []],
    ['"\\u0041\\"\\\\\\/\\b\\f\\n\\r\\t"', 'A"\\/\b\f\n\r\t'],
    ['"\\ud83d\\ude00x"', '\u{1f600}x'],
    ['"\u{1f600}\\n"', '\u{1f600}\n'],
    ['"\ud83d\\ude00"', '\u{1f600}'],
    ['[true,false,null]', [true, false, null]],
  ])('reads %s', (text, value) => {
    expect(parse(text)).toEqual({ kind: 'found', value })
  })

  it.each([
    '\u00a01',
    '\ufeff1',
    '01',
    '-',
    '-01',
    '1.',
    '.5',
    '1e',
    '1e+',
    '+1',
    '0x1',
    'NaN',
    'Infinity',
    'tru',
    'True',
    "'a'",
    '"a',
    '"\n"',
    '"\\x"',
    '"\\u12g4"',
    '"\\u12"',
    '[1,]',
    '[,1]',
    '[1 2]',
    '[1',
    '{"a":1,}',
    '{a:1}',
    '{"a"}',
    '{"a" 1}',
    '{"a":}',
    '{"a":1',
    '{1:1}',
    '1 2',
    '{}}',
    '/**/1',
    ' ',
  ])('refuses %j', (text) => {
    expect(parse(text).kind).toBe('malformed')
  })

  it.each([
    ['{"a":1,"a":1}', 'repeated JSON member'],
    ['{"a":1,"\\u0061":2}', 'repeated JSON member'],
    ['[{"b":{"__proto__":1,"__proto__":2}}]', 'repeated JSON member'],
    ['"\\ud800"', 'lone surrogate in JSON'],
    ['"\ud800"', 'lone surrogate in JSON'],
    ['"\ud800\\n"', 'lone surrogate in JSON'],
    ['"\\n\udfff"', 'lone surrogate in JSON'],
    ['{"\\udc00":1}', 'lone surrogate in JSON'],
    ['1e309', 'JSON number out of range'],
    ['1 x', 'text after JSON'],
  ])('refuses %j because: %s', (text, why) => {
    expect(parse(text)).toEqual({ kind: 'malformed', why })
  })

  it('finds nothing in the empty text', () => {
    expect(parse('')).toEqual({ kind: 'absent' })
  })

  it('keeps a member called __proto__ from becoming a prototype', () => {
    const value = valueOf(parse('{"__proto__":{"admin":true},"constructor":1}'))
    if (!isJsonObject(value)) throw new Error('expected an object')
    expect(Object.getPrototypeOf(value)).toBeNull()
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor'])
    expect(value['admin']).toBeUndefined()
  })

  it.each([
    ['{"__proto__":1}', 'JSON member __proto__'],
    ['[{"a":{"\\u005f_proto_\\u005f":1}}]', 'JSON member __proto__'],
    ['{"__proto__":1,"__proto__":1}', 'JSON member __proto__'],
  ])('refuses the member in %s where it is told to', (text, why) => {
    expect(parseJson(text, { ...limits, refuseProto: true })).toEqual({ kind: 'malformed', why })
  })

  it('takes __proto__ as a value, and the names of what objects inherit, even then', () => {
    const text = '{"a":"__proto__","constructor":1,"__proto":2}'
    expect(parseJson(text, { ...limits, refuseProto: true }).kind).toBe('found')
  })

  it('counts depth and bytes', () => {
    const shallow = { maxBytes: 8, maxDepth: 2 }
    expect(parseJson('[[1]]', shallow).kind).toBe('found')
    expect(parseJson('[[[]]]', shallow)).toEqual({ kind: 'malformed', why: 'JSON too deep' })
    expect(parseJson('{"a":{}}', { maxBytes: 8, maxDepth: 1 })).toEqual({
      kind: 'malformed',
      why: 'JSON too deep',
    })
    expect(parseJson('1', { maxBytes: 8, maxDepth: 0 }).kind).toBe('found')
    expect(parseJson('"\u00e9\u00e9\u00e9"', shallow).kind).toBe('found')
    expect(parseJson('"\u00e9\u00e9\u00e9a"', shallow)).toEqual({ kind: 'malformed', why: 'JSON too long' })
  })

  it('survives nesting far beyond its bound', () => {
    expect(parse('['.repeat(50_000))).toEqual({ kind: 'malformed', why: 'JSON too deep' })
  })

  it('tells arrays and objects apart', () => {
    expect([isJsonObject({}), isJsonObject([]), isJsonObject(null), isJsonObject('a')]).toEqual([
      true,
      false,
      false,
      false,
    ])
    expect([isJsonArray([]), isJsonArray({}), isJsonArray(undefined)]).toEqual([true, false, false])
  })
})
