/** A WAMP router beside a floor that moves the same frames without understanding them, writes coalesced on both sides. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench, BenchRun } from './rig/bench.ts'
import { median } from './rig/numbers.ts'
import { Server } from './rig/process.ts'
import type { Role } from './rig/protocol.ts'
import type { Row } from './rig/report.ts'
import type { Format } from './rig/wamp-frames.ts'
import { join, joins, pubsub, rpc, type Scenario, type Target } from './rig/wamp-load.ts'
import type { WampPeer } from './rig/wamp-peer.ts'

const floorRole: Role = { kind: 'wamp-floor' }
const routerRole: Role = { kind: 'wamp-router', rules: 1 }
const ruledRole: Role = { kind: 'wamp-router', rules: 21 }

/** One row: a shape of load on both sides. */
interface Shape {
  readonly name: string
  /** Operations of one slice. */
  readonly slice: number
  readonly pairs: number
  readonly atLeast: number
  /** Slices before anything counts. @default 2 */
  readonly warmSlices?: number
  scenario(target: Target): Promise<Scenario>
}

const short = 'x'.repeat(32)

const shapes: readonly Shape[] = [
  {
    name: 'pub/sub 1→10',
    slice: 400_000,
    pairs: 7,
    atLeast: 0.8,
    scenario: (target) => pubsub(target, { subscribers: 10, window: 8, payload: short }),
  },
  {
    name: 'pub/sub 1→100',
    slice: 500_000,
    pairs: 7,
    atLeast: 0.9,
    scenario: (target) => pubsub(target, { subscribers: 100, window: 8, payload: short }),
  },
  {
    name: 'RPC 4×8',
    slice: 120_000,
    pairs: 7,
    atLeast: 0.7,
    scenario: (target) => rpc(target, { callers: 4, window: 8, payload: short }),
  },
  {
    name: 'RPC 4×8, 1 KiB',
    slice: 80_000,
    pairs: 7,
    atLeast: 0.65,
    scenario: (target) => rpc(target, { callers: 4, window: 8, payload: 'x'.repeat(1_024) }),
  },
  {
    name: 'WAMP-CRA joins',
    slice: 3_000,
    pairs: 9,
    atLeast: 0.8,
    warmSlices: 5,
    scenario: (target) => Promise.resolve(joins(target, 16)),
  },
]

/** The WAMP bench. */
export const bench: Bench = {
  name: 'wamp',
  about: 'the WAMP router, CPU and memory beside a floor that relays the same frames',
  async run(run) {
    for (const shape of shapes) if (shape.name.includes(run.only)) run.done(await besideFloor(shape, run))
    for (const format of ['msgpack', 'cbor'] as const) {
      const name = `RPC 4×8, ${format}`
      if (name.includes(run.only)) run.done(await besideJson(name, format, run))
    }
    const ruled = 'RPC 4×8, 21 rules'
    if (ruled.includes(run.only)) run.done(await besideOneRule(ruled, run))
    const idle = 'idle session'
    if (idle.includes(run.only)) run.done(await memoryRow(idle, run))
  },
}

/** One of the two servers of a pair. */
interface Side {
  readonly role: Role
  readonly format: Format
}

/** CPU of both servers, µs an operation, slice by slice. */
interface Costs {
  readonly floor: readonly number[]
  readonly other: readonly number[]
}

async function besideFloor(shape: Shape, { quick }: BenchRun): Promise<Row> {
  const costs = await alternate(
    shape,
    [
      { role: floorRole, format: 'json' },
      { role: routerRole, format: 'json' },
    ],
    quick,
  )
  return {
    bench: 'wamp',
    name: shape.name,
    figures: { ...figuresOf(costs, 'router µs'), 'floor µs': median(costs.floor) },
    targets: [{ figure: 'share', bound: shape.atLeast, sense: 'at least' }],
  }
}

/** The binary formats beside JSON, both through the router: no slower, within what the machine's noise allows to say. */
async function besideJson(name: string, format: Format, { quick }: BenchRun): Promise<Row> {
  const shape = { ...rpcShape(), name }
  const costs = await alternate(
    shape,
    [
      { role: routerRole, format: 'json' },
      { role: routerRole, format },
    ],
    quick,
  )
  return {
    bench: 'wamp',
    name,
    figures: { ...figuresOf(costs, 'router µs'), 'JSON µs': median(costs.floor) },
    targets: [{ figure: 'share', bound: 1, sense: 'at least' }],
  }
}

async function besideOneRule(name: string, { quick }: BenchRun): Promise<Row> {
  const costs = await alternate(
    { ...rpcShape(), name },
    [
      { role: routerRole, format: 'json' },
      { role: ruledRole, format: 'json' },
    ],
    quick,
  )
  return {
    bench: 'wamp',
    name,
    figures: {
      ...figuresOf(costs, 'router µs'),
      'one rule µs': median(costs.floor),
      'more µs': median(costs.other.map((us, at) => us - (costs.floor[at] ?? NaN))),
    },
    targets: [{ figure: 'more µs', bound: 0.3, sense: 'at most' }],
  }
}

function rpcShape(): Shape {
  const shape = shapes.find(({ name }) => name === 'RPC 4×8')
  if (shape === undefined) throw new Error('no such shape')
  return shape
}

function figuresOf({ floor, other }: Costs, name: string): Record<string, number> {
  return {
    share: median(floor.map((us, at) => us / (other[at] ?? NaN))),
    'share (quietest)': Math.min(...floor) / Math.min(...other),
    [name]: median(other),
  }
}

/** Both sides in turns; neither always comes first. */
async function alternate(shape: Shape, sides: readonly [Side, Side], quick: boolean): Promise<Costs> {
  const servers = [await Server.start(sides[0].role), await Server.start(sides[1].role)] as const
  const running: Scenario[] = []
  try {
    for (const at of [0, 1] as const) {
      const kind = sides[at].role.kind === 'wamp-floor' ? 'floor' : 'router'
      running.push(await shape.scenario({ port: servers[at].port, kind, format: sides[at].format }))
    }
    const [first, second] = running
    if (first === undefined || second === undefined) throw new Error('no scenario')
    const operations = quick ? shape.slice / 4 : shape.slice
    const measure = async (at: 0 | 1): Promise<number> =>
      cost(servers[at], at === 0 ? first : second, operations)
    // Compilers are at work on the first slices: on those of joins for thousands of connections.
    for (let warm = 0; warm < (shape.warmSlices ?? 2); warm++) {
      await measure(0)
      await measure(1)
    }
    const costs = { floor: [] as number[], other: [] as number[] }
    for (let pair = 0; pair < (quick ? 5 : shape.pairs); pair++) {
      if (pair % 2 === 0) costs.floor.push(await measure(0))
      costs.other.push(await measure(1))
      if (pair % 2 === 1) costs.floor.push(await measure(0))
    }
    return costs
  } finally {
    for (const scenario of running) scenario.close()
    await Promise.all(servers.map((server) => server.stop()))
  }
}

async function cost(server: Server, scenario: Scenario, operations: number): Promise<number> {
  const before = await server.ask('cpu', undefined)
  await scenario.run(operations)
  await sleep(25)
  const after = await server.ask('cpu', undefined)
  return (after.us - before.us) / operations
}

const few = 1_000
const many = 4_000

/** A session that was authenticated and is idle, beside a bare connection: slopes, so that code does not count. */
async function memoryRow(name: string, { quick }: BenchRun): Promise<Row> {
  const floors: { rss: number; heap: number }[] = []
  const routers: { rss: number; heap: number }[] = []
  for (let pair = 0; pair < (quick ? 1 : 3); pair++) {
    floors.push(await growth(floorRole))
    routers.push(await growth(routerRole))
  }
  const floorKib = median(floors.map(({ rss }) => rss))
  const routerKib = median(routers.map(({ rss }) => rss))
  return {
    bench: 'wamp',
    name,
    figures: {
      'floor KiB': floorKib,
      'router KiB': routerKib,
      times: routerKib / floorKib,
      'floor heap KiB': median(floors.map(({ heap }) => heap)),
      'router heap KiB': median(routers.map(({ heap }) => heap)),
    },
    targets: [{ figure: 'times', bound: 1.25, sense: 'at most' }],
  }
}

async function growth(role: Role): Promise<{ readonly rss: number; readonly heap: number }> {
  const server = await Server.start(role, ['--expose-gc'])
  const kind = role.kind === 'wamp-floor' ? 'floor' : 'router'
  const held: WampPeer[] = []
  const at = async (count: number): Promise<{ readonly rssBytes: number; readonly heapBytes: number }> => {
    while (held.length < count) {
      const wave = Array.from({ length: 20 }, () =>
        join({ port: server.port, kind, format: 'json' }, 'subscriber'),
      )
      held.push(...(await Promise.all(wave)))
    }
    await sleep(200)
    return server.ask('memory', undefined)
  }
  try {
    const [first, last] = [await at(few), await at(many)]
    const kib = (bytes: number): number => bytes / 1_024 / (many - few)
    return { rss: kib(last.rssBytes - first.rssBytes), heap: kib(last.heapBytes - first.heapBytes) }
  } finally {
    for (const peer of held) peer.drop()
    await server.stop()
  }
}
