import { decode as readMsgpack, encode as writeMsgpack } from '@msgpack/msgpack'
import { decode as readCbor, encode as writeCbor } from 'cborg'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isSentByClient, shapes } from '../../../packages/countersign/src/wamp/shapes.ts'
import { jsonCodec } from '../../../packages/countersign/src/wamp/json-codec.ts'
import { noDict, type Dict, type Message } from '../../../packages/countersign/src/wamp/messages.ts'
import { payloadOf } from '../../../packages/countersign/src/wamp/values.ts'
import {
  anyPayload,
  call,
  cbor,
  codecs,
  everyMessage,
  fromHex,
  fuzzRuns,
  hex,
  json,
  msgpack,
  payloadIn,
  plain,
  plainPayload,
  text,
  utf8,
} from './codec-room.ts'

const references: readonly (readonly [
  string,
  (wire: unknown) => Uint8Array,
  (bytes: Uint8Array) => unknown,
])[] = [
  ['json', (wire) => utf8(JSON.stringify(wire)), (bytes) => JSON.parse(text(bytes))],
  ['msgpack', (wire) => writeMsgpack(wire), (bytes) => readMsgpack(bytes)],
  ['cbor', (wire) => writeCbor(wire), (bytes) => readCbor(bytes)],
]

describe.each(references)('%s', (name, write, read) => {
  const codec = codecs.find((one) => one.serialization === name) ?? json

  test.each(everyMessage)('writes what the reference library reads: %j', (message, wire) => {
    expect(read(codec.encode(message, 0))).toEqual(wire)
  })

  test.each(everyMessage)('reads what the reference library writes: %j', (message, wire) => {
    expect(plain(codec.decode(write(wire)))).toEqual(plain(message))
  })

  test('leaves room for the header of a transport', () => {
    const message = call(payloadOf(['x'.repeat(200)]))
    expect(codec.encode(message, 10).subarray(10)).toEqual(codec.encode(message, 0))
  })

  test('reads any arguments that the reference library writes, and writes what it reads', () => {
    fc.assert(
      fc.property(anyPayload, ([args, kwargs]) => {
        const wire = [48, 7, {}, 'com.example.add', args, kwargs]
        const received = payloadIn(codec.decode(write(wire)))
        expect(received.args()).toEqual(args)
        expect(received.kwargs()).toEqual(kwargs)
        const written = read(codec.encode(call(payloadOf(args, kwargs)), 0))
        const short = Object.keys(kwargs).length > 0 ? 6 : args.length > 0 ? 5 : 4
        expect(written).toEqual(wire.slice(0, short))
      }),
      { numRuns: fuzzRuns / 10 },
    )
  })

  test('reads any options that the reference library writes', () => {
    fc.assert(
      fc.property(anyPayload, ([, options]) => {
        const message = codec.decode(write([49, 7, options]))
        const present = Object.entries(options).filter(([, value]) => value !== null)
        expect(message).toEqual({ kind: 'cancel', request: 7, options: Object.fromEntries(present) })
      }),
      { numRuns: fuzzRuns / 10 },
    )
  })

  test('knows every code of the specification, and no other', () => {
    const codes = Object.values(shapes).map((shape) => shape.code)
    for (let code = 0; code < 300; code++) {
      const read = codec.decode(write([code]))
      const isUnknown = read.kind === 'malformed' && read.why === 'unknown message code'
      expect(isUnknown).toBe(!codes.includes(code))
    }
  })

  test.each([
    ['a message of no elements', []],
    ['no array', { 0: 48 }],
    ['no array but a text', '[48,1,{},"a"]'],
    ['a code that is a text', ['48', 1, {}, 'a.b']],
    ['a negative code', [-48, 1, {}, 'a.b']],
    ['an array for a code', [[48], 1, {}, 'a.b']],
    ['too few elements', [48, 1, {}]],
    ['an element too many', [48, 1, {}, 'a.b', [], {}, 1]],
    ['an element too many where none is optional', [33, 1, 2, 3]],
    ['a request id of zero', [48, 0, {}, 'a.b']],
    ['a negative request id', [48, -1, {}, 'a.b']],
    ['a fractional request id', [48, 1.5, {}, 'a.b']],
    ['a request id beyond 2^53', [48, 9007199254740994, {}, 'a.b']],
    ['a request id that is a text', [48, '1', {}, 'a.b']],
    ['a request id that is null', [48, null, {}, 'a.b']],
    ['options that are a list', [48, 1, [], 'a.b']],
    ['options that are null', [48, 1, null, 'a.b']],
    ['a procedure that is a number', [48, 1, {}, 1]],
    ['a procedure that is null', [48, 1, {}, null]],
    ['a realm that is a number', [1, 1, {}]],
    ['arguments that are a dictionary', [48, 1, {}, 'a.b', {}]],
    ['arguments that are a text', [48, 1, {}, 'a.b', 'x']],
    ['arguments that are null', [48, 1, {}, 'a.b', null]],
    ['keyword arguments that are a list', [48, 1, {}, 'a.b', [], []]],
    ['an error that answers no request', [8, 49, 1, {}, 'a.b']],
    ['a revocation that is a list', [35, 0, []]],
    ['a signature that is no text', [5, 1, {}]],
  ])('refuses %s', (_, wire) => {
    expect(codec.decode(write(wire))).toMatchObject({ kind: 'malformed' })
  })

  test('takes an ABORT that carries arguments, and writes none', () => {
    const abort = { kind: 'abort', details: {}, reason: 'a.b' }
    expect(codec.decode(write([3, {}, 'a.b', [1], { two: 2 }]))).toEqual(abort)
    expect(codec.decode(write([3, {}, 'a.b', [1]]))).toEqual(abort)
    expect(codec.decode(write([3, {}, 'a.b', {}]))).toMatchObject({ kind: 'malformed' })
  })

  test('takes null in options for absent, and keeps it further down', () => {
    const wire = [32, 1, { match: null, deep: { null: null } }, 'a.b']
    expect(codec.decode(write(wire))).toMatchObject({ options: { deep: { null: null } } })
    expect(codec.decode(write([32, 1, { match: null }, 'a.b']))).toMatchObject({ options: {} })
  })

  test('takes a member called __proto__ for a member', () => {
    const frame: Record<string, Uint8Array> = {
      json: utf8('[1,"r",{"__proto__":{"x":1}}]'),
      msgpack: fromHex('9301a17281a95f5f70726f746f5f5f81a17801'),
      cbor: fromHex('83016172a1695f5f70726f746f5f5fa1617801'),
    }
    const hello = codec.decode(frame[name] ?? new Uint8Array(0))
    const details: Dict = hello.kind === 'hello' ? hello.details : noDict
    expect(Object.keys(details)).toEqual(['__proto__'])
    expect(details.x).toBeUndefined()
    expect(hex(codec.encode({ kind: 'hello', realm: 'r', details }, 0))).toBe(
      hex(frame[name] ?? new Uint8Array(0)),
    )
  })

  test('gives the last of two members with one name', () => {
    const frame: Record<string, string> = {
      json: hex(utf8('[49,1,{"a":1,"a":2}]')),
      msgpack: '93310182a16101a16102',
      cbor: '83183101a2616101616102',
    }
    expect(codec.decode(fromHex(frame[name] ?? ''))).toMatchObject({ options: { a: 2 } })
  })

  test('ends a value that contains itself', () => {
    const endless: unknown[] = []
    endless.push(endless)
    expect(() => codec.encode(call(payloadOf(endless)), 0)).not.toThrow()
  })

  test('bounds the depth of arguments, options and what is only dropped', () => {
    const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)])
    expect(codec.decode(write([48, 1, {}, 'a.b', nested(64)]))).toMatchObject({ kind: 'call' })
    expect(codec.decode(write([48, 1, {}, 'a.b', nested(65)]))).toMatchObject({ kind: 'malformed' })
    expect(codec.decode(write([49, 1, { a: nested(63) }]))).toMatchObject({ kind: 'cancel' })
    expect(codec.decode(write([49, 1, { a: nested(64) }]))).toMatchObject({ kind: 'malformed' })
    expect(codec.decode(write([3, {}, 'a.b', nested(65)]))).toMatchObject({ kind: 'malformed' })
  })

  test('reads a long name, and one beyond ASCII, each time alike', () => {
    for (const name of ['a'.repeat(500), 'com.exämple.ü', 'com.\u{1F600}', 'x'.repeat(129)]) {
      for (let turn = 0; turn < 2; turn++) {
        expect(codec.decode(write([64, 1, {}, name]))).toMatchObject({ procedure: name })
      }
    }
  })
})

describe('names', () => {
  test('that share a place in the memory are told apart', () => {
    const names = Array.from({ length: 5000 }, (_, at) => `com.example.${at}`)
    for (const name of names) {
      expect(json.decode(utf8(`[64,1,{},"${name}"]`))).toMatchObject({ procedure: name })
    }
  })
})

describe('the table of shapes', () => {
  test('says who sends what', () => {
    const sent = everyMessage.filter(([message]) => isSentByClient(message)).map(([message]) => message.kind)
    expect(new Set(sent)).toEqual(
      new Set([
        'hello',
        'abort',
        'authenticate',
        'goodbye',
        'error',
        'publish',
        'subscribe',
        'unsubscribe',
        'call',
        'cancel',
        'register',
        'unregister',
        'yield',
      ]),
    )
  })
})

describe('integers', () => {
  const welcome: Message = {
    kind: 'welcome',
    session: 9129137332,
    details: { roles: { broker: {}, dealer: {} } },
  }

  test('above 2^32 leave as integers, never as floats', () => {
    expect(hex(msgpack.encode(welcome, 0))).toBe(
      '9302cf00000002202394b481a5726f6c657382a662726f6b657280a66465616c657280',
    )
    expect(hex(cbor.encode(welcome, 0))).toBe(
      '83021b00000002202394b4a165726f6c6573a26662726f6b6572a0666465616c6572a0',
    )
  })

  test.each([
    [msgpack, '9321cb3ff0000000000000cb41e0000000000000', 1, 2147483648],
    [msgpack, '9321ca3f800000d30000000100000000', 1, 4294967296],
    [msgpack, '9321d001d10001', 1, 1],
    [msgpack, '9321d200000001cf0020000000000000', 1, 9007199254740992],
    [cbor, '831821f93c00fb41e0000000000000', 1, 2147483648],
    [cbor, '831821fa3f8000001b0020000000000000', 1, 9007199254740992],
    [cbor, '831821180119000f', 1, 15],
    [json, hex(utf8('[33,1.0,2e3]')), 1, 2000],
    [json, hex(utf8('[33,1,9007199254740992]')), 1, 9007199254740992],
  ])('are read however they are written: %#', (codec, frame, request, subscription) => {
    expect(codec.decode(fromHex(frame))).toEqual({ kind: 'subscribed', request, subscription })
  })

  test.each([
    [msgpack, '932101cf0020000000000001'],
    [msgpack, '932101d3ffffffffffffffff'],
    [msgpack, '932101d0ff'],
    [msgpack, '932101cb7ff8000000000000'],
    [msgpack, '932101cb3fe0000000000000'],
    [msgpack, '932101cf00'],
    [msgpack, '932101cb00'],
    [cbor, '831821011b0020000000000001'],
    [cbor, '8318210120'],
    [cbor, '83182101f97e00'],
    [cbor, '83182101fb3fe0000000000000'],
    [cbor, '831821011b00'],
    [cbor, '83182101fb00'],
    [json, hex(utf8('[33,1,9007199254740993]'))],
    [json, hex(utf8('[33,1,01]'))],
    [json, hex(utf8('[33,1,-1]'))],
    [json, hex(utf8('[33,1,1.]'))],
    [json, hex(utf8('[33,1,1e400]'))],
  ])('that are no ids are refused: %#', (codec, frame) => {
    expect(codec.decode(fromHex(frame))).toMatchObject({ kind: 'malformed' })
  })

  test('in options come as numbers where a number is exact, else as bigints', () => {
    expect(
      msgpack.decode(fromHex('93310183a161cf0020000000000000a162cf0020000000000001a163d3ff00000000000000')),
    ).toEqual({
      kind: 'cancel',
      request: 1,
      options: { a: 9007199254740992, b: 9007199254740993n, c: -72057594037927936n },
    })
    expect(
      cbor.decode(
        fromHex('83183101a361611b002000000000000061623bffffffffffffffff6163c249010000000000000000'),
      ),
    ).toEqual({
      kind: 'cancel',
      request: 1,
      options: { a: 9007199254740992, b: -18446744073709551616n, c: 18446744073709551616n },
    })
  })
})

describe('msgpack', () => {
  test('takes ext type 0 in options for undefined, hence for absent', () => {
    const frame = '94 20 01 82 a5 6d61746368 d40000 a1 61 81 a1 62 d40000 a3 612e62'
    expect(msgpack.decode(fromHex(frame))).toEqual({
      kind: 'subscribe',
      request: 1,
      options: { a: {} },
      topic: 'a.b',
    })
  })

  test('takes nil and ext type 0 for a realm that is to be assigned', () => {
    expect(msgpack.decode(fromHex('9301c080'))).toMatchObject({ kind: 'hello', realm: undefined })
    expect(msgpack.decode(fromHex('9301d4000080'))).toMatchObject({ kind: 'hello', realm: undefined })
    expect(msgpack.decode(fromHex('9301d4010080'))).toMatchObject({ kind: 'malformed' })
  })

  test.each([
    ['a text that is not UTF-8', '943001 80 a2c328'],
    ['a text in arguments that is not UTF-8', '953001 80 a161 91 a2c328'],
    ['an overlong form', '953001 80 a161 91 a2c080'],
    ['a surrogate', '953001 80 a161 91 a3eda080'],
    ['the byte that means nothing', '953001 80 a161 91 c1'],
    ['a text longer than the message', '953001 80 a161 91 db ffffffff 61'],
    ['a list longer than the message', '953001 80 a161 dd ffffffff 01'],
    ['a map longer than the message', '963001 80 a161 90 df 80000000 01'],
    ['bytes longer than the message', '953001 80 a161 91 c6 ffffffff 01'],
    ['an extension longer than the message', '953001 80 a161 91 c9 ffffffff 01 02'],
    ['a message longer than itself', 'dd ffffffff 30'],
    ['a name that is a list', '953001 80 a161 91 81 90 01'],
    ['a name that is bytes', '953001 80 a161 91 81 c40161 01'],
    ['a timestamp of a size that there is not', '953001 80 a161 91 d4ff00'],
    ['bytes behind the message', '943001 80 a161 00'],
    ['half a float', '953001 80 a161 91 cb 00'],
    ['nothing', ''],
  ])('refuses %s', (_, frame) => {
    expect(msgpack.decode(fromHex(frame))).toMatchObject({ kind: 'malformed' })
  })

  test.each([
    ['a timestamp', 'd6ff00000001'],
    ['a binary value', 'c403010203'],
    ['names that are integers', '82 01 a161 ff c0'],
    [
      'extensions of all sizes',
      `96 d40507 d5050607 d60506070809 d705${'00'.repeat(8)} d805${'00'.repeat(16)} c703050102 03`,
    ],
  ])('passes on %s untouched', (_, value) => {
    const frame = fromHex(`953001 80 a161 91 ${value}`)
    expect(payloadIn(msgpack.decode(frame)).bytes('msgpack')).toEqual(frame.subarray(6))
  })
})

describe('cbor', () => {
  test('reads messages, texts, lists and maps of indefinite length', () => {
    expect(cbor.decode(fromHex('9f1831 01 bf 6161 7f 6162 6163 ff 6164 9f 01 ff ff ff'))).toEqual({
      kind: 'cancel',
      request: 1,
      options: { a: 'bc', d: [1] },
    })
    const called = cbor.decode(fromHex('9f1830 01 a0 7f 6161 622e62 ff 9f 5f 4101 420203 ff ff bf ff ff'))
    expect(called).toMatchObject({ kind: 'call', procedure: 'a.b' })
    expect(plainPayload(payloadIn(called))).toEqual({ count: 2, args: [Uint8Array.of(1, 2, 3)], kwargs: {} })
  })

  test('reads half, single and double floats, undefined, tagged values and bignums', () => {
    const values = 'f93e00 f97c00 f90001 fa7f800000 fbc010000000000000 f7 c101 c249010000000000000000'
    const frame = fromHex(`85183001a06161 8a ${values} c349010000000000000000 c24101`)
    expect(payloadIn(cbor.decode(frame)).args()).toEqual([
      1.5,
      Infinity,
      5.960464477539063e-8,
      Infinity,
      -4,
      undefined,
      1,
      18446744073709551616n,
      -18446744073709551617n,
      1,
    ])
  })

  test.each([
    ['a reference to a string', 'd81901'],
    ['a string namespace', 'd9010080'],
    ['a value that is shared', 'd81c80'],
    ['a reference to a shared value', 'd81d00'],
    ['a reserved head', '1c'],
    ['a reserved length', '9c'],
    ['an unassigned simple value', 'f8ff'],
    ['a simple value that is none', 'e0'],
    ['a break that ends nothing', 'ff'],
    ['a tag of nothing', 'c1'],
    ['a tag of a break', '9fc1ff'],
    ['a name without a member', 'bf6161ff'],
    ['a name that is a list', 'a18001'],
    ['a name that is tagged', 'a1c1616101'],
    ['a name that is bytes', 'a1416101'],
    ['a part of another type', '7f4161ff'],
    ['a part of indefinite length', '7f7f6161ffff'],
    ['a part that is not UTF-8', '7f61c361a4ff'],
    ['parts without an end', '7f6161'],
    ['an indefinite integer', '1f'],
    ['an indefinite tag', 'df01'],
    ['a list longer than the message', '9bffffffffffffffff'],
    ['a map longer than the message', 'bb001fffffffffffff01'],
    ['a text longer than the message', '7bffffffffffffffff61'],
    ['bytes longer than the message', '5affffffff61'],
    ['a text that is not UTF-8', '62c328'],
    ['half a float', 'fb00'],
  ])('refuses %s', (_, value) => {
    expect(cbor.decode(fromHex(`85183001a0616181${value}`))).toMatchObject({ kind: 'malformed' })
  })

  test('counts tags as depth', () => {
    const tagged = (tags: number): Uint8Array => fromHex(`85183001a0616181${'c1'.repeat(tags)}01`)
    expect(cbor.decode(tagged(63))).toMatchObject({ kind: 'call' })
    expect(cbor.decode(tagged(64))).toMatchObject({ kind: 'malformed' })
    expect(cbor.decode(tagged(100_000))).toMatchObject({ kind: 'malformed' })
  })

  test('leaves bytes bytes where a bignum is larger than anybody counts', () => {
    const frame = fromHex(`85183001a0616181c258ff${'01'.repeat(255)}`)
    expect(payloadIn(cbor.decode(frame)).args()).toEqual([new Uint8Array(255).fill(1)])
  })

  test.each([
    ['nothing', ''],
    ['a message that does not end', '9f1831 01 a0'],
    ['bytes behind a message', '83183101a000'],
    ['bytes behind the break', '9f183101a0ff00'],
    ['a message longer than itself', '9bffffffffffffffff1831'],
  ])('refuses %s', (_, frame) => {
    expect(cbor.decode(fromHex(frame))).toMatchObject({ kind: 'malformed' })
  })
})

describe('json', () => {
  test.each([
    ' [ 48 , 7 , { } , "com.example.add" , [ 1 ] , { "a" : null } ] ',
    '\r\n[\t48,7,{},"com.example.add",[ 1 ]\n,{"a":null}]\n',
    '[48,7.0,{},"com\\u002eexample.add",[1],{"\\u0061":null}]',
    '[48,7,{"x":null},"com.example.\\u0061dd",[1],{"a":null}]',
  ])('reads blanks and escapes wherever they may stand: %j', (frame) => {
    expect(plain(json.decode(utf8(frame)))).toEqual(plain(call(payloadOf([1], { a: null }))))
  })

  test.each([
    '',
    ' ',
    '[',
    ']',
    '[]',
    '[48',
    '[48,',
    '[48,]',
    '{}',
    'null',
    '"x"',
    '[,48]',
    '[48,1,{},"a.b"]x',
    '[48,1,{},"a.b"],',
    '[48,1,{},"a.b",]',
    '[48,1,{},"a.b",[],]',
    '[48,1,{},"a.b",[],{},]',
    '[48 1,{},"a.b"]',
    '[48,1,{},"a.b"][]',
    '[048,1,{},"a.b"]',
    '[48,1,{"a"},"a.b"]',
    '[48,1,{"a":},"a.b"]',
    '[48,1,{"a":1,},"a.b"]',
    '[48,1,{a:1},"a.b"]',
    '[48,1,{},"a\\x"]',
    '[48,1,{},"a\n"]',
    '[48,1,{},"a]',
    '[48,1,{},"\\ud800"]',
    "[48,1,{},'a.b']",
    '[1,nul,{}]',
    '[1,nulL,{}]',
    '[1,"r",{]',
    '\ufeff[49,1,{}]',
  ])('refuses %j', (frame) => {
    expect(json.decode(utf8(frame))).toMatchObject({ kind: 'malformed' })
  })

  test.each([
    '[01]',
    '[1.]',
    '[.1]',
    '[+1]',
    '[-]',
    '[1e]',
    '[1e+]',
    '[0x1]',
    '[NaN]',
    '[Infinity]',
    '[tru]',
    '[truE]',
    '[nul]',
    '[falsy]',
    '["\\u12g4"]',
    '["\\u123"]',
    '["\\a"]',
    '["\t"]',
    '["\u0000"]',
    '["x]',
    '[1 2]',
    '[1,]',
    '[,1]',
    '[[1]',
    '[1]]',
    '[{]}',
    '[{"a":1]',
    '[{"a" 1}]',
    '[{"a":1,}]',
    '[{1:1}]',
    '[{,}]',
    '[{"a":1 "b":2}]',
    '[undefined]',
    '[\u00a01]',
    '[1}',
  ])('refuses the arguments %j', (args) => {
    expect(json.decode(utf8(`[48,1,{},"a.b",${args}]`))).toMatchObject({ kind: 'malformed' })
  })

  test('is checked for UTF-8 when its transport has not looked', () => {
    const checking = jsonCodec({ checkUtf8: true })
    const frame = Buffer.concat([utf8('[48,1,{},"a.b",["'), fromHex('c328'), utf8('"]]')])
    expect(checking.decode(frame)).toEqual({ kind: 'malformed', why: 'not UTF-8' })
    expect(checking.decode(utf8('[48,1,{},"a.b",["ü"]]'))).toMatchObject({ kind: 'call' })
  })

  test('writes what JSON has no words for as null', () => {
    const frame = json.encode(call(payloadOf([NaN, Infinity, undefined, () => 1, { gone: undefined }])), 0)
    expect(text(frame)).toBe('[48,7,{},"com.example.add",[null,null,null,null,{}]]')
  })

  test('survives a depth bomb of a million levels', () => {
    const levels = 1_000_000
    const bomb = utf8(`[48,1,{},"a.b",${'['.repeat(levels)}${']'.repeat(levels)}]`)
    expect(json.decode(bomb)).toMatchObject({ kind: 'malformed' })
  })
})
