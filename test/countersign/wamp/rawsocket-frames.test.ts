import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  announcedBytes,
  closeFrame,
  largestRawSocketMessage,
  RawSocketReader,
  readClientHandshake,
  readRouterHandshake,
  rawSocketErrors,
  refuseHandshake,
  writeHandshake,
  type RawSocketFrame,
  type RawSocketFrameKind,
} from '../../../packages/countersign/src/wamp/rawsocket-frames.ts'
import type { Serialization } from '../../../packages/countersign/src/wamp/payload.ts'
import { fromHex, fuzzRuns, hex } from './codec-room.ts'

describe('a handshake', () => {
  test.each<[string, Serialization, number]>([
    ['7f010000', 'json', 512],
    ['7ff10000', 'json', 16_777_216],
    ['7f720000', 'msgpack', 65_536],
    ['7fb30000', 'cbor', 1_048_576],
  ])('%s is read by either side', (bytes, serialization, maxBytes) => {
    const handshake = { kind: 'handshake', serialization, maxBytes }
    expect(readClientHandshake(fromHex(bytes))).toEqual(handshake)
    expect(readRouterHandshake(fromHex(bytes))).toEqual(handshake)
    expect(hex(writeHandshake(serialization, maxBytes))).toBe(bytes)
  })

  test.each([
    ['7f000000', 1],
    ['7f040000', 1],
    ['7f0f0000', 1],
    ['7f010100', 3],
    ['7f010001', 3],
  ])('%s is refused by the router with error %i', (bytes, error) => {
    expect(readClientHandshake(fromHex(bytes))).toEqual({ kind: 'refused', error })
  })

  test.each(['', '7f', '7f0100', '7f01000000', '47455420', '80010000'])('%s is none', (bytes) => {
    expect(readClientHandshake(fromHex(bytes))).toMatchObject({ kind: 'malformed' })
    expect(readRouterHandshake(fromHex(bytes))).toMatchObject({ kind: 'malformed' })
  })

  test('that was refused tells the client why', () => {
    for (const error of Object.values(rawSocketErrors)) {
      expect(readRouterHandshake(refuseHandshake(error))).toEqual({ kind: 'refused', error })
    }
    expect(readRouterHandshake(fromHex('7f500000'))).toEqual({ kind: 'refused', error: 5 })
    expect(readRouterHandshake(fromHex('7f0f0000'))).toMatchObject({ kind: 'malformed' })
    expect(readRouterHandshake(fromHex('7f010001'))).toMatchObject({ kind: 'malformed' })
  })

  test.each([
    [1, 512],
    [512, 512],
    [1023, 512],
    [1024, 1024],
    [1_000_000, 524_288],
    [largestRawSocketMessage, largestRawSocketMessage],
    [1e9, largestRawSocketMessage],
  ])('announces of a limit of %i bytes no more than there is: %i', (maxBytes, announced) => {
    expect(announcedBytes(maxBytes)).toBe(announced)
    expect(readRouterHandshake(writeHandshake('json', maxBytes))).toMatchObject({ maxBytes: announced })
  })
})

function frame(kind: RawSocketFrameKind, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + payload.length)
  bytes.set(payload, 4)
  expect(closeFrame(bytes, kind, largestRawSocketMessage)).toBe(true)
  return bytes
}

describe('a stream of frames', () => {
  test.each<[RawSocketFrameKind, string]>([
    ['message', '00000003010203'],
    ['ping', '01000003010203'],
    ['pong', '02000003010203'],
  ])('has a %s as %s', (kind, bytes) => {
    expect(hex(frame(kind, Uint8Array.of(1, 2, 3)))).toBe(bytes)
    expect(new RawSocketReader(512).push(fromHex(bytes))).toEqual([{ kind, bytes: Uint8Array.of(1, 2, 3) }])
  })

  test('is the same however it is cut', () => {
    const frames = fc.array(
      fc.tuple(
        fc.constantFrom<RawSocketFrameKind>('message', 'ping', 'pong'),
        fc.uint8Array({ maxLength: 40 }),
      ),
      { maxLength: 6 },
    )
    fc.assert(
      fc.property(frames, fc.array(fc.nat(20), { minLength: 1, maxLength: 10 }), (sent, cuts) => {
        const stream = Buffer.concat(sent.map(([kind, bytes]) => frame(kind, bytes)))
        const reader = new RawSocketReader(512)
        const received: RawSocketFrame[] = []
        let at = 0
        for (let turn = 0; at < stream.length; turn++) {
          const end = at + (cuts[turn % cuts.length] ?? 0) + (turn % 7 === 0 ? 1 : 0)
          const read = reader.push(new Uint8Array(stream.subarray(at, end)))
          if ('kind' in read) throw new Error(read.why)
          received.push(...read)
          at = end
        }
        expect(received).toEqual(sent.map(([kind, bytes]) => ({ kind, bytes })))
      }),
      { numRuns: fuzzRuns / 10 },
    )
  })

  test.each([
    ['a reserved bit', '10000001'],
    ['a reserved type', '03000001'],
    ['the largest length and another one', '08000001'],
    ['a length beyond what was announced', '00000201'],
    ['the largest length where it was not announced', '08000000'],
  ])('ends at %s, for good', (_, bytes) => {
    for (const size of [1, 2, 4]) {
      const reader = new RawSocketReader(512)
      let read: ReturnType<RawSocketReader['push']> = []
      for (let at = 0; at < 4; at += size) read = reader.push(fromHex(bytes).subarray(at, at + size))
      expect(read).toMatchObject({ kind: 'malformed' })
      expect(reader.push(fromHex('0000000101'))).toBe(read)
    }
  })

  test('carries exactly 16 MiB where that was announced, and not a byte more', () => {
    const largest = frame('message', new Uint8Array(largestRawSocketMessage))
    expect(hex(largest.subarray(0, 4))).toBe('08000000')
    const reader = new RawSocketReader(largestRawSocketMessage)
    expect(reader.push(largest.subarray(0, 1_000_000))).toEqual([])
    const read = reader.push(largest.subarray(1_000_000))
    expect('kind' in read ? 0 : read[0]?.bytes.length).toBe(largestRawSocketMessage)
    const larger = new Uint8Array(4 + largestRawSocketMessage + 1)
    expect(closeFrame(larger, 'message', Infinity)).toBe(false)
    expect(closeFrame(new Uint8Array(4 + 513), 'message', 512)).toBe(false)
  })

  test('of any bytes is cut into frames or refused', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 8 }), (chunks) => {
        const reader = new RawSocketReader(512)
        for (const chunk of chunks) {
          const read = reader.push(chunk)
          if ('kind' in read) return
          for (const one of read) expect(one.bytes.length).toBeLessThanOrEqual(512)
        }
      }),
      { numRuns: fuzzRuns },
    )
  })
})
