/** Leases without sockets: one timer for all of them, and the same work for each however many there are. */
import type { Part } from '../rig/part.ts'
import { Server } from '../rig/process.ts'
import type { LeaseCosts } from '../rig/protocol.ts'
import type { Row } from '../rig/report.ts'

const table = 'leases without sockets, ns each'
const few = 1_000
const counts = [few, 10_000, 100_000] as const

/** The wheel, through the guard that has it. */
export const part: Part = {
  name: 'wheel',
  async *measure(quick) {
    let least: LeaseCosts | undefined
    for (const count of counts) {
      const costs = await measureCount(count, quick)
      least ??= costs
      yield rowOf(count, costs, least)
    }
  },
}

/** A process for each count: what one has left on the heap is not in the way of the next. */
async function measureCount(count: number, quick: boolean): Promise<LeaseCosts> {
  const server = await Server.start({ kind: 'bare', application: 'idle' }, ['--expose-gc'])
  const operations = quick ? 300_000 : 1_500_000
  try {
    return await server.ask('leaseCosts', { count, rounds: Math.max(6, Math.round(operations / count)) })
  } finally {
    await server.stop()
  }
}

/**
 * The floor is the smallest count: what does not grow with the number of leases costs the same there. Memory that no
 * longer fits into caches costs more to reach, whatever is done with it.
 */
function rowOf(count: number, costs: LeaseCosts, floor: LeaseCosts): Row {
  const total = ({ addNs, refreshNs, endNs }: LeaseCosts): number => addNs + refreshNs + endNs
  return {
    bench: 'leases',
    table,
    name: `${count.toLocaleString('en')} leases`,
    figures: {
      add: costs.addNs,
      refresh: costs.refreshNs,
      end: costs.endNs,
      'times 1,000': total(costs) / total(floor),
      'quiet tick µs': costs.tickUs,
      'bytes each': costs.bytesEach,
      timers: costs.timers,
    },
    targets: [
      { figure: 'timers', bound: 1, sense: 'at most' },
      ...(count === few ? [] : [{ figure: 'times 1,000', bound: 10, sense: 'at most' } as const]),
    ],
  }
}
