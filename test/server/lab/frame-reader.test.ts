import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FrameReader, type Frame } from '../../../packages/server/src/lab/frame-reader.ts'

const numRuns = Number(process.env['COUNTERSIGN_FUZZ_RUNS'] ?? 10_000)

/** Reads chunks and returns what was seen. */
function read(...chunks: readonly Buffer[]): readonly Frame[] {
  const frames: Frame[] = []
  const reader = new FrameReader((frame) => frames.push(frame))
  for (const chunk of chunks) reader.push(chunk)
  return frames
}

/** A whole frame (RFC 6455 §5.2). */
function frame(opcode: number, payload: Buffer, masked: boolean): Buffer {
  const { length } = payload
  const head = length < 126 ? Buffer.alloc(2) : Buffer.alloc(4)
  head[0] = 0x80 | opcode
  head[1] = (masked ? 0x80 : 0) | (length < 126 ? length : 126)
  if (length >= 126) head.writeUInt16BE(length, 2)
  if (!masked) return Buffer.concat([head, payload])
  const key = Buffer.from([1, 2, 3, 4])
  return Buffer.concat([head, key, Buffer.from(payload.map((byte, at) => byte ^ (key[at % 4] ?? 0)))])
}

describe('the frame reader', () => {
  it.each([true, false])('reads text of any length (masked: %s)', (masked) => {
    for (const length of [0, 1, 125, 126, 65_000]) {
      const text = 'é'.repeat(Math.floor(length / 2)) + 'a'.repeat(length % 2)
      expect(read(frame(1, Buffer.from(text), masked))).toEqual([{ kind: 'text', text }])
    }
  })

  it('shows a close with its code and reason', () => {
    const payload = Buffer.concat([Buffer.from([0x0b, 0xb8]), Buffer.from('invalid_credential')])
    expect(read(frame(8, payload, true))).toEqual([{ kind: 'close', text: 'close 3000 invalid_credential' }])
    expect(read(frame(8, Buffer.alloc(0), false))).toEqual([{ kind: 'close', text: 'close 1005' }])
  })

  it('names other frames', () => {
    expect(read(frame(2, Buffer.alloc(3), true)).map((one) => one.text)).toEqual(['binary frame of 3 bytes'])
    expect(read(frame(9, Buffer.alloc(0), true)).map((one) => one.text)).toEqual(['frame with opcode 9'])
  })

  it('gives up on a frame that announces more than it keeps, and stays silent', () => {
    const announced = Buffer.from([0x81, 127, 0, 0, 0, 1, 0, 0, 0, 0])
    expect(read(announced, Buffer.alloc(70_000), frame(1, Buffer.from('x'), false))).toEqual([])
  })

  it('reads the same frames however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string(), { maxLength: 5 }),
        fc.array(fc.nat(40), { maxLength: 30 }),
        (texts, cuts) => {
          const bytes = Buffer.concat(texts.map((text) => frame(1, Buffer.from(text), true)))
          const chunks: Buffer[] = []
          let at = 0
          for (const cut of cuts) {
            chunks.push(bytes.subarray(at, at + cut))
            at += cut
          }
          chunks.push(bytes.subarray(at))
          expect(read(...chunks).map((one) => one.text)).toEqual(
            texts.map((text) => Buffer.from(text).toString()),
          )
        },
      ),
      { numRuns: Math.min(numRuns, 2_000) },
    )
  })

  it('never throws on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        read(Buffer.from(bytes))
      }),
      { numRuns },
    )
  })
})
