import { expect, test } from 'vitest'
import { wiresOf } from '../../../packages/countersign/src/adapters/wamp-wires.ts'
import type { RouterMessage } from '../../../packages/countersign/src/wamp/messages.ts'
import { payloadOf } from '../../../packages/countersign/src/wamp/values.ts'

/** A message whose JSON is of this length. */
function messageOf(length: number): RouterMessage {
  const empty = '[50,1,{},[""]]'.length
  return { kind: 'result', request: 1, details: {}, payload: payloadOf(['x'.repeat(length - empty)]) }
}

/** Header and body of a server's frame (RFC 6455 §5.2). */
function read(frame: Uint8Array): { readonly head: number; readonly length: number; readonly body: string } {
  const bytes = Buffer.from(frame)
  const short = bytes[1] ?? 0
  const head = short < 126 ? 2 : short === 126 ? 4 : 10
  const length =
    short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
  return { head, length, body: bytes.toString('latin1', head) }
}

const lengths = [
  [40, 2],
  [125, 2],
  [126, 4],
  [65_535, 4],
  [65_536, 10],
  [200_000, 10],
] as const

test.each(wiresOf({ serializations: ['json'] }))(
  'a frame has the shortest header, whatever was framed before it ($name)',
  (wire) => {
    for (const [before] of lengths) {
      for (const [length, head] of lengths) {
        // A batch ends each message with a byte of its own.
        const own = wire.batched ? 1 : 0
        wire.frame(messageOf(before - own))
        const frame = read(wire.frame(messageOf(length - own)))
        expect(frame).toMatchObject({ head, length })
        expect(frame.body.length).toBe(length)
        expect(frame.body.startsWith('[50,1,{},["xx')).toBe(true)
        expect(frame.body.endsWith(wire.batched ? ']]\u0018' : 'x"]]')).toBe(true)
      }
    }
  },
)
