import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { closeBatch, openBatch, splitBatch } from '../../../packages/countersign/src/wamp/batch.ts'
import type { Codec } from '../../../packages/countersign/src/wamp/codec.ts'
import { codecs, everyMessage, fromHex, fuzzRuns, json, msgpack, plain, text, utf8 } from './codec-room.ts'

const headroom = 10

function batch(codec: Codec): Buffer {
  return Buffer.concat(
    everyMessage.map(([message]) => {
      const closed = closeBatch(codec.encode(message, headroom + openBatch), codec, headroom)
      return closed.subarray(headroom)
    }),
  )
}

describe('a batch', () => {
  test.each(codecs)('gives the messages that were put into it: $serialization', (codec) => {
    const parts = splitBatch(batch(codec), codec.binary)
    if ('kind' in parts) throw new Error(parts.why)
    expect(parts.map((part) => plain(codec.decode(part)))).toEqual(
      everyMessage.map(([message]) => plain(message)),
    )
  })

  test('ends each JSON message with 0x18', () => {
    const closed = closeBatch(json.encode({ kind: 'cancel', request: 1, options: {} }, 4), json, 0)
    expect(text(closed)).toBe('[49,1,{}]\u0018')
  })

  test('has the length of each binary message before it', () => {
    const closed = closeBatch(msgpack.encode({ kind: 'cancel', request: 1, options: {} }, 4), msgpack, 0)
    expect(closed).toEqual(fromHex('00000004 93310180'))
  })

  test.each(['[1]\u0018[2]\u0018', '[1]\u001e[2]\u001e', '[1]\u0018[2]\u001e', '[1]\u001e[2]'])(
    'of JSON is split at 0x18 and 0x1e: %j',
    (source) => {
      const parts = splitBatch(utf8(source), false)
      expect('kind' in parts ? parts : parts.map(text)).toEqual(['[1]', '[2]'])
    },
  )

  test.each([
    ['nothing', false, ''],
    ['nothing', true, ''],
    ['an empty message', false, '18'],
    ['an empty message behind another', false, '5b5d1818'],
    ['an empty message', true, '00000000'],
    ['half a length', true, '000000'],
    ['a message longer than the batch', true, 'ffffffff01'],
    ['bytes behind the last message', true, '000000019000'],
  ])('refuses %s: binary %s', (_, binary, bytes) => {
    expect(splitBatch(fromHex(bytes), binary)).toMatchObject({ kind: 'malformed' })
  })

  test('holds a bounded number of messages', () => {
    expect(splitBatch(utf8('1\u0018'.repeat(3)), false, 3)).toHaveLength(3)
    expect(splitBatch(utf8('1\u0018'.repeat(4)), false, 3)).toMatchObject({ kind: 'malformed' })
    expect(splitBatch(fromHex('0000000190'.repeat(3)), true, 3)).toHaveLength(3)
    expect(splitBatch(fromHex('0000000190'.repeat(4)), true, 3)).toMatchObject({ kind: 'malformed' })
    expect(splitBatch(utf8('1\u0018'.repeat(10_001)), false)).toMatchObject({ kind: 'malformed' })
  })

  test('of any bytes is split or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.boolean(), (bytes, binary) => {
        const parts = splitBatch(bytes, binary)
        if ('kind' in parts) return
        expect(parts.every((part) => part.length > 0)).toBe(true)
      }),
      { numRuns: fuzzRuns },
    )
  })
})
