/**
 * Leases that all end within a minute. Four servers with as many idle sockets live through the same minute: nothing
 * happens at the first; the second has leases, none of which ends; at the third they end; the fourth closes its sockets
 * at the same pace without having any leases.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Gone } from '../rig/crowd-protocol.ts'
import { Crowd, gather } from '../rig/crowds.ts'
import type { Part } from '../rig/part.ts'
import { Server } from '../rig/process.ts'
import type { Role } from '../rig/protocol.ts'
import type { Row } from '../rig/report.ts'
import { unusedKey } from '../rig/tokens.ts'

/** How many, and how fast. */
interface Size {
  readonly sockets: number
  /** In which all leases end. */
  readonly windowMs: number
  /** In which their sockets are opened before. */
  readonly openingMs: number
}

const whole: Size = { sockets: 10_000, windowMs: 60_000, openingMs: 12_000 }
const small: Size = { sockets: 2_000, windowMs: 12_000, openingMs: 3_000 }
/** From the last end of a lease to the end of its socket: two ticks of the wheel and the farewell. */
const afterMs = 1_500
const group = 'all'

/** Ten thousand ends in a minute. */
export const part: Part = {
  name: 'expiries',
  async *measure(quick) {
    yield await measureMinute(quick ? small : whole)
  },
}

async function measureMinute(size: Size): Promise<Row> {
  const sides: Side[] = []
  try {
    const bare: Role = { kind: 'bare', application: 'idle', grouped: true }
    for (const role of [bare, guardedFor(size), guardedFor(size), bare])
      sides.push({ role, server: await Server.start(role), crowd: Crowd.start() })
    const [idle, wheel, ending, closing] = sides
    if (idle === undefined || wheel === undefined || ending === undefined || closing === undefined)
      throw new Error('four sides')
    for (const side of [idle, wheel, closing]) await fill(side, size, undefined)
    const startsAtMs = Date.now() + size.openingMs
    await fill(ending, size, startsAtMs + size.windowMs)
    const aheadMs = startsAtMs - Date.now()
    if (aheadMs < 0) throw new Error(`opening took ${-aheadMs} ms too long: leases may have ended before`)
    await sleep(aheadMs)
    const shares = await cpuShares(sides, size, closing)
    const [ended, closed] = [await goneOf(ending), await goneOf(closing)]
    return rowOf(size, shares, ended, closed)
  } finally {
    await Promise.all(sides.flatMap(({ server, crowd }) => [server.stop(), crowd.stop()]))
  }
}

interface Side {
  readonly role: Role
  readonly server: Server
  readonly crowd: Crowd
}

/**
 * The guard's own jitter spreads the ends: so wide that the first comes after all are open, the last with the end of the
 * window. Without grace, so that the end of validity is the end of the socket.
 */
function guardedFor({ openingMs, windowMs }: Size): Role {
  const jitter = windowMs / (openingMs + windowMs)
  return {
    kind: 'guarded',
    application: 'idle',
    records: 'memory',
    key: unusedKey,
    limits: { jitter, graceMs: 0 },
  }
}

function fill({ role, server, crowd }: Side, size: Size, leaseEndsAtMs: number | undefined): Promise<void> {
  return gather(server, crowd, {
    group,
    count: size.sockets,
    tickets: role.kind === 'guarded' ? 'a subject each' : 'none',
    // Those that shall not end within the window: jitter must not bring them into it.
    leaseEndsAtMs: leaseEndsAtMs ?? Date.now() + 12 * 3_600_000,
  })
}

/** CPU of each server from the first end to the last, percent of a core over the window. */
async function cpuShares(sides: readonly Side[], size: Size, closing: Side): Promise<readonly number[]> {
  const readings = (): Promise<readonly number[]> =>
    Promise.all(sides.map(async ({ server }) => (await server.ask('cpu', undefined)).us))
  const before = await readings()
  await closing.server.ask('closeSpread', { group, overMs: size.windowMs })
  await sleep(size.windowMs + afterMs)
  const after = await readings()
  return after.map((us, at) => ((us - (before[at] ?? NaN)) / 1_000 / size.windowMs) * 100)
}

function goneOf({ crowd }: Side): Promise<Gone> {
  return crowd.ask('gone', { group, withinMs: 5_000 })
}

function rowOf(size: Size, shares: readonly number[], ended: Gone, closed: Gone): Row {
  const [idle = NaN, wheel = NaN, ending = NaN, closing = NaN] = shares
  const spanMs = Math.max(...ended.endAtMs) - Math.min(...ended.endAtMs)
  return {
    bench: 'leases',
    table: 'leases end: CPU of the server, percent of a core',
    name: `${size.sockets.toLocaleString('en')} in ${size.windowMs / 1_000} s`,
    figures: {
      'all of it': ending,
      'floor: idle sockets': idle,
      'leases, none ends': wheel,
      'closes, no leases': closing,
      'still open': ended.open + closed.open,
      'seconds from first to last': spanMs / 1_000,
    },
    targets: [
      { figure: 'all of it', bound: 5, sense: 'at most' },
      { figure: 'still open', bound: 0, sense: 'at most' },
    ],
  }
}
