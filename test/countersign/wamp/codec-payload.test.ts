import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nodeBytes } from '../../../packages/countersign/src/adapters/wamp-node.ts'
import { cborCodec } from '../../../packages/countersign/src/wamp/cbor-codec.ts'
import type { Codec } from '../../../packages/countersign/src/wamp/codec.ts'
import { Extension } from '../../../packages/countersign/src/wamp/codec-extension.ts'
import { jsonCodec } from '../../../packages/countersign/src/wamp/json-codec.ts'
import { noDict, type Message } from '../../../packages/countersign/src/wamp/messages.ts'
import { msgpackCodec } from '../../../packages/countersign/src/wamp/msgpack-codec.ts'
import type { Payload } from '../../../packages/countersign/src/wamp/payload.ts'
import { noPayload, payloadOf } from '../../../packages/countersign/src/wamp/values.ts'
import {
  anyPayload,
  call,
  cbor,
  codecs,
  everyMessage,
  fromHex,
  fuzzRuns,
  json,
  msgpack,
  payloadIn,
  plain,
  plainPayload,
  text,
  utf8,
} from './codec-room.ts'

function invocation(payload: Payload): Message {
  return { kind: 'invocation', request: 1, registration: 2, details: noDict, payload }
}

const pairs: readonly (readonly [string, string, Codec, Codec])[] = codecs.flatMap((from) =>
  codecs.map((to): [string, string, Codec, Codec] => [from.serialization, to.serialization, from, to]),
)

describe.each(pairs)('from %s to %s', (_, __, from, to) => {
  test.each(everyMessage)('every message stays itself: %j', (message) => {
    const received = from.decode(from.encode(message, 0))
    if (received.kind === 'malformed') throw new Error(received.why)
    expect(plain(to.decode(to.encode(received, 0)))).toEqual(plain(message))
  })

  test('any arguments stay themselves', () => {
    fc.assert(
      fc.property(anyPayload, ([args, kwargs]) => {
        const received = payloadIn(from.decode(from.encode(call(payloadOf(args, kwargs)), 3).subarray(3)))
        const passed = payloadIn(to.decode(to.encode(invocation(received), 5).subarray(5)))
        expect(plainPayload(passed)).toEqual(plainPayload(payloadOf(args, kwargs)))
      }),
      { numRuns: fuzzRuns / 10 },
    )
  })

  test('binary values stay binary', () => {
    const args = [
      new Uint8Array(0),
      Uint8Array.of(0),
      new Uint8Array(300).fill(7),
      { deep: [Uint8Array.of(255, 0)] },
    ]
    const received = payloadIn(from.decode(from.encode(call(payloadOf(args)), 0)))
    const passed = payloadIn(to.decode(to.encode(invocation(received), 0)))
    expect(passed.args()).toEqual(args)
  })
})

describe('a payload that is only passed on', () => {
  test.each([
    '[9007199254740993]',
    '[1.0,-0,1e400,1E+2,0.10]',
    '["\\u0041\\/\\ud800"]',
    '[ 1 , 2 ] , { "a" : 1 , "a" : 2 , "__proto__" : null }',
    '[],{}',
    '[{},[],"",[[]],{"":{}}]',
    '["\\u0000AAEC"]',
    '["' + 'é'.repeat(3000) + '"]',
  ])('keeps the spelling that JSON had: %s', (elements) => {
    const received = json.decode(utf8(`[48,7,{},"a.b",${elements}]`))
    expect(text(json.encode(invocation(payloadIn(received)), 0))).toBe(`[68,1,2,{},${elements}]`)
  })

  test('keeps the bytes that CBOR had: indefinite lengths, wide heads, tags', () => {
    const elements = '9f 1800 1900ff c1 1a00000001 5f4101ff ff bf 6161 7f6162ff ff'
    const received = cbor.decode(fromHex(`9f 1830 07 a0 6161 ${elements} ff`))
    expect(cbor.encode(invocation(payloadIn(received)), 0)).toEqual(fromHex(`86 1844 01 02 a0 ${elements}`))
  })

  test('keeps the bytes that MessagePack had: wide heads, extensions', () => {
    const elements = 'dc0003 cd0001 d6ff00000000 d900 df00000001 a161 d40000'
    const received = msgpack.decode(fromHex(`96 30 07 80 a161 ${elements}`))
    expect(msgpack.encode(invocation(payloadIn(received)), 0)).toEqual(fromHex(`96 44 01 02 80 ${elements}`))
  })

  test('is serialised once for each other serializer', () => {
    const received = payloadIn(json.decode(utf8('[48,7,{},"a.b",[1],{"a":2}]')))
    expect(received.bytes('cbor')).toBe(received.bytes('cbor'))
    expect(received.bytes('msgpack')).toBe(received.bytes('msgpack'))
  })

  test('may be read though it is passed on', () => {
    const received = payloadIn(json.decode(utf8('[48,7,{},"a.b",[1],{"a":2}]')))
    expect(received.args()).toEqual([1])
    expect(received.args()).toBe(received.args())
    expect(received.kwargs()).toEqual({ a: 2 })
    expect(text(received.bytes('json'))).toBe('[1],{"a":2}')
  })

  test.each(codecs)('outlives the bytes it came in once it is kept: $serialization', (codec) => {
    const frame = codec.encode(call(payloadOf([1, 'two'], { three: 3 })), 0)
    const kept = payloadIn(codec.decode(frame)).keep()
    frame.fill(0)
    expect(plainPayload(kept)).toEqual({ count: 2, args: [1, 'two'], kwargs: { three: 3 } })
    expect(kept.bytes(codec.serialization).buffer.byteLength).toBe(kept.bytes(codec.serialization).length)
  })
})

describe('a payload that crosses', () => {
  test('to JSON spells binary values as U+0000 and base64', () => {
    const received = payloadIn(msgpack.decode(fromHex('95 30 07 80 a161 91 c403 000102')))
    expect(text(received.bytes('json'))).toBe('["\\u0000AAEC"]')
  })

  test('from JSON reads U+0000 and base64 as binary values, anywhere', () => {
    const received = payloadIn(json.decode(utf8('[48,7,{},"a.b",["\\u0000AAEC"],{"a":{"b":["\\u0000"]}}]')))
    expect(received.args()).toEqual([Uint8Array.of(0, 1, 2)])
    expect(received.kwargs()).toEqual({ a: { b: [new Uint8Array(0)] } })
  })

  test('from JSON leaves texts alone that begin so and are not base64', () => {
    const received = payloadIn(json.decode(utf8('[48,7,{},"a.b",["\\u0000?","\\u0000AAE"," \\u0000AAEC"]]')))
    expect(received.args()).toEqual(['\0?', '\0AAE', ' \0AAEC'])
  })

  test('keeps integers of 64 bits between binary serializers, and their digits to JSON', () => {
    const received = payloadIn(
      msgpack.decode(fromHex('95 30 07 80 a161 93 cfffffffffffffffff d38000000000000000 cf0020000000000001')),
    )
    expect(received.args()).toEqual([18446744073709551615n, -9223372036854775808n, 9007199254740993n])
    expect(received.bytes('cbor')).toEqual(
      fromHex('83 1bffffffffffffffff 3b7fffffffffffffff 1b0020000000000001'),
    )
    expect(text(received.bytes('json'))).toBe('[18446744073709551615,-9223372036854775808,9007199254740993]')
  })

  test('keeps bignums where there are such, and gives a float where there are none', () => {
    const received = payloadIn(
      cbor.decode(fromHex('85 1830 07 a0 6161 82 c249010000000000000000 c349010000000000000000')),
    )
    expect(received.bytes('msgpack')).toEqual(fromHex('92 cb43f0000000000000 cbc3f0000000000000'))
    expect(text(received.bytes('json'))).toBe('[18446744073709551616,-18446744073709551617]')
    expect(payloadOf(received.args()).bytes('cbor')).toEqual(
      fromHex('82 c249010000000000000000 c349010000000000000000'),
    )
  })

  test('leaves out what is undefined, and says null in a list where there is no such word', () => {
    const received = payloadIn(msgpack.decode(fromHex('96 30 07 80 a161 91 d40000 82 a161 d40000 a162 01')))
    expect(text(received.bytes('json'))).toBe('[null],{"b":1}')
    expect(received.bytes('cbor')).toEqual(fromHex('81 f7 a1 6162 01'))
  })

  test('makes bytes of extensions', () => {
    const received = payloadIn(msgpack.decode(fromHex('95 30 07 80 a161 91 d505 0607')))
    expect(received.args()).toEqual([new Extension(5, Uint8Array.of(6, 7))])
    expect(received.bytes('cbor')).toEqual(fromHex('81 42 0607'))
    expect(text(received.bytes('json'))).toBe('["\\u0000Bgc="]')
  })

  test('drops what JSON refuses', () => {
    const received = payloadIn(cbor.decode(fromHex('85 1830 07 a0 6161 83 f97e00 f97c00 f9fc00')))
    expect(text(received.bytes('json'))).toBe('[null,null,null]')
  })

  test('makes texts of names that are integers', () => {
    const received = payloadIn(msgpack.decode(fromHex('95 30 07 80 a161 91 82 01 a161 ff a162')))
    expect(text(received.bytes('json'))).toBe('[{"1":"a","-1":"b"}]')
  })

  test('keeps a member called __proto__', () => {
    const received = payloadIn(json.decode(utf8('[48,7,{},"a.b",[{"__proto__":{"x":"\\u0000"}}]]')))
    expect(received.bytes('cbor')).toEqual(fromHex('81 a1 69 5f5f70726f746f5f5f a1 6178 40'))
  })
})

describe('with what Node lends', () => {
  const lent = [
    jsonCodec({ lend: nodeBytes }),
    msgpackCodec({ lend: nodeBytes }),
    cborCodec({ lend: nodeBytes }),
  ]

  test.each(lent)('every message stays itself, wherever in a chunk it stands: $serialization', (codec) => {
    for (const [message] of everyMessage) {
      const chunk = Buffer.concat([Buffer.alloc(5, 1), codec.encode(message, 0), Buffer.alloc(5, 1)])
      const received = codec.decode(chunk.subarray(5, -5))
      expect(plain(received)).toEqual(plain(message))
    }
  })

  test.each(lent)('arguments of all sizes cross, and are kept: $serialization', (codec) => {
    for (const size of [0, 10, 100, 1000, 100_000]) {
      const args = ['x'.repeat(size), 'ü'.repeat(size), new Uint8Array(size)]
      const received = payloadIn(codec.decode(codec.encode(call(payloadOf(args)), 0)))
      for (const other of lent) {
        expect(
          payloadIn(other.decode(other.encode(call(received), 7).subarray(7)))
            .keep()
            .args(),
        ).toEqual(args)
      }
    }
  })

  test.each(lent)('a large head does not spoil the next one: $serialization', (codec) => {
    const agent = 'x'.repeat(50_000)
    for (const details of [{ agent }, { agent: 'y' }, { agent }]) {
      const hello: Message = { kind: 'hello', realm: 'realm1', details }
      expect(codec.decode(codec.encode(hello, 0))).toEqual(hello)
    }
  })
})

describe('payloadOf', () => {
  test('leaves out what is empty', () => {
    expect(payloadOf()).toBe(noPayload)
    expect(payloadOf([], {})).toBe(noPayload)
    expect(plainPayload(payloadOf([1], {}))).toEqual({ count: 1, args: [1], kwargs: {} })
    expect(plainPayload(payloadOf(undefined, { a: 1 }))).toEqual({ count: 2, args: [], kwargs: { a: 1 } })
  })

  test('serialises once for each serializer, and needs no copy to be kept', () => {
    const payload = payloadOf([1])
    expect(payload.bytes('json')).toBe(payload.bytes('json'))
    expect(payload.keep()).toBe(payload)
    expect(noPayload.keep()).toBe(noPayload)
    expect(plainPayload(noPayload)).toEqual({ count: 0, args: [], kwargs: {} })
    expect(noPayload.bytes('json')).toHaveLength(0)
  })

  test.each([
    [new Extension(5, Uint8Array.of(1)), 'd40501'],
    [new Extension(-1, new Uint8Array(8)), `d7ff${'00'.repeat(8)}`],
    [new Extension(5, new Uint8Array(3)), 'c70305000000'],
    [new Extension(5, new Uint8Array(256)), `c8010005${'00'.repeat(256)}`],
    [new Extension(5, new Uint8Array(65_536)), `c90001000005${'00'.repeat(65_536)}`],
    [new Uint8Array(65_536), `c600010000${'00'.repeat(65_536)}`],
    ['x'.repeat(65_536), `db00010000${'78'.repeat(65_536)}`],
    [-2147483649, 'd3ffffffff7fffffff'],
    [-2147483648, 'd280000000'],
    [-32769, 'd2ffff7fff'],
    [-32768, 'd18000'],
    [-129, 'd1ff7f'],
    [-128, 'd080'],
    [-33, 'd0df'],
    [-32, 'e0'],
    [Symbol('none'), 'c0'],
    [-0, 'cb8000000000000000'],
  ])('writes MessagePack of all sizes: %#', (value, bytes) => {
    expect(payloadOf([value]).bytes('msgpack')).toEqual(fromHex(`91${bytes}`))
  })

  test('writes maps and lists of all sizes', () => {
    for (const size of [15, 16, 65_535, 65_536]) {
      const list = Array.from({ length: size }, (_, at) => at)
      const map = Object.fromEntries(list.map((at) => [`n${at}`, at]))
      for (const codec of codecs) {
        const read = payloadIn(codec.decode(codec.encode(call(payloadOf(list, map)), 0)))
        expect(read.args()).toEqual(list)
        expect(read.kwargs()).toEqual(map)
      }
    }
  })
})
