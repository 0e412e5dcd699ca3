/** I4: a message in thousands of fragments of one byte. */
import type { Check } from '../check.ts'
import { opcodes } from '../frames.ts'
import { intrusive } from '../needs.ts'
import { nobodyGetsIn, stayAsSomebody } from '../staying.ts'

const fragments = 20_000
const batch = 1_000
const answerMs = 2_000

/** Fragments without end. */
export const fragmentFlood: Check = {
  id: 'I4',
  title: 'A message may have any number of fragments',
  cwe: [770],
  asvs: ['15.2.2'],
  safety: 'I',
  needs: [intrusive],
  why: 'A fragment of one byte is kept as an object of a hundred. A limit to the size of messages does not see it; each socket can hold many times what it was meant to.',
  remedy: {
    text: 'Limit the number of fragments of a message, or count each of them as much as it costs.',
    ws: 'new WebSocketServer({ noServer: true, maxFragments: 128 }) // 16,384 by default where ws has the option',
    socketIo: 'new Server(server) // with a ws that limits fragments: npm ls ws',
    countersign:
      '// a packet counts as 64 bytes at least before acceptance; behind it, maxFragments of ws holds',
  },
  async run(scene) {
    const { view, visit } = await stayAsSomebody(scene)
    try {
      if (view.kind !== 'open') return { kind: 'not tested', missing: nobodyGetsIn }
      visit.sendFrame({ opcode: opcodes.text, payload: Buffer.from('a'), fin: false }, 'the first fragment')
      let sent = 1
      while (visit.live && sent < fragments) {
        const frames = Array.from({ length: batch }, () => ({
          opcode: opcodes.continuation,
          payload: Buffer.from('a'),
          fin: false,
        }))
        visit.sendFrames(frames, `${batch} fragments of one byte`)
        sent += batch
        await visit.pinged(answerMs)
      }
      const ending = await visit.closed(visit.live ? answerMs : 0)
      if (ending !== undefined)
        return {
          kind: 'pass',
          says: `closed with ${ending.code} after at most ${sent} fragments`,
          exchanges: [visit.exchange],
        }
      return {
        kind: 'fail',
        findings: [
          {
            says: `the target goes on waiting for the end of a message of ${sent} fragments`,
            severity: 'low',
            confidence: 'high',
            exchanges: [visit.exchange],
          },
        ],
      }
    } finally {
      await visit.leave()
    }
  },
}
