/** I12: headers that have brought servers down. */
import type { Check, Finding, Scene } from '../check.ts'
import { earlyFrames, type EarlyFrame } from '../early-frames.ts'
import type { Exchange } from '../exchange.ts'
import { crashProbes as consent } from '../needs.ts'
import type { Stay } from '../oracle.ts'
import { RawTalk } from '../raw-talk.ts'
import { enterAsSomebody } from '../staying.ts'

const answerMs = 1_500
const stuckMs = 3_000
const restMs = 1_000

/** A head that parsers have not borne. */
interface CrashHead {
  readonly name: string
  /** Before those of the handshake itself: servers that stop counting lose it. */
  readonly before?: readonly string[]
  readonly fields: readonly string[]
}

const extension = (value: string): string => `Sec-WebSocket-Extensions: ${value}`

const letters = 'abcdefghijklmnopqrstuvwxyz0123456789!#$%&*+-.^_|~'.split('')

/** Fields with names so short that thousands of them fit into what servers take as a head. */
function shortFields(count: number): readonly string[] {
  return letters.flatMap((one) => letters.map((other) => `${one}${other}:1`)).slice(0, count)
}

const heads: readonly CrashHead[] = [
  { name: '2,001 header fields', fields: shortFields(2_001) },
  { name: '2,000 header fields before its own', before: shortFields(2_000), fields: [] },
  { name: 'an extension with a parameter of escapes', fields: [extension(`a;b="${'\\c'.repeat(2_000)}`)] },
  { name: '30,000 blanks in the protocol', fields: [`Sec-WebSocket-Protocol: a${' '.repeat(30_000)}b`] },
  { name: 'an extension called __proto__', fields: [extension('__proto__; a=1')] },
  { name: 'an extension called constructor', fields: [extension('constructor; prototype=1')] },
  { name: 'a protocol called __proto__', fields: ['Sec-WebSocket-Protocol: __proto__, constructor'] },
]

/** Headers that crash parsers. */
export const crashProbes: Check = {
  id: 'I12',
  title: 'One handshake brings the target down',
  cwe: [476, 1333, 248],
  asvs: ['16.5.3'],
  safety: 'A',
  needs: [consent],
  crashes: true,
  why: 'A parser that throws where nobody catches, or that takes seconds for a line, lets one request without any credential end the service for everybody. ws, websocket-extensions, engine.io and others have had such versions.',
  remedy: {
    text: 'Keep the WebSocket library up to date, attach the handler of errors in the step that opens the socket and not behind an await, look names up in maps and not in objects, and keep the limits for headers that your HTTP server has by default.',
    ws: "// ws of now: 8.17.1, 7.5.10, 6.2.3, 5.2.4 or newer; and in your own code a Map for names that peers choose\nnew Map([['permessage-deflate', accept]]).get(name)?.()",
    socketIo: '// engine.io of now, which brings a ws of now: npm ls ws',
    countersign: '// handshakes are read within bounds before anybody else sees them',
  },
  async run(scene) {
    const findings: Finding[] = []
    let last: Exchange = []
    let tried = 0
    for await (const probe of probesOf(scene)) {
      tried += 1
      const { exchange, harm } = await tryOne(scene, probe)
      last = exchange
      if (harm === undefined) continue
      findings.push({
        says: `${harm} after a handshake with ${probe.name}`,
        severity: 'high',
        confidence: 'high',
        subject: probe.name,
        exchanges: [exchange],
      })
      if (harm === gone) break
    }
    if (findings.length > 0) return { kind: 'fail', findings }
    return {
      kind: 'pass',
      says: `alive after ${tried} handshakes that have crashed others`,
      exchanges: [last],
    }
  },
}

const gone = 'the target is gone'

/** A probe for each: early frames need sessions and tokens that are fresh. */
async function* probesOf(scene: Scene): AsyncGenerator<EarlyFrame> {
  for (const head of heads) yield { name: head.name, bytes: Buffer.from(headOf(scene, head)) }
  yield* await earlyFrames(scene)
}

function headOf({ endpoint }: Scene, { fields, before = [] }: CrashHead): string {
  const head = [
    `GET ${endpoint.url.pathname}${endpoint.url.search} HTTP/1.1`,
    `Host: ${endpoint.url.host}`,
    ...before,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    'Sec-WebSocket-Version: 13',
    `Origin: ${endpoint.origin}`,
  ]
  return [...head, ...fields, '', ''].join('\r\n')
}

async function tryOne(
  scene: Scene,
  { name, bytes }: EarlyFrame,
): Promise<{ readonly exchange: Exchange; readonly harm: string | undefined }> {
  const { endpoint, needs, oracle, budget } = scene
  const bystander = await enterAsSomebody(scene)
  const talk = await RawTalk.open(needs, endpoint.url)
  try {
    const isThere = await isIn(bystander)
    talk.write(bytes, `a handshake with ${name}`)
    const from = performance.now()
    const reply = isThere ? await bystander.visit.pinged(stuckMs) : undefined
    await talk.head(Math.max(0, answerMs - (performance.now() - from)))
    if ((await oracle.knock()) === 'unreachable') {
      await budget.pause(restMs)
      if ((await oracle.knock()) === 'unreachable') return { exchange: talk.exchange, harm: gone }
    }
    // By now what was closed then has been heard of.
    const lost = isThere && !bystander.visit.live && (await canEnter(scene))
    const stuck = isThere && bystander.visit.live && reply === undefined
    if (lost) return { exchange: talk.exchange, harm: 'the sockets of others are closed' }
    return { exchange: talk.exchange, harm: stuck ? `others wait for more than ${stuckMs} ms` : undefined }
  } finally {
    talk.leave()
    await bystander.visit.leave()
  }
}

/** Whether somebody is in: who is refused behind the 101 is no bystander. */
async function isIn({ view, visit }: Stay): Promise<boolean> {
  return view.kind === 'open' && (await visit.pinged(stuckMs)) !== undefined
}

/** Whether somebody may still come in: who has lost that meanwhile, by another check perhaps, lost the socket by it. */
async function canEnter(scene: Scene): Promise<boolean> {
  const another = await enterAsSomebody(scene)
  const isThere = await isIn(another)
  await another.visit.leave()
  return isThere
}
