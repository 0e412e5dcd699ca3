/** Revoking somebody who holds a tenth of all sockets, while the others talk; beside plain closes of as many. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Gone, Pulse } from '../rig/crowd-protocol.ts'
import { Crowd, gather, type Gathering } from '../rig/crowds.ts'
import { delaysBetween, spreadOf } from '../rig/delays.ts'
import { median } from '../rig/numbers.ts'
import type { Part } from '../rig/part.ts'
import { Server } from '../rig/process.ts'
import type { Cut, Role } from '../rig/protocol.ts'
import type { Row } from '../rig/report.ts'
import { unusedKey } from '../rig/tokens.ts'

/** How large and how often. */
interface Size {
  readonly sockets: number
  readonly revoked: number
  readonly rounds: number
}

const whole: Size = { sockets: 10_000, revoked: 1_000, rounds: 7 }
const small: Size = { sockets: 2_000, revoked: 200, rounds: 3 }
/** Connections that exchange messages, and how many messages a second in all. */
const talking = 200
const perSecond = 1_000
const beforeMs = 1_000
/** The window in which all must be closed, and for which the delays of the others are told. */
const duringMs = 250
/** After that, whoever is not closed counts as never closed. */
const patienceMs = 5_000

const guarded: Role = { kind: 'guarded', application: 'echo', records: 'memory', key: unusedKey }
const bare: Role = { kind: 'bare', application: 'echo', grouped: true }

/** The revocation of one subject. */
export const part: Part = {
  name: 'revocation',
  async *measure(quick) {
    const size = quick ? small : whole
    const sides = [await openSide(bare, size), await openSide(guarded, size)] as const
    const rounds: readonly [Round[], Round[]] = [[], []]
    try {
      for (let at = 0; at < size.rounds; at++)
        for (const side of at % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const))
          rounds[side].push(await measureRound(sides[side], size, `group-${at}`))
    } finally {
      await Promise.all(
        sides.flatMap(({ server, others, talkers }) => [server.stop(), others.stop(), talkers.stop()]),
      )
    }
    yield* rowsOf(size, rounds)
  },
}

/** A server and its clients. Those that talk have a process of their own: they must not wait for those that are closed. */
interface Side {
  readonly role: Role
  readonly server: Server
  readonly others: Crowd
  readonly talkers: Crowd
}

async function openSide(role: Role, size: Size): Promise<Side> {
  const side = { role, server: await Server.start(role), others: Crowd.start(), talkers: Crowd.start() }
  const quiet = size.sockets - size.revoked - talking
  await gather(side.server, side.others, gathering(role, 'quiet', quiet, 'a subject each'))
  await gather(side.server, side.talkers, gathering(role, 'talking', talking, 'a subject each'))
  return side
}

function gathering(role: Role, group: string, count: number, tickets: Gathering['tickets']): Gathering {
  return { group, count, tickets: role.kind === 'guarded' ? tickets : 'none' }
}

interface Round {
  readonly cut: Cut
  readonly gone: Gone
  readonly pulse: Pulse
}

/** Opens those who will be cut, lets the talkers talk, cuts, and waits for every end. */
async function measureRound(
  { role, server, others, talkers }: Side,
  size: Size,
  group: string,
): Promise<Round> {
  await gather(server, others, gathering(role, group, size.revoked, 'one subject'))
  await sleep(200)
  await talkers.ask('pulse', { group: 'talking', perSecond })
  await sleep(beforeMs + 200)
  const cut = await server.ask('cut', { group })
  if (cut.count !== size.revoked) throw new Error(`${cut.count} of ${size.revoked} were cut`)
  const gone = await others.ask('gone', { group, withinMs: patienceMs })
  await sleep(duringMs)
  return { cut, gone, pulse: await talkers.ask('still', undefined) }
}

function rowsOf(size: Size, [floor, cost]: readonly [readonly Round[], readonly Round[]]): readonly Row[] {
  const all = `${size.revoked.toLocaleString('en')} of ${size.sockets.toLocaleString('en')}`
  return [
    {
      bench: 'leases',
      table: 'one subject is revoked: until its sockets are closed, as clients see it, ms from the call',
      name: all,
      figures: { ...closings(cost, ''), ...closings(floor, 'floor ') },
      targets: [{ figure: 'all closed, worst', bound: duringMs, sense: 'at most' }],
    },
    {
      bench: 'leases',
      table: `messages of the others: ms from due to echo, before and in the ${duringMs} ms from the call`,
      name: `${talking} of the others`,
      figures: { ...delays(cost, ''), ...delays(floor, 'floor ') },
      targets: [{ figure: 'p99', bound: 50, sense: 'at most' }],
    },
  ]
}

/** The worst round is what a promise rests upon; the median is what the floor is compared by. */
function closings(rounds: readonly Round[], prefix: string): Record<string, number> {
  const since = (pick: (round: Round) => number): readonly number[] =>
    rounds.map((round) => pick(round) - round.cut.calledAtMs)
  const ends = since(({ gone }) => (gone.open > 0 ? Infinity : Math.max(...gone.endAtMs)))
  return {
    [`${prefix}gate shut`]: median(since(({ cut }) => cut.shutAtMs)),
    [`${prefix}last close frame`]: median(since(({ gone }) => Math.max(...gone.closeFrameAtMs))),
    [`${prefix}all closed`]: median(ends),
    [`${prefix}all closed, worst`]: Math.max(...ends),
  }
}

function delays(rounds: readonly Round[], prefix: string): Record<string, number> {
  const window = (fromMs: number, toMs: number): ReturnType<typeof spreadOf> =>
    spreadOf(
      rounds.map(({ cut, pulse }) => delaysBetween(pulse, cut.calledAtMs + fromMs, cut.calledAtMs + toMs)),
    )
  const [before, during] = [window(-beforeMs, 0), window(0, duringMs)]
  return {
    [`${prefix}p50 before`]: before.p50Ms,
    [`${prefix}p99 before`]: before.p99Ms,
    [`${prefix}p50`]: during.p50Ms,
    [`${prefix}p99`]: during.p99Ms,
    [`${prefix}worst`]: during.maxMs,
  }
}
