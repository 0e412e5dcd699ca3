/** Messages after acceptance: what the gate of a lease costs on each, in either direction. */
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench } from './rig/bench.ts'
import { burstEnd, burstSize, burstText } from './rig/bursts.ts'
import { exchange, hold, release, type Attempt } from './rig/generator.ts'
import { median } from './rig/numbers.ts'
import { Server } from './rig/process.ts'
import type { Application } from './rig/protocol.ts'
import type { Row } from './rig/report.ts'
import { handshakeRequest, textFrame } from './rig/requests.ts'
import { unusedKey } from './rig/tokens.ts'

const connections = 16
const messages = burstOf(burstText)
/** As long as the others; what a policy reads has to be JSON. */
const judged = burstOf('{"type":"chat.send","room":"lobby","text":"hello, how are you?"}')
/** A server's frames are not masked: two bytes of head. */
const messageBytes = burstText.length + 2

/** One way in which messages go, as an application, what is sent to it at a time, and how long its answer is. */
interface Direction {
  readonly name: string
  readonly application: Application
  readonly burst: Buffer
  readonly answerBytes: number
  /** Share of the floor; `undefined`: only shown. */
  readonly atLeast: number | undefined
  /** Whether each message is held to a policy. */
  readonly policy: boolean
}

/** Every direction counts the messages that its name says; what else a burst needs is the same on both sides. */
const directions: readonly Direction[] = [
  {
    name: 'echo',
    application: 'echo',
    burst: Buffer.concat(messages),
    answerBytes: burstSize * messageBytes,
    atLeast: 0.98,
    policy: false,
  },
  {
    name: 'inbound',
    application: 'sink',
    burst: Buffer.concat([...messages, textFrame(burstEnd)]),
    answerBytes: burstEnd.length + 2,
    atLeast: 0.97,
    policy: false,
  },
  {
    name: 'outbound',
    application: 'source',
    burst: textFrame(burstEnd),
    answerBytes: burstSize * messageBytes,
    atLeast: 0.97,
    policy: false,
  },
  {
    name: 'echo under a policy',
    application: 'echo',
    burst: Buffer.concat(judged),
    answerBytes: burstSize * messageBytes,
    atLeast: undefined,
    policy: true,
  },
]

function burstOf(text: string): readonly Buffer[] {
  const message = textFrame(text)
  return Array.from({ length: burstSize }, () => message)
}

/** The messages bench. */
export const bench: Bench = {
  name: 'messages',
  about: 'messages of 64 bytes over 16 accepted connections, CPU beside bare ws',
  async run({ quick, only, done }) {
    for (const direction of directions.filter(({ name }) => name.includes(only)))
      done(await measureDirection(direction, quick))
  },
}

/** All directions as rows of another bench, each to reach the same share. */
export async function* messageRows(bench: string, atLeast: number, quick: boolean): AsyncGenerator<Row> {
  for (const direction of directions.filter(({ policy }) => !policy)) {
    const row = await measureDirection({ ...direction, atLeast }, quick)
    yield { ...row, bench, name: `messages, ${direction.name}` }
  }
}

interface Side {
  readonly server: Server
  readonly sockets: readonly Socket[]
}

async function measureDirection(direction: Direction, quick: boolean): Promise<Row> {
  const { application, policy } = direction
  const bare = await Server.start({ kind: 'bare', application })
  const facts = { records: 'memory', key: unusedKey, policy } as const
  const guarded = await Server.start({ kind: 'guarded', application, ...facts })
  const tickets = await guarded.ask('mint', { what: 'ticket', count: connections })
  const attempts = tickets.map((ticket): Attempt => ({
    request: handshakeRequest({ target: `/?ticket=${ticket}` }),
    frame: undefined,
  }))
  const floorSide = { server: bare, sockets: await hold(bare.port, attempts) }
  const guardedSide = { server: guarded, sockets: await hold(guarded.port, attempts) }
  try {
    const bursts = quick ? 100 : 300
    const floor: Slice[] = []
    const cost: Slice[] = []
    for (const side of [floorSide, guardedSide]) await slice(side, direction, bursts)
    for (let pair = 0; pair < (quick ? 4 : 12); pair++) {
      // Neither side always comes first: what one leaves behind must not always hit the other.
      if (pair % 2 === 0) floor.push(await slice(floorSide, direction, bursts))
      cost.push(await slice(guardedSide, direction, bursts))
      if (pair % 2 === 1) floor.push(await slice(floorSide, direction, bursts))
    }
    return rowOf(direction, floor, cost)
  } finally {
    await release([...floorSide.sockets, ...guardedSide.sockets])
    await Promise.all([bare.stop(), guarded.stop()])
  }
}

function rowOf({ name, atLeast }: Direction, floor: readonly Slice[], guarded: readonly Slice[]): Row {
  const floorUs = floor.map(({ us }) => us)
  const guardedUs = guarded.map(({ us }) => us)
  return {
    bench: 'messages',
    name,
    figures: {
      share: median(floorUs.map((us, at) => us / (guardedUs[at] ?? NaN))),
      'share (quietest)': Math.min(...floorUs) / Math.min(...guardedUs),
      'floor µs': median(floorUs),
      'guarded µs': median(guardedUs),
      'messages/s': median(guarded.map(({ perSecond }) => perSecond)),
    },
    targets: atLeast === undefined ? [] : [{ figure: 'share', bound: atLeast, sense: 'at least' }],
  }
}

interface Slice {
  readonly us: number
  readonly perSecond: number
}

async function slice({ server, sockets }: Side, direction: Direction, bursts: number): Promise<Slice> {
  const { burst, answerBytes } = direction
  const before = await server.ask('cpu', undefined)
  const elapsedMs = await exchange({ sockets, burst, answerBytes, bursts })
  await sleep(10)
  const after = await server.ask('cpu', undefined)
  const count = bursts * burstSize * sockets.length
  return { us: (after.us - before.us) / count, perSecond: (count / elapsedMs) * 1_000 }
}
