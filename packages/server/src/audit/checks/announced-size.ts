/** I3: a message may be as long as it likes. Announces lengths, and never sends what was announced. */
import type { Check } from '../check.ts'
import { opcodes } from '../frames.ts'
import type { Stay } from '../oracle.ts'
import { nobodyGetsIn, stayAsSomebody } from '../staying.ts'

/** Longest message that a target may let itself be told of, bytes. */
const tolerableBytes = 16_777_216
const steps = [tolerableBytes + 1, 104_857_601, 2_147_483_647]
const answerMs = 1_500

/** No limit to the size of a message. */
export const announcedSize: Check = {
  id: 'I3',
  title: 'A single message may be of any size',
  cwe: [770, 400],
  asvs: ['15.2.2', '15.1.3'],
  safety: 'A',
  needs: [],
  why: 'A server keeps a message in memory until it is whole. Without a limit each socket may claim as much as it likes; the default of widespread libraries is 100 MiB.',
  remedy: {
    text: 'Set a limit that fits your messages, usually 64 KiB or less, and let the library refuse by the announced length (close code 1009).',
    ws: 'new WebSocketServer({ noServer: true, maxPayload: 65_536 })',
    socketIo: 'new Server(server, { maxHttpBufferSize: 65_536 })',
    countersign:
      'new WebSocketServer({ noServer: true, maxPayload: 65_536 }) // a waiting room of 4 KiB before acceptance comes with the guard',
  },
  async run(scene) {
    const accepted: number[] = []
    let last: Stay['exchange'] = []
    for (const bytes of steps) {
      const stay = await stayAsSomebody(scene)
      try {
        if (stay.view.kind !== 'open') return { kind: 'not tested', missing: nobodyGetsIn }
        stay.visit.sendFrame(
          { opcode: opcodes.text, announces: bytes },
          `the head of a text frame that announces ${bytes} bytes; nothing behind it`,
        )
        const ending = await stay.visit.closed(answerMs)
        if (ending === undefined) {
          stay.visit.note(`not refused within ${answerMs} ms`)
          accepted.push(bytes)
        }
        last = stay.exchange
        if (ending !== undefined) break
      } finally {
        await stay.visit.leave()
      }
    }
    const most = accepted.at(-1)
    if (most === undefined)
      return {
        kind: 'pass',
        says: `a message of ${steps[0]} bytes is refused by its head`,
        exchanges: [last],
      }
    return {
      kind: 'fail',
      findings: [
        {
          says: `the target goes on waiting for a message of ${most} bytes`,
          severity: 'medium',
          confidence: 'high',
          exchanges: [last],
        },
      ],
    }
  },
}
