/** I5: a few kilobytes that become megabytes. */
import { randomBytes } from 'node:crypto'
import { constants, deflateRawSync } from 'node:zlib'
import { headerOf } from '../answer.ts'
import type { Check } from '../check.ts'
import { opcodes } from '../frames.ts'
import { nobodyGetsIn, stayAsSomebody } from '../staying.ts'

const inflatedBytes = 16_777_216
const answerMs = 3_000
/** The first of the three reserved bits says that a message is compressed (RFC 7692 §6). */
const compressed = 4

/** A compressed message that inflates to 16 MiB, less than a thousand to one. */
function bomb(): Buffer {
  const spice = randomBytes(2_048).toString('hex')
  const bytes = deflateRawSync(spice + 'a'.repeat(inflatedBytes - spice.length), {
    finishFlush: constants.Z_SYNC_FLUSH,
  })
  // What every such block ends with is left out (RFC 7692 §7.2.1).
  return bytes.subarray(0, -4)
}

/** Compressed messages without a limit. */
export const compressionBomb: Check = {
  id: 'I5',
  title: 'A small compressed message becomes a huge one',
  cwe: [409],
  asvs: ['15.2.2'],
  safety: 'A',
  needs: [],
  why: 'Deflate makes a thousand bytes of one. A limit that looks at what came over the wire lets one packet claim the memory of thousands.',
  remedy: {
    text: 'Switch compression off unless you have measured that you need it; where it is on, the limit must hold for the inflated message.',
    ws: 'new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 65_536 })',
    socketIo: 'new Server(server, { perMessageDeflate: false, maxHttpBufferSize: 65_536 }) // off by default',
    countersign:
      'new WebSocketServer({ noServer: true, maxPayload: 65_536 }) // perMessageDeflate is off by default',
  },
  async run(scene) {
    const { view, visit } = await stayAsSomebody(scene, { offersDeflate: true })
    try {
      if (view.kind !== 'open') return { kind: 'not tested', missing: nobodyGetsIn }
      const headers = visit.answer.kind === 'answered' ? visit.answer.headers : []
      if (!/permessage-deflate/i.test(headerOf(headers, 'sec-websocket-extensions') ?? ''))
        return { kind: 'pass', says: 'compression is not agreed upon', exchanges: [visit.exchange] }
      const payload = bomb()
      visit.sendFrame(
        { opcode: opcodes.text, payload, reserved: compressed },
        `${payload.length} bytes that inflate to ${inflatedBytes}`,
      )
      const ending = await visit.closed(answerMs)
      if (ending !== undefined)
        return { kind: 'pass', says: `refused with ${ending.code}`, exchanges: [visit.exchange] }
      visit.note(`not refused within ${answerMs} ms`)
      return {
        kind: 'fail',
        findings: [
          {
            says: `${payload.length} bytes that inflate to ${inflatedBytes} are taken`,
            severity: 'medium',
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
