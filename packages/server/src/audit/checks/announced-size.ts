/** I3: a message may be as long as it likes. Announces lengths, and sends at most a megabyte of what was announced. */
import type { Check, Finding, Scene } from '../check.ts'
import type { Exchange } from '../exchange.ts'
import { opcodes } from '../frames.ts'
import { nobodyGetsIn, stayAsSomebody } from '../staying.ts'

/** Longest message that a target may let itself be told of, bytes. */
const tolerableBytes = 16_777_216
const steps = [tolerableBytes + 1, 104_857_601, 2_147_483_647]
/** What is really sent to a target that waits for more, bytes. */
const sentBytes = 1_048_577
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
    let most: Announced | undefined
    for (const bytes of steps) {
      const announced = await announce(scene, bytes)
      if (announced === 'kept out') return { kind: 'not tested', missing: nobodyGetsIn }
      if (announced.refused) {
        if (most !== undefined) break
        return {
          kind: 'pass',
          says: `a message of ${bytes} bytes is refused by its head`,
          exchanges: [announced.exchange],
        }
      }
      most = announced
    }
    const last = most?.bytes ?? 0
    const [arriving, whole] = await Promise.all([send(scene, last), send(scene, sentBytes)])
    if (arriving === 'kept out' || whole === 'kept out') return { kind: 'not tested', missing: nobodyGetsIn }
    if (arriving.refused)
      return {
        kind: 'pass',
        says: `a message of ${last} bytes is not refused by its head, but before ${sentBytes} of them are there`,
        exchanges: [arriving.exchange],
      }
    return { kind: 'fail', findings: [findingOf(last, whole, [most?.exchange ?? [], whole.exchange])] }
  },
}

interface Announced {
  readonly bytes: number
  readonly refused: boolean
  readonly exchange: Exchange
}

/** The head alone. */
async function announce(scene: Scene, bytes: number): Promise<Announced | 'kept out'> {
  const stay = await stayAsSomebody(scene)
  try {
    if (stay.view.kind !== 'open') return 'kept out'
    stay.visit.sendFrame(
      { opcode: opcodes.text, announces: bytes },
      `the head of a text frame that announces ${bytes} bytes; nothing behind it`,
    )
    const ending = await stay.visit.closed(answerMs)
    if (ending === undefined) stay.visit.note(`not refused within ${answerMs} ms`)
    return { bytes, refused: ending !== undefined, exchange: stay.exchange }
  } finally {
    await stay.visit.leave()
  }
}

/** A megabyte of a message that announces so many bytes. */
async function send(scene: Scene, bytes: number): Promise<Announced | 'kept out'> {
  const stay = await stayAsSomebody(scene)
  try {
    if (stay.view.kind !== 'open') return 'kept out'
    stay.visit.sendFrame(
      { opcode: opcodes.text, payload: Buffer.alloc(sentBytes, 97), announces: bytes },
      `${sentBytes} bytes of a text frame that announces ${bytes}`,
    )
    const ending = await stay.visit.closed(answerMs)
    if (ending === undefined) stay.visit.note(`not refused within ${answerMs} ms`)
    return { bytes, refused: ending !== undefined, exchange: stay.exchange }
  } finally {
    await stay.visit.leave()
  }
}

/** A target that looks when a message is whole has a limit, and has kept everything until then. */
function findingOf(bytes: number, whole: Announced, exchanges: readonly Exchange[]): Finding {
  return {
    says: whole.refused
      ? `a message is measured only when it is whole: the target goes on waiting for one of ${bytes} bytes`
      : `the target goes on waiting for a message of ${bytes} bytes`,
    severity: whole.refused ? 'low' : 'medium',
    confidence: whole.refused ? 'medium' : 'high',
    exchanges,
  }
}
