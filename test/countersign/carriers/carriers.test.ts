import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Handshake } from '../../../packages/countersign/src/core/handshake.ts'
import {
  authorization,
  challengeFrames,
  cookie,
  firstMessage,
  path,
  query,
  subprotocol,
  tls,
  type Carrier,
  type Credential,
  type HandshakeCarrier,
} from '../../../packages/countersign/src/index.ts'
import { certificateOf } from '../support/certificates.ts'
import { handshakeOf, numRuns } from '../support/guard.ts'

const token = (text: string, form: 'bare' | 'auth' | 'connection_init' = 'bare'): Credential => ({
  kind: 'token',
  text,
  form,
})
const basic = (text: string): string => `Basic ${btoa(text)}`

interface Row {
  readonly carrier: HandshakeCarrier
  /** The member of the handshake that it reads. */
  readonly member: 'target' | 'cookie' | 'authorization' | 'subprotocol'
  readonly found: readonly (readonly [text: string, credential: Credential])[]
  readonly absent: readonly string[]
  readonly malformed: readonly string[]
}

const rows: Readonly<Record<string, Row>> = {
  query: {
    carrier: query(),
    member: 'target',
    found: [
      ['/?ticket=a', token('a')],
      ['/x?a=1&tick%65t=%61', token('a')],
      ['/?ticket=a&ticket=a', token('a')],
    ],
    absent: ['/', '/?', '/?ticket', '/?ticket=', '/?token=a'],
    malformed: ['/?ticket=a&ticket=b', '/?ticket=%', '/?ticket=%00'],
  },
  'query of two names': {
    carrier: query('token', 'access_token'),
    member: 'target',
    found: [
      ['/?token=a', token('a')],
      ['/?token=a&access_token=a', token('a')],
    ],
    absent: ['/?ticket=a'],
    malformed: ['/?token=a&access_token=b'],
  },
  path: {
    carrier: path({ prefix: '/connect/' }),
    member: 'target',
    found: [
      ['/connect/a', token('a')],
      ['/connect/a?ticket=b', token('a')],
      ['/conn%65ct/%61', token('a')],
      ['/connect/a+b', token('a+b')],
    ],
    absent: ['/', '/connect', '/connect/', '/connect/?a', '/Connect/a', '/x/connect/a', '/connect%2Fa'],
    malformed: ['/connect/a/', '/connect/a/b', '/connect/%', '/connect/%00', '/connect/a\\b', '/connect/a#b'],
  },
  cookie: {
    carrier: cookie('sid'),
    member: 'cookie',
    found: [
      ['sid=a', token('a')],
      ['x=1; sid="a"', token('a')],
    ],
    absent: ['', 'x=1', 'SID=a', 'sid='],
    malformed: ['sid=a; sid=b', 'sid=a b'],
  },
  'authorization Bearer': {
    carrier: authorization('Bearer'),
    member: 'authorization',
    found: [
      ['Bearer a', token('a')],
      ['bEARER  a==', token('a==')],
    ],
    absent: ['', basic('a:b'), 'Bearer', 'Digest x'],
    malformed: ['Bearer a b', 'Bearer é', '@'],
  },
  'authorization Basic': {
    carrier: authorization('Basic'),
    member: 'authorization',
    found: [
      [basic('u:p:q'), { kind: 'basic', username: 'u', password: 'p:q' }],
      [basic('token:'), { kind: 'basic', username: 'token', password: '' }],
    ],
    absent: ['', basic(':'), 'Basic', 'Bearer a'],
    malformed: ['Basic !!!', basic('no colon'), basic('a\u0000:b')],
  },
  subprotocol: {
    carrier: subprotocol(),
    member: 'subprotocol',
    found: [
      ['countersign.v1, countersign.bearer.a', token('a')],
      ['bearer, a', token('a')],
      [`base64url.bearer.phx.${btoa('a').replaceAll('=', '')}`, token('a')],
    ],
    absent: ['countersign.v1', 'wamp.2.json'],
    malformed: ['', 'bearer', 'countersign.bearer.', 'countersign.bearer.a, countersign.bearer.b', 'a, a'],
  },
}

const pieces = [
  '/connect/',
  '%2F',
  'ticket',
  'token',
  'access_token',
  'sid',
  '=',
  '&',
  '?',
  '/',
  '%',
  '%74',
  '; ',
  '"',
  'Bearer ',
  'Basic ',
  'dTpw',
  ',',
  'bearer',
  'countersign.bearer.',
  'base64url.bearer.phx.',
  'eA',
  '\u0000',
  '\ud800',
  'é',
  ' ',
  '+',
  '{"type":"auth","token":"',
  '"}',
  '{"type":"hello","authid":"a","methods":["wampcra"]}',
  '{"type":"connection_init","payload":{',
]
const anyText = fc.oneof(
  fc.array(fc.constantFrom(...pieces), { maxLength: 10 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 40 }),
)

describe.each(Object.entries(rows))(
  'the carrier %s',
  (_name, { carrier, member, found, absent, malformed }) => {
    const find = (text: string): ReturnType<HandshakeCarrier['find']> =>
      carrier.find(handshakeOf({ [member]: text }))

    test.each(found)('finds a credential in %j', (text, credential) => {
      expect(find(text)).toEqual({ kind: 'found', value: credential })
    })

    test.each(absent)('finds none in %j', (text) => {
      expect(find(text)).toEqual({ kind: 'absent' })
    })

    test.each(malformed)('refuses %j', (text) => {
      expect(find(text)).toMatchObject({ kind: 'malformed' })
    })

    test('finds none where its place is empty', () => {
      expect(carrier.find(handshakeOf())).toEqual({ kind: 'absent' })
    })

    test('answers one of three things for any text, and never throws', () => {
      fc.assert(
        fc.property(anyText, (text) => {
          const search = find(text)
          if (search.kind === 'found') return search.value.kind === 'token' || search.value.kind === 'basic'
          return search.kind === 'absent' || search.why.length < 60
        }),
        { numRuns },
      )
    })

    test('reads no other place than its own', () => {
      const others = {
        target: '/?ticket=x&token=x',
        cookie: 'sid=x',
        authorization: 'Bearer x',
        subprotocol: 'countersign.bearer.x',
      }
      const facts: Partial<Handshake> = { ...others, [member]: member === 'target' ? '/' : undefined }
      expect(carrier.find(handshakeOf(facts))).toEqual({ kind: 'absent' })
    })
  },
)

describe('what a carrier says of its place', () => {
  test.each<[string, HandshakeCarrier, Partial<HandshakeCarrier>]>([
    [
      'the query',
      query('a', 'b'),
      { key: 'query:a,b', ambient: false, absentOrigin: 'allow', bearer: true, scheme: 'Countersign' },
    ],
    [
      'a cookie',
      cookie('sid'),
      { key: 'cookie:sid', ambient: true, absentOrigin: 'refuse', bearer: true, scheme: 'Countersign' },
    ],
    [
      'a cookie of programs',
      cookie('sid', { absentOrigin: 'allow' }),
      { ambient: true, absentOrigin: 'allow' },
    ],
    [
      'Basic',
      authorization('Basic'),
      { key: 'authorization:basic', ambient: false, absentOrigin: 'allow', bearer: true, scheme: 'Basic' },
    ],
    ['Bearer', authorization('Bearer'), { key: 'authorization:bearer', scheme: 'Bearer' }],
    [
      'a subprotocol',
      subprotocol(),
      { key: 'subprotocol', ambient: false, absentOrigin: 'allow', bearer: true },
    ],
    ['a certificate', tls(), { key: 'tls', ambient: true, absentOrigin: 'allow', bearer: false }],
  ])('%s', (_name, carrier, facts) => {
    expect(carrier).toMatchObject(facts)
  })

  test.each<[string, HandshakeCarrier, object]>([
    ['query parameters', query('a', 'b'), { query: ['a', 'b'] }],
    ['what is behind its prefix', path({ prefix: '/a/' }), { paths: ['/a/'] }],
    ['its cookie', cookie('sid'), { cookies: ['sid'] }],
    ['the header', authorization('Basic'), { headers: ['authorization'] }],
    ['secret subprotocols', subprotocol(), { subprotocols: true }],
    ['nothing of a certificate', tls(), {}],
  ])('hides %s', (_what, carrier, hides) => {
    expect(carrier.hides).toEqual({
      query: [],
      paths: [],
      cookies: [],
      headers: [],
      subprotocols: false,
      ...hides,
    })
  })
})

describe('the carrier path', () => {
  test.each([
    '',
    'connect/',
    '/connect',
    '//',
    '//a/',
    '/a?/',
    '/a#/',
    '/%61/',
    '/é/',
    `/${'a'.repeat(1_024)}/`,
  ])('has no prefix like %j', (prefix) => {
    expect(() => path({ prefix })).toThrow(expect.objectContaining({ code: 'invalid_option' }))
  })

  test('may stand at the root, and is another place for another prefix', () => {
    expect(path({ prefix: '/' }).find(handshakeOf({ target: '/a?b' }))).toEqual({
      kind: 'found',
      value: token('a'),
    })
    expect(path({ prefix: '/' }).key).not.toBe(path({ prefix: '/a/' }).key)
    expect(path({ prefix: '/' })).toMatchObject({ ambient: false, absentOrigin: 'allow', bearer: true })
  })
})

describe('the carrier tls', () => {
  test('finds the certificate of the connection', () => {
    const certificate = certificateOf()
    expect(tls().find(handshakeOf({ certificate }))).toEqual({
      kind: 'found',
      value: { kind: 'certificate', certificate },
    })
    expect(tls().find(handshakeOf())).toEqual({ kind: 'absent' })
  })
})

describe('the first message', () => {
  const hello = '{"type":"hello","authid":"peter","methods":["wampcra"]}'

  test.each<[string, Credential]>([
    ['cst_abc', token('cst_abc')],
    ['{"type":"auth","token":"a"}', token('a', 'auth')],
    ['{"type":"connection_init","payload":{"token":"a"}}', token('a', 'connection_init')],
  ])('%j carries a token', (text, credential) => {
    expect(firstMessage().read(text)).toEqual({ kind: 'found', value: credential })
    expect(challengeFrames().read(text)).toEqual({ kind: 'absent' })
  })

  test('may open a challenge instead, which another carrier reads', () => {
    expect(firstMessage().read(hello)).toEqual({ kind: 'absent' })
    expect(challengeFrames().read(hello)).toEqual({
      kind: 'found',
      value: { kind: 'hello', authid: 'peter', methods: ['wampcra'], nonce: undefined, join: undefined },
    })
  })

  test.each(['{', '{"type":"auth","token":7}', 'two words', '{"type":"what"}'])(
    '%j is refused by both',
    (text) => {
      expect(firstMessage().read(text)).toMatchObject({ kind: 'malformed' })
      expect(challengeFrames().read(text)).toMatchObject({ kind: 'malformed' })
    },
  )

  test('is no longer than it may be', () => {
    expect(firstMessage({ maxBytes: 4 }).read('abcd')).toMatchObject({ kind: 'found' })
    expect(firstMessage({ maxBytes: 4 }).read('abcde')).toMatchObject({ kind: 'malformed' })
    expect(challengeFrames({ maxBytes: 4 }).read(hello)).toMatchObject({ kind: 'malformed' })
  })

  test.each<[string, () => Carrier, object]>([
    [
      'token by default',
      () => firstMessage(),
      { key: 'first-message', bearer: true, replies: true, absentOrigin: 'allow', maxBytes: 16_384 },
    ],
    [
      'token as said',
      () => firstMessage({ replies: false, absentOrigin: 'refuse' }),
      { replies: false, absentOrigin: 'refuse' },
    ],
    [
      'challenge by default',
      () => challengeFrames(),
      { key: 'challenge-frames', bearer: false, replies: true, absentOrigin: 'allow' },
    ],
    [
      'challenge as said',
      () => challengeFrames({ replies: false, absentOrigin: 'refuse' }),
      { replies: false, absentOrigin: 'refuse' },
    ],
  ])('has rules: %s', (_what, make, facts) => {
    expect(make()).toMatchObject(facts)
  })

  test.each([
    ['token', firstMessage()],
    ['challenge', challengeFrames()],
  ])('as %s is one of three things for any text, and nothing throws', (_what, carrier) => {
    fc.assert(
      fc.property(anyText, (text) => ['found', 'absent', 'malformed'].includes(carrier.read(text).kind)),
      { numRuns },
    )
  })
})
