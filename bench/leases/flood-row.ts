/** What a flood has shown, as a row. */
import type { FloodOutcome } from '../rig/flood-protocol.ts'
import type { Row } from '../rig/report.ts'
import { p99Of, together, type Visits } from '../rig/visits.ts'
import type { Kind } from './flood-kinds.ts'

/** CPU of a server meanwhile. */
export interface Cpu {
  readonly us: number
  /** Percent of a core. */
  readonly percent: number
}

/** Visitors of both sorts. */
export interface AllVisits {
  readonly handshakes: Visits
  readonly logins: Visits
}

/** A server that is by itself again. */
export interface Settled {
  readonly rssBytes: number
  /** CPU until then, µs. */
  readonly cpuUs: number
  /** Connections of strangers that the server had not ended in time; the strangers have, then. */
  readonly left: number
}

/** All that one row is made of. */
export interface Measured {
  /** Before the flood. */
  readonly calm: AllVisits
  readonly calmCpu: Cpu
  readonly outcome: FloodOutcome
  /** Beside it. */
  readonly visits: AllVisits
  readonly floodCpu: Cpu
  /** CPU of the server when the flood was over, µs since its start. */
  readonly floodEndUs: number
  /** Before the first stranger, before the flood that counts, after it. */
  readonly idle: Settled
  readonly start: Settled
  readonly end: Settled
  /** What a stranger costs a bare server, µs. */
  readonly floorUs: number
}

/** The row: figures beside the same visitors without strangers, and the strangers beside a bare server. */
export function rowOf(kind: Kind, measured: Measured): Row {
  const { calm, calmCpu, visits, floodCpu, outcome, idle, start, end } = measured
  const all = together([visits.handshakes, visits.logins])
  const mib = ({ rssBytes }: Settled): number => rssBytes / 1_048_576
  return {
    bench: 'leases',
    table: 'floods: what becomes of 100 handshakes and 5 logins a second beside them, ms from due to success',
    name: kind.name,
    figures: {
      'strangers/s': (outcome.connected / outcome.elapsedMs) * 1_000,
      'most open': outcome.mostOpen,
      'not connected': outcome.failed + outcome.skipped,
      'succeeded %': (all.succeeded / all.count) * 100,
      p99: p99Of(all),
      'handshake p99': p99Of(visits.handshakes),
      'floor p99': p99Of(calm.handshakes),
      'login p99': p99Of(visits.logins),
      'floor login p99': p99Of(calm.logins),
      'CPU %': floodCpu.percent,
      'floor CPU %': calmCpu.percent,
      'µs a stranger': costOf(measured),
      'floor µs': measured.floorUs,
      'MiB before strangers': mib(idle),
      'MiB before': mib(start),
      'MiB after': mib(end),
      'times memory': end.rssBytes / start.rssBytes,
      'left open': end.left,
    },
    targets: [
      { figure: 'succeeded %', bound: 99, sense: 'at least' },
      { figure: 'p99', bound: 1_000, sense: 'at most' },
      { figure: 'times memory', bound: 1.2, sense: 'at most' },
      { figure: 'left open', bound: 0, sense: 'at most' },
    ],
    ...(all.failures.length === 0 ? {} : { note: [...new Set(all.failures)].slice(0, 5).join('; ') }),
  }
}

/** From the first stranger to the end of the last, without what as many visitors cost when there are no strangers. */
function costOf({ calmCpu, floodCpu, floodEndUs, end, outcome }: Measured): number {
  const visitorsUs = (calmCpu.percent / 100) * outcome.elapsedMs * 1_000
  return (floodCpu.us + end.cpuUs - floodEndUs - visitorsUs) / outcome.connected
}
