/** I2: frames that RFC 6455 forbids, and a target that takes them. */
import type { Check, Scene } from '../check.ts'
import type { Exchange } from '../exchange.ts'
import { closePayload, opcodes, type FrameOptions } from '../frames.ts'
import { enterAsSomebody, nobodyGetsIn, stayAsSomebody } from '../staying.ts'

const answerMs = 1_500
const many = 5

const { continuation, text, ping, close } = opcodes
const word = Buffer.from('audit')
const badUtf8 = Buffer.from([0x61, 0xc3, 0x28])

interface Violation {
  /** With its section. */
  readonly name: string
  readonly frames: readonly FrameOptions[]
}

const unknownOpcodes = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]

const violations: readonly Violation[] = [
  { name: 'an unmasked message (§5.1)', frames: [{ opcode: text, payload: word, masked: false }] },
  ...[1, 2, 4].map((reserved) => ({
    name: `reserved bit ${reserved} (§5.2)`,
    frames: [{ opcode: text, payload: word, reserved }],
  })),
  ...unknownOpcodes.map((opcode) => ({
    name: `opcode ${opcode} (§5.2)`,
    frames: [{ opcode, payload: word }],
  })),
  { name: 'a fragmented ping (§5.5)', frames: [{ opcode: ping, payload: word, fin: false }] },
  { name: 'a ping of 126 bytes (§5.5)', frames: [{ opcode: ping, payload: Buffer.alloc(126, 97) }] },
  { name: 'a close frame of one byte (§5.5.1)', frames: [{ opcode: close, payload: Buffer.from([3]) }] },
  ...[999, 1005, 65_535].map((code) => ({
    name: `close code ${code} (§7.4)`,
    frames: [{ opcode: close, payload: closePayload(code) }],
  })),
  { name: 'a text that is not UTF-8 (§8.1)', frames: [{ opcode: text, payload: badUtf8 }] },
  { name: 'a continuation of nothing (§5.4)', frames: [{ opcode: continuation, payload: word }] },
  {
    name: 'a message within a message (§5.4)',
    frames: [
      { opcode: text, payload: word, fin: false },
      { opcode: text, payload: word },
    ],
  },
]

/** Violations of the framing protocol. */
export const frameRules: Check = {
  id: 'I2',
  title: 'Frames that the protocol forbids are taken',
  cwe: [20, 755],
  asvs: ['16.5.3'],
  safety: 'A',
  needs: [],
  why: 'A server and a proxy before it that read a broken frame differently can be told different things; unmasked messages let a page write bytes of its choice to caches on the way (RFC 6455 §10.3).',
  remedy: {
    text: 'Fail the connection at the first violation: 1002, or 1007 for text that is not UTF-8. Use a library that passes the Autobahn test suite, with its checks on.',
    ws: 'new WebSocketServer({ noServer: true }) // skipUTF8Validation stays false',
    socketIo: 'new Server(server) // its ws engine checks; leave wsEngine as it is',
    countersign: 'guardUpgrades(server, wss, guard) // ws reads the frames',
  },
  async run(scene) {
    const first = await stayAsSomebody(scene)
    await first.visit.leave()
    if (first.view.kind !== 'open') return { kind: 'not tested', missing: nobodyGetsIn }
    const looks = await Promise.all(violations.map((violation) => commit(scene, violation)))
    const open = looks.filter((look) => look !== 'kept out')
    if (open.length === 0) return { kind: 'not tested', missing: nobodyGetsIn }
    const taken = open.filter(({ tolerated }) => tolerated)
    if (taken.length === 0)
      return {
        kind: 'pass',
        says: `each of ${open.length} violations ended the connection`,
        exchanges: open.slice(0, 1).map(({ exchange }) => exchange),
      }
    return {
      kind: 'fail',
      findings: [
        {
          says: `still open and answering after ${taken.map(({ name }) => name).join(', ')}`,
          severity: taken.length >= many ? 'medium' : 'low',
          // A proxy that writes frames anew hides what is behind it.
          confidence: 'medium',
          exchanges: taken.slice(0, 3).map(({ exchange }) => exchange),
        },
      ],
    }
  },
}

interface Look {
  readonly name: string
  readonly tolerated: boolean
  readonly exchange: Exchange
}

async function commit(scene: Scene, { name, frames }: Violation): Promise<Look | 'kept out'> {
  const { view, visit } = await enterAsSomebody(scene)
  try {
    if (view.kind !== 'open') return 'kept out'
    for (const frame of frames) visit.sendFrame(frame, name)
    const ended = await visit.closed(answerMs)
    const tolerated = ended === undefined && (await visit.pinged(answerMs)) !== undefined
    if (tolerated) visit.note(`a ping is answered ${answerMs} ms later`)
    return { name, tolerated, exchange: visit.exchange }
  } finally {
    await visit.leave()
  }
}
