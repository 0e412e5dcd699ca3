/** A server that is gone and comes back: whether its clients come back as a storm. */
import { setTimeout as sleep } from 'node:timers/promises'
import { monotonicMs } from '../rig/clock.ts'
import { most, perSecond, timesEach } from '../rig/arrivals.ts'
import type { Attempts } from '../rig/protocol.ts'
import type { Part } from '../rig/part.ts'
import type { Server } from '../rig/process.ts'
import type { Row } from '../rig/report.ts'
import { startSite, StormCrowd } from './crowd.ts'

/** How it goes. */
interface Case {
  readonly name: string
  /** @returns when connections ended, by `monotonicMs`; the process is gone by then */
  end(server: Server): Promise<number>
}

const cases: readonly Case[] = [
  {
    name: 'killed',
    async end(server) {
      const atMs = monotonicMs()
      await server.kill()
      return atMs
    },
  },
  {
    name: 'shut down',
    async end(server) {
      const { atMs } = await server.ask('shutDown', undefined)
      await sleep(lingerMs)
      await server.stop()
      return atMs
    },
  },
]

/** What a server gives its sockets to say goodbye. */
const lingerMs = 500
/** Over which the client spreads those whose server has gone: see the table of close codes in the guide. */
const windowMs = 5_000
/** Those who found nobody spread over twice that, and then over four times. */
const patienceMs = 45_000
/** After the last has come back: nobody comes twice. */
const quietMs = 6_000

/** One row for each case. */
export const part: Part = {
  name: 'storms: restart',
  async *measure(quick) {
    for (const one of cases) yield await measureCase(one, quick ? 500 : 5_000)
  },
}

async function measureCase(one: Case, count: number): Promise<Row> {
  let server = await startSite()
  let crowd: StormCrowd | undefined
  try {
    crowd = await StormCrowd.gather(server.port, count, (token) => [token()])
    const endedAtMs = await one.end(server)
    server = await startSite(server.port)
    const downMs = monotonicMs() - endedAtMs
    await crowd.until(({ open }) => open === count, patienceMs)
    await sleep(quietMs)
    const { open, attempts } = await crowd.state()
    const begun = await crowd.firstAttempts(endedAtMs)
    return rowOf(`${count.toLocaleString('en')}, ${one.name}`, {
      count,
      endedAtMs,
      downMs,
      begun,
      attempts: attempts - count,
      arrivals: await server.ask('attempts', undefined),
      open,
    })
  } finally {
    await crowd?.stop()
    await server.stop()
  }
}

interface Measured {
  readonly count: number
  readonly endedAtMs: number
  /** From then until another server listened. */
  readonly downMs: number
  /** First attempts, whether anybody was there or not. */
  readonly begun: readonly number[]
  /** Attempts of all since the end. */
  readonly attempts: number
  /** What the new server has seen. */
  readonly arrivals: Attempts
  readonly open: number
}

/** Beside the ideal: the same clients, one after the other, evenly over the window. */
function rowOf(name: string, measured: Measured): Row {
  const { count, endedAtMs, downMs, begun, attempts, arrivals, open } = measured
  const ideal = count / (windowMs / 1_000)
  const tried = perSecond(begun, endedAtMs)
  const came = perSecond(arrivals.atMs, endedAtMs)
  const secondsOfWindow = windowMs / 1_000
  return {
    bench: 'adapters',
    table: `storms: a server is gone and comes back; its clients have ${secondsOfWindow} s, ideally ${ideal.toLocaleString('en')} a second`,
    name,
    figures: {
      'seconds down': downMs / 1_000,
      'busiest second': most(came),
      'times ideal': most(came) / ideal,
      'first tries, times ideal': most(tried) / ideal,
      'fewest first tries, times ideal': Math.min(...tried.slice(0, secondsOfWindow)) / ideal,
      'found nobody': attempts - arrivals.client.length,
      'busiest after the window': most(came.slice(secondsOfWindow + 1)),
      'most of one': most(timesEach(arrivals.client)),
      'not back': count - open,
      'seconds to the last': came.length,
    },
    targets: [
      { figure: 'times ideal', bound: 1.25, sense: 'at most' },
      { figure: 'first tries, times ideal', bound: 1.25, sense: 'at most' },
      { figure: 'most of one', bound: 1, sense: 'at most' },
      { figure: 'not back', bound: 0, sense: 'at most' },
    ],
    note: `arrivals a second from the end on: ${came.join(' ')}`,
  }
}
