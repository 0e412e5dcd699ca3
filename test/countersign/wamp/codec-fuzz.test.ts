import { decode as readMsgpack } from '@msgpack/msgpack'
import { decode as readCbor, type TagDecoder } from 'cborg'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { jsonCodec } from '../../../packages/countersign/src/wamp/json-codec.ts'
import { isWellFormedUtf8 } from '../../../packages/countersign/src/wamp/codec-lender.ts'
import { JsonScanner } from '../../../packages/countersign/src/wamp/json-scan.ts'
import { payloadOf } from '../../../packages/countersign/src/wamp/values.ts'
import {
  anyPayload,
  call,
  cbor,
  codecs,
  everyMessage,
  fuzzRuns,
  json,
  msgpack,
  text,
  utf8,
} from './codec-room.ts'

const runs = { numRuns: fuzzRuns }
const anyBytes = fc.uint8Array({ maxLength: 60 })

/** Bytes of a good message in which a few were changed, dropped or doubled. */
const mutated = (codec: (typeof codecs)[number]): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(
      fc.oneof(
        fc.constantFrom(...everyMessage.map(([message]) => message)),
        anyPayload.map(([args, kwargs]) => call(payloadOf(args, kwargs))),
      ),
      fc.array(fc.tuple(fc.nat(), fc.nat(255), fc.constantFrom('set', 'drop', 'double', 'cut')), {
        maxLength: 3,
      }),
    )
    .map(([message, changes]) => {
      const bytes = [...codec.encode(message, 0)]
      for (const [where, value, change] of changes) {
        const at = where % Math.max(1, bytes.length)
        if (change === 'set') bytes[at] = value
        else if (change === 'drop') bytes.splice(at, 1)
        else if (change === 'double') bytes.splice(at, 0, ...bytes.slice(at, at + 4))
        else bytes.length = at
      }
      return Uint8Array.from(bytes)
    })

/** Any tag, dropped, as the codec does. */
const tags: Record<number, TagDecoder> = new Proxy<Record<number, TagDecoder>>(
  {},
  { get: () => (decode: () => unknown) => decode(), has: () => true },
)

const readers: readonly (readonly [string, (bytes: Uint8Array) => unknown])[] = [
  ['json', (bytes) => JSON.parse(text(bytes))],
  ['msgpack', (bytes) => readMsgpack(bytes, { mapKeyConverter: String })],
  ['cbor', (bytes) => readCbor(bytes, { tags, useMaps: true })],
]

describe.each(readers)('%s', (name, read) => {
  const codec = name === 'json' ? jsonCodec({ checkUtf8: true }) : name === 'msgpack' ? msgpack : cbor

  test('answers any bytes with a message or a refusal, and accepts nothing that the reference refuses', () => {
    fc.assert(
      fc.property(
        fc.oneof({ weight: 1, arbitrary: anyBytes }, { weight: 4, arbitrary: mutated(codec) }),
        (bytes) => {
          const message = codec.decode(bytes)
          if (message.kind === 'malformed') return
          if (Buffer.from(bytes).includes('__proto__')) return
          expect(Array.isArray(read(bytes))).toBe(true)
          for (const other of codecs) {
            const passed = other.encode(message, 0)
            expect(other.decode(passed).kind).toBe(message.kind)
          }
          const args = 'payload' in message ? message.payload.args() : []
          expect(Array.isArray(args)).toBe(true)
        },
      ),
      runs,
    )
  })
})

test('the JSON scanner accepts what JSON.parse accepts, and nothing else', () => {
  const scanner = new JsonScanner(64)
  const soup = fc
    .array(
      fc.oneof(
        fc.constantFrom(
          '{',
          '}',
          '[',
          ']',
          ',',
          ':',
          '"',
          '\\',
          ' ',
          '\n',
          '0',
          '1',
          '-',
          '.',
          'e',
          '+',
          'E',
        ),
        fc.constantFrom(
          'true',
          'false',
          'null',
          '"a"',
          '"\\u00e9"',
          '\\n',
          'é',
          '"a":',
          '[]',
          '{}',
          '0.5e-3',
          '\t',
          '\u0007',
        ),
      ),
      { maxLength: 14 },
    )
    .map((parts) => parts.join(''))
  const almost = fc
    .tuple(fc.json(), fc.nat(), fc.string({ maxLength: 1 }))
    .map(
      ([good, at, more]) => good.slice(0, at % (good.length + 1)) + more + good.slice(at % (good.length + 1)),
    )
  fc.assert(
    fc.property(fc.oneof(soup, almost, fc.json()), (source) => {
      const trimmed = source.replace(/^[ \n\r\t]+|[ \n\r\t]+$/g, '')
      const bytes = utf8(trimmed)
      const accepted = bytes.length > 0 && scanner.skip(bytes, 0) === bytes.length
      expect(accepted).toBe(parses(trimmed))
    }),
    runs,
  )
})

function parses(source: string): boolean {
  try {
    JSON.parse(source)
    return true
  } catch {
    return false
  }
}

test('bytes are UTF-8 exactly when a strict decoder says so', () => {
  const strict = new TextDecoder('utf-8', { fatal: true })
  const pieces = fc.oneof(
    fc.uint8Array({ maxLength: 6 }),
    fc.string({ unit: 'binary', maxLength: 4 }).map(utf8),
    fc
      .array(
        fc.constantFrom(
          0xc0,
          0xc2,
          0xe0,
          0xed,
          0xef,
          0xf0,
          0xf4,
          0xf5,
          0x80,
          0x8f,
          0x90,
          0x9f,
          0xa0,
          0xbf,
          0x41,
        ),
        { maxLength: 5 },
      )
      .map((codes) => Uint8Array.from(codes)),
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 4 }), (parts) => {
      const bytes = Uint8Array.from(parts.flatMap((part) => [...part]))
      let good = true
      try {
        strict.decode(bytes)
      } catch {
        good = false
      }
      expect(isWellFormedUtf8(bytes, 0, bytes.length)).toBe(good)
    }),
    runs,
  )
})

test('a message is cut at any place and refused', () => {
  for (const codec of codecs) {
    const whole = codec.encode(call(payloadOf(['text', 1.5, [true, { a: null }], 2 ** 40], { k: 'v' })), 0)
    for (let length = 0; length < whole.length; length++) {
      expect(codec.decode(whole.subarray(0, length))).toMatchObject({ kind: 'malformed' })
    }
  }
  expect(json.decode(utf8('[6,{},"a.b"]'))).toMatchObject({ kind: 'goodbye' })
})
