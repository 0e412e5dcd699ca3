/**
 * What an idle connection costs in memory, bare and behind a guard: slopes between two plateaus, so that code, which is
 * loaded once, does not count.
 *
 * At each plateau the server collects as if it were about to run out of memory. An ordinary collection leaves the young
 * generation at whatever size it has grown to, up to tens of MiB, and old pages half empty. Both depend on how much was
 * allocated since the start and on when the collector last ran, not on how many connections are open: the side that
 * allocates more per handshake grows its young generation within the window, the other one before or after it, and the
 * same pair of servers answers 1.1 times the floor or 1.5 times. The row "as found" shows what that comes to.
 */
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench } from './rig/bench.ts'
import { hold, release, type Attempt } from './rig/generator.ts'
import { median } from './rig/numbers.ts'
import { Server } from './rig/process.ts'
import type { Memory, Role } from './rig/protocol.ts'
import type { Row } from './rig/report.ts'
import { handshakeRequest } from './rig/requests.ts'
import { unusedKey } from './rig/tokens.ts'

const bare: Role = { kind: 'bare', application: 'idle' }
const guarded: Role = { kind: 'guarded', application: 'idle', records: 'memory', key: unusedKey }

/** The memory bench. */
export const bench: Bench = {
  name: 'memory',
  about: 'idle connections through the ticket door, KiB each beside bare ws',
  async run({ quick, done }) {
    const pairs = quick ? 1 : 5
    const floors: Growth[] = []
    const guards: Growth[] = []
    for (let at = 0; at < pairs; at++) {
      floors.push(await measureGrowth(bare))
      guards.push(await measureGrowth(guarded))
    }
    for (const row of rowsOf(floors, guards)) done(row)
  },
}

/** KiB a connection of one server. */
interface Growth {
  readonly slopeRss: number
  readonly slopeHeap: number
  readonly emptyRss: number
  readonly foundRss: number
}

const few = 3_000
const quoted = 5_000
const many = 8_000

async function measureGrowth(role: Role): Promise<Growth> {
  const server = await Server.start(role, ['--expose-gc'])
  const held: Socket[] = []
  const at = async (count: number): Promise<Memory> => {
    // In portions: a ticket must not expire before its turn.
    while (held.length < count) held.push(...(await hold(server.port, await attempts(server, role, 1_000))))
    await sleep(100)
    const memory = await server.ask('memory', undefined)
    if (memory.sockets !== count) throw new Error(`${memory.sockets} connections of ${count} are open`)
    return memory
  }
  try {
    const empty = await at(0)
    const [first, middle, last] = [await at(few), await at(quoted), await at(many)]
    return {
      slopeRss: kib(last.rssBytes - first.rssBytes, many - few),
      slopeHeap: kib(last.heapBytes - first.heapBytes, many - few),
      emptyRss: kib(middle.rssBytes - empty.rssBytes, quoted),
      foundRss: kib(last.foundRssBytes - empty.rssBytes, many),
    }
  } finally {
    await release(held)
    await server.stop()
  }
}

async function attempts(server: Server, role: Role, count: number): Promise<readonly Attempt[]> {
  const tickets =
    role.kind === 'guarded'
      ? await server.ask('mint', { what: 'ticket', count })
      : Array.from({ length: count }, () => `cst_${'A'.repeat(43)}`)
  return tickets.map((ticket) => ({
    request: handshakeRequest({ target: `/?ticket=${ticket}` }),
    frame: undefined,
  }))
}

function rowsOf(floors: readonly Growth[], guards: readonly Growth[]): readonly Row[] {
  const row = (name: string, pick: (growth: Growth) => number): Row => {
    const floor = median(floors.map(pick))
    const guardedKib = median(guards.map(pick))
    return {
      bench: 'memory',
      name,
      figures: {
        'floor KiB': floor,
        'guarded KiB': guardedKib,
        times: guardedKib / floor,
        'more KiB': guardedKib - floor,
      },
      targets: [],
    }
  }
  return [
    {
      ...row(`RSS, slope ${few}–${many}`, (growth) => growth.slopeRss),
      targets: [{ figure: 'times', bound: 1.2, sense: 'at most' }],
    },
    {
      ...row(`heap, slope ${few}–${many}`, (growth) => growth.slopeHeap),
      targets: [{ figure: 'more KiB', bound: 0.6, sense: 'at most' }],
    },
    row(`RSS, ${quoted} from empty`, (growth) => growth.emptyRss),
    row(`RSS, ${many} from empty, as found`, (growth) => growth.foundRss),
  ]
}

function kib(bytes: number, connections: number): number {
  return bytes / 1_024 / connections
}
