/** Leases without sockets: what the registry and its wheel cost, and how many timers they take. */
import {
  createGuard,
  grantOf,
  memory,
  query,
  type Clock,
  type Guard,
  type Lease,
  type Verdict,
} from 'countersign'
import { ticket } from 'countersign/methods'
import { nodePlatform } from 'countersign/platform/node'
import type { LeaseCosts } from './protocol.ts'
import { collect } from './readings.ts'

type Accept = Extract<Verdict, { readonly kind: 'accept' }>

/** What a refresh brings. */
const leaseMs = 15 * 60_000
const quietTicks = 200

/** Measures this many leases of one guard at a time, so many times over; the first rounds are not counted. */
export async function measureLeases(order: {
  readonly count: number
  readonly rounds: number
}): Promise<LeaseCosts> {
  const clock = new CountingClock()
  const guard = createGuard({
    records: memory(),
    accept: [ticket({ from: query('ticket') })],
    platform: { ...nodePlatform(), clock },
  })
  const accepted = Array.from({ length: order.count }, (_none, at) => acceptOf(at))
  const rounds: Round[] = []
  for (let at = 0; at < order.rounds; at++) rounds.push(measureRound(guard, clock, accepted))
  const counted = rounds.slice(Math.floor(rounds.length / 3))
  const mean = (pick: (round: Round) => number): number =>
    counted.reduce((sum, round) => sum + pick(round), 0) / counted.length
  return {
    addNs: mean(({ addNs }) => addNs),
    refreshNs: mean(({ refreshNs }) => refreshNs),
    endNs: mean(({ endNs }) => endNs),
    tickUs: mean(({ tickUs }) => tickUs),
    bytesEach: await measureBytes(guard, accepted),
    timers: clock.timers,
  }
}

/** Time in the hands of the bench, which counts how many timers are asked for. */
class CountingClock implements Clock {
  nowMs = Date.now()
  timers = 0
  #tick: () => void = () => undefined

  now(): number {
    return this.nowMs
  }

  every(_everyMs: number, tick: () => void): () => void {
    this.timers++
    this.#tick = tick
    return () => undefined
  }

  advance(ms: number): void {
    this.nowMs += ms
    this.#tick()
  }
}

type Round = Pick<LeaseCosts, 'addNs' | 'refreshNs' | 'endNs' | 'tickUs'>

/** One lease more than those that are measured is there from first to last: the timer is that of a server in use. */
function measureRound(guard: Guard, clock: CountingClock, accepted: readonly Accept[]): Round {
  const leases: Lease[] = []
  const addNs = nsEach(accepted, (one) => leases.push(opened(guard, one)))
  // Of the longest life that the guard allows: nobody is warned meanwhile, nothing is due.
  const tickUs = nsEach(Array.from({ length: quietTicks }), () => clock.advance(50)) / 1_000
  const fresh = accepted.map((one, at) => ({ ...one, untilMs: clock.nowMs + leaseMs + (at % leaseMs) }))
  let next = 0
  const refreshNs = nsEach(leases, (lease) => {
    const accept = fresh[next++]
    if (accept !== undefined) lease.renew(accept, clock.nowMs)
  })
  const endNs = nsEach(leases, (lease) => lease.leave())
  return { addNs, refreshNs, endNs, tickUs }
}

/** Where all of them call from. */
const caller = { remoteAddress: '127.0.0.1', origin: undefined }

function opened(guard: Guard, accept: Accept): Lease {
  const lease = guard.register(accept, caller)
  if (!lease.open()) throw new Error('a fresh lease has ended')
  return lease
}

/**
 * CPU time of this thread: what else the machine does hardly counts. The system reckons it up a few times in a hundredth
 * of a second, so that a short round is nothing or too much; the mean of many is right.
 */
function nsEach<T>(values: readonly T[], use: (value: T) => void): number {
  const before = process.threadCpuUsage()
  for (const value of values) use(value)
  const { user, system } = process.threadCpuUsage(before)
  return ((user + system) * 1_000) / values.length
}

/** Heap that leases add: grants, principals and the list are made before. */
async function measureBytes(guard: Guard, accepted: readonly Accept[]): Promise<number> {
  const leases: (Lease | undefined)[] = accepted.map(() => undefined)
  await collect('last-resort')
  const before = process.memoryUsage().heapUsed
  for (const [at, one] of accepted.entries()) leases[at] = opened(guard, one)
  await collect('last-resort')
  const after = process.memoryUsage().heapUsed
  for (const lease of leases) lease?.leave()
  return (after - before) / accepted.length
}

/** Everybody is somebody else, in the index of subjects as well; the guard's jitter spreads the ends. */
function acceptOf(at: number): Accept {
  const id = `user-${at}`
  const roles = ['member']
  return {
    kind: 'accept',
    principal: { id, roles, method: 'ticket', provider: 'records', realm: undefined, claims: {} },
    grant: grantOf({ subject: id, roles, issuedAtMs: Date.now() }),
    untilMs: Infinity,
    neverAfterMs: Infinity,
    lease: undefined,
  }
}
