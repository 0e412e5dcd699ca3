import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseAuthenticate, parseFirstMessage } from '../../../packages/countersign/src/wire/first-message.ts'
import { anyText, expectTotal } from './support.ts'

const first = (message: unknown) =>
  parseFirstMessage(typeof message === 'string' ? message : JSON.stringify(message), 4096)
const authenticate = (message: unknown) =>
  parseAuthenticate(typeof message === 'string' ? message : JSON.stringify(message), 4096)
const init = (payload: unknown) => first({ type: 'connection_init', payload })

const texts = anyText(
  '{"type":"auth"',
  '{"type":"hello"',
  '{"type":"connection_init"',
  '{"type":"authenticate"',
  ',"token":"a"',
  ',"ticket":"b"',
  ',"payload":{',
  '"Authorization":"Bearer a"',
  ',"authid":"u"',
  ',"methods":["wampcra"]',
  ',"nonce":"n"',
  ',"signature":"s"',
  ',"extra":{}',
  '}',
  'abc',
)

describe('parseFirstMessage', () => {
  it('reads the usual message as it reads the same JSON with a blank in it', () => {
    const token = fc.string({
      unit: fc.constantFrom(
        'a',
        '7',
        '.',
        '"',
        '\\',
        '\\"',
        'u0041',
        '}',
        '{',
        ' ',
        '\u007f',
        'é',
        '\ud800',
        '\n',
        ',',
      ),
      maxLength: 8,
    })
    const end = fc.constantFrom('"}', '"', '}', '"} ', '","token":"a"}', '","ticket":"b"}', '')
    fc.assert(
      fc.property(token, end, fc.integer({ min: 24, max: 48 }), (text, last, maxBytes) => {
        const usual = `{"type":"auth","token":"${text}${last}`
        const same = `{ "type":"auth","token":"${text}${last}`
        expect(parseFirstMessage(usual, maxBytes)).toEqual(parseFirstMessage(same, maxBytes + 1))
      }),
      { numRuns: 20_000 },
    )
  })

  it.each(['abc', 'a.b-c_d~', '[1]', '"a"', 'a'.repeat(4096)])('reads the bare token %.20j', (token) => {
    expect(first(token)).toEqual({ kind: 'found', value: { kind: 'bare', token } })
  })

  it.each([' abc', 'abc\n', 'a b', 'a\u0000', '\u00e9', ' {"type":"auth","token":"a"}', 'a'.repeat(4097)])(
    'refuses %.20j as a bare token',
    (text) => {
      expect(first(text).kind).toBe('malformed')
    },
  )

  it('finds nothing in the empty message', () => {
    expect(first('')).toEqual({ kind: 'absent' })
  })

  it.each([
    [{ type: 'auth', token: 'a' }],
    [{ type: 'auth', access_token: 'a' }],
    [{ type: 'auth', ticket: 'a', id: 7 }],
    [{ type: 'auth', token: 'a', ticket: 'a', access_token: '' }],
  ])('reads %j', (message) => {
    expect(first(message)).toEqual({ kind: 'found', value: { kind: 'auth', token: 'a', form: 'auth' } })
  })

  it.each([
    [{ token: 'a' }],
    [{ access_token: 'a' }],
    [{ ticket: 'a' }],
    [{ authToken: 'a' }],
    [{ Authorization: 'Bearer a' }],
    [{ authorization: 'bearer a', token: 'a', other: {} }],
  ])('reads connection_init with %j', (payload) => {
    expect(init(payload)).toEqual({
      kind: 'found',
      value: { kind: 'auth', token: 'a', form: 'connection_init' },
    })
  })

  it.each([
    { type: 'auth' },
    { type: 'auth', token: '' },
    { type: 'auth', token: null },
    { type: 'connection_init' },
    { type: 'connection_init', payload: null },
    { type: 'connection_init', payload: {} },
    { type: 'connection_init', payload: { Authorization: '' } },
    { type: 'connection_init', payload: { Authorization: 'Bearer' } },
    { type: 'connection_init', payload: { Authorization: null } },
  ])('finds nothing in %j', (message) => {
    expect(first(message)).toEqual({ kind: 'absent' })
  })

  it.each([
    '{',
    '{"type":"auth","token":"a"',
    '{"type":"auth","token":"a","token":"a"}',
    '{"type":"auth","token":"a"} x',
    '{}',
    '{"type":"constructor"}',
    '{"type":["auth"],"token":"a"}',
    { type: 'authenticate', signature: 'a' },
    { type: 'Auth', token: 'a' },
    { type: 'auth', token: 1 },
    { type: 'auth', token: ['a'] },
    { type: 'auth', token: 'a b' },
    { type: 'auth', token: 'a\n' },
    { type: 'auth', token: 'a', ticket: 'b' },
    { type: 'auth', token: 'a', ticket: {} },
    { type: 'connection_init', payload: 'a' },
    { type: 'connection_init', payload: [] },
    { type: 'connection_init', payload: { token: 'a', Authorization: 'Bearer b' } },
    { type: 'connection_init', payload: { Authorization: 'Basic a' } },
    { type: 'connection_init', payload: { Authorization: 'Bearer \u0000' } },
    { type: 'connection_init', payload: { Authorization: 1 } },
    `{"type":"auth","token":"a","x":${'['.repeat(9)}${']'.repeat(9)}}`,
    { type: 'auth', token: 'a', x: 'y'.repeat(5000) },
  ])('refuses %.60j', (message) => {
    expect(first(message).kind).toBe('malformed')
  })

  it('reads a hello', () => {
    expect(first({ type: 'hello', authid: 'j\u00f6rg', methods: ['wampcra', 'scram-sha-256'] })).toEqual({
      kind: 'found',
      value: { kind: 'hello', authid: 'j\u00f6rg', methods: ['wampcra', 'scram-sha-256'], nonce: undefined },
    })
    expect(first({ type: 'hello', authid: 'a', methods: ['m'], nonce: 'n/=' })).toMatchObject({
      value: { nonce: 'n/=' },
    })
  })

  it.each([
    { authid: undefined },
    { authid: '' },
    { authid: 1 },
    { authid: 'a\u0000' },
    { authid: 'a'.repeat(1025) },
    { methods: undefined },
    { methods: 'wampcra' },
    { methods: [] },
    { methods: [1] },
    { methods: ['a b'] },
    { methods: ['a'.repeat(65)] },
    { methods: Array.from({ length: 17 }, () => 'a') },
    { nonce: '' },
    { nonce: 1 },
    { nonce: null },
    { nonce: 'a'.repeat(257) },
  ])('refuses a hello with %.60j', (change) => {
    expect(first({ type: 'hello', authid: 'a', methods: ['wampcra'], ...change }).kind).toBe('malformed')
  })

  it('answers one of three kinds for any text', () => {
    expectTotal((text) => parseFirstMessage(text, 4096), texts)
  })
})

describe('parseAuthenticate', () => {
  it('reads a signature, with and without extra', () => {
    expect(authenticate({ type: 'authenticate', signature: 's/+=' })).toEqual({
      kind: 'found',
      value: { signature: 's/+=', extra: {} },
    })
    expect(authenticate({ type: 'authenticate', signature: 's', extra: { a: [1] } })).toMatchObject({
      value: { extra: { a: [1] } },
    })
  })

  it.each(['', { type: 'authenticate' }, { type: 'authenticate', signature: '' }])(
    'finds nothing in %j',
    (message) => {
      expect(authenticate(message)).toEqual({ kind: 'absent' })
    },
  )

  it.each([
    'abc',
    '[]',
    '"s"',
    { type: 'auth', signature: 's' },
    { type: 'authenticate', signature: 1 },
    { type: 'authenticate', signature: 'a b' },
    { type: 'authenticate', signature: 's', extra: [] },
    { type: 'authenticate', signature: 's', extra: null },
  ])('refuses %j', (message) => {
    expect(authenticate(message).kind).toBe('malformed')
  })

  it('answers one of three kinds for any text', () => {
    expectTotal((text) => parseAuthenticate(text, 4096), texts)
  })
})
