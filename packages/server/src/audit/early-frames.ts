/** Handshakes with a broken frame right behind them: servers that attach their handlers a moment later have nobody to catch the error. */
import { randomBytes } from 'node:crypto'
import { isJsonObject } from 'countersign/wire'
import type { Scene } from './check.ts'
import { opcodes, writeFrame } from './frames.ts'
import { jsonOf } from './json-of.ts'
import { writeHead } from './opening-head.ts'
import { requestPage } from './page-request.ts'
import { anonymous, type Presented } from './presented.ts'
import type { Attempt } from './visit.ts'

/** What is written at once: a handshake, and where there is something behind it, that too. */
export interface EarlyFrame {
  readonly name: string
  readonly bytes: Buffer
}

/** Frames that RFC 6455 §5.2 forbids. */
const broken: readonly (readonly [name: string, bytes: Buffer])[] = [
  ['a reserved bit', writeFrame({ opcode: opcodes.text, payload: Buffer.from('x'), reserved: 4 })],
  ['no mask', writeFrame({ opcode: opcodes.text, payload: Buffer.from('x'), masked: false })],
]

/** Each of them, as whoever gets in; over Engine.IO for a session that is there, and for one that is not, as well. @throws LoginFailed, BudgetSpent */
export async function earlyFrames(scene: Scene): Promise<readonly EarlyFrame[]> {
  const frames: EarlyFrame[] = []
  for (const [name, bytes] of broken) {
    const attempt = await attemptOf(scene)
    frames.push({ name: `a frame with ${name} behind it`, bytes: withHead(attempt, bytes) })
  }
  if (scene.endpoint.protocol !== 'socket.io') return frames
  for (const [name, sid] of [
    ['a session of polling', await pollingSession(scene)],
    ['a session that there is not', randomBytes(15).toString('base64url')],
  ] as const) {
    if (sid === undefined) continue
    const attempt = await attemptOf(scene)
    attempt.url.searchParams.set('sid', sid)
    for (const [wrong, bytes] of broken.slice(0, 1))
      frames.push({ name: `${name}, and a frame with ${wrong} behind it`, bytes: withHead(attempt, bytes) })
  }
  return frames
}

function withHead(attempt: Attempt, frame: Buffer): Buffer {
  return Buffer.concat([Buffer.from(writeHead(attempt, randomBytes(16).toString('base64'))), frame])
}

async function attemptOf(scene: Scene): Promise<Attempt> {
  return scene.oracle.attempt(await somebody(scene))
}

async function somebody({ low, baseline }: Scene): Promise<Presented> {
  return low !== undefined && baseline.low?.view.kind === 'open' ? low.present() : anonymous
}

/** The id of a session that Engine.IO opens over HTTP. */
async function pollingSession(scene: Scene): Promise<string | undefined> {
  const { url, headers = [], origins } = await attemptOf(scene)
  const address = new URL(url)
  address.protocol = url.protocol.replace(/^ws/, 'http')
  address.searchParams.set('transport', 'polling')
  const fields = origins.map((origin) => ['Origin', origin] as const)
  const answer = await requestPage(scene.needs, { url: address, headers: [...headers, ...fields] })
  // `0`, the type of the packet, stands before the JSON.
  const opened = answer.kind === 'answered' ? jsonOf(answer.body.slice(1)) : undefined
  const sid = isJsonObject(opened) ? opened['sid'] : undefined
  return typeof sid === 'string' ? sid : undefined
}
