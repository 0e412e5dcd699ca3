import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  FrameReader,
  maxMessageBytes,
  opcodes,
  writeFrame,
} from '../../../packages/server/src/audit/frames.ts'

/** A message of a server, in as many frames as it has parts. */
function message(parts: readonly string[]): Buffer {
  return Buffer.concat(
    parts.map((part, at) =>
      writeFrame({
        opcode: at === 0 ? opcodes.text : opcodes.continuation,
        payload: Buffer.from(part),
        fin: at === parts.length - 1,
        masked: false,
      }),
    ),
  )
}

/** Bytes in pieces of these lengths, from the first again when there are no more. */
function* pieces(bytes: Buffer, lengths: readonly number[]): Generator<Buffer> {
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const length = lengths[turn % lengths.length] ?? 1
    yield bytes.subarray(at, at + length)
    at += length
  }
}

const texts = fc.array(fc.string({ maxLength: 400 }), { minLength: 1, maxLength: 4 })

describe('frames', () => {
  it('are the same, however the bytes arrive', () => {
    fc.assert(
      fc.property(
        fc.array(texts, { maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 8 }),
        (messages, lengths) => {
          const reader = new FrameReader(false)
          const bytes = Buffer.concat(messages.map(message))
          const heard = [...pieces(bytes, lengths)].flatMap((piece) => [...reader.read(piece)])
          expect(heard).toEqual(messages.map((parts) => ({ kind: 'text', text: parts.join('') })))
        },
      ),
    )
  })

  it('that come byte by byte are read in time', () => {
    const reader = new FrameReader(false)
    const text = 'a'.repeat(60_000)
    const heard = [...pieces(message([text, text]), [1])].flatMap((piece) => [...reader.read(piece)])
    expect(heard).toEqual([{ kind: 'text', text: text + text }])
  })

  it('are not read on when one has had enough, and from there when one has not', () => {
    const reader = new FrameReader(false)
    const all = Buffer.concat(['one', 'two', 'three'].map((text) => message([text])))
    for (const first of reader.read(all)) {
      expect(first).toEqual({ kind: 'text', text: 'one' })
      break
    }
    expect([...reader.read(message(['four']))].map((one) => one.kind === 'text' && one.text)).toEqual([
      'two',
      'three',
      'four',
    ])
  })

  it('are over with one that announces too much', () => {
    const reader = new FrameReader(false)
    const huge = writeFrame({ opcode: opcodes.text, announces: maxMessageBytes + 1, masked: false })
    expect([...reader.read(huge)].map(({ kind }) => kind)).toEqual(['broken'])
    expect([...reader.read(message(['more']))]).toEqual([])
  })
})
