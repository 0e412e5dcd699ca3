/** Strangers by the thousand at the doors of the program, beside visitors who have every right to come in. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Flood } from '../rig/flood.ts'
import type { FloodOutcome } from '../rig/flood-protocol.ts'
import type { Part } from '../rig/part.ts'
import { door, startProgram, type ProgramSite } from '../rig/program-site.ts'
import type { Row } from '../rig/report.ts'
import { handshakeRequest } from '../rig/requests.ts'
import {
  logIn,
  p99Of,
  payVisits,
  together,
  visitBySession,
  visitByTicket,
  type Visits,
} from '../rig/visits.ts'

/** How much of everything. */
interface Size {
  readonly strangersPerSecond: number
  readonly floodMs: number
  /** Of each flood before the one that counts. */
  readonly warmUpMs: number
}

const whole: Size = { strangersPerSecond: 5_000, floodMs: 10_000, warmUpMs: 3_000 }
const small: Size = { strangersPerSecond: 1_000, floodMs: 3_000, warmUpMs: 1_000 }
const handshakesPerSecond = 100
const loginsPerSecond = 5
/** Visits without a flood: the floor. */
const calmMs = 3_000
/** Until the server must have ended every connection by itself: deadline and linger, and something for a busy machine. */
const settleMs = 40_000
/** Connections that strangers hold at once: below what one process may have open here, server and visitors included. */
const maxOpen = 18_000
/** Two readings of memory that differ by no more are the same plateau. */
const plateau = 0.05
const maxWarmUps = 3

/** One kind of stranger. */
interface Kind {
  readonly name: string
  request(site: ProgramSite): Buffer
}

const kinds: readonly Kind[] = [
  {
    name: 'silent at the first-message door',
    request: ({ host, origin }) => handshakeRequest({ target: door.path, host, origin }),
  },
  {
    name: 'wrong ticket',
    request: ({ host, origin }) =>
      handshakeRequest({ target: `${door.path}?ticket=cst_${'A'.repeat(43)}`, host, origin }),
  },
  {
    name: 'foreign Origin',
    request: ({ host }) => handshakeRequest({ target: door.path, host, origin: 'https://evil.example.net' }),
  },
  { name: 'bare TCP, nothing sent', request: () => Buffer.alloc(0) },
]

/** The floods, each against a server of its own. */
export const parts: readonly Part[] = kinds.map((kind) => ({
  name: `flood: ${kind.name}`,
  async *measure(quick) {
    yield await measureKind(kind, quick ? small : whole)
  },
}))

/** A program, its strangers and its visitors. */
interface Scene {
  readonly site: ProgramSite
  readonly flood: Flood
  readonly cookies: readonly string[]
  /** Everybody logs in once: a password that was right is remembered for a minute. */
  nextAccount(): string
}

async function measureKind(kind: Kind, size: Size): Promise<Row> {
  const phases = calmMs + maxWarmUps * size.warmUpMs + size.floodMs
  const accounts = Array.from(
    { length: 16 + Math.ceil((phases * loginsPerSecond) / 1_000) },
    (_none, at) => `user-${at}`,
  )
  const site = await startProgram({ accounts })
  const flood = new Flood()
  try {
    let used = 0
    const nextAccount = (): string => accounts[used++ % accounts.length] ?? ''
    const cookies: string[] = []
    while (cookies.length < 16) cookies.push(await logIn(site, nextAccount(), cookies.length))
    const scene = { site, flood, cookies, nextAccount }
    const calm = await visit(scene, calmMs)
    const idleBytes = await settled(scene)
    const startBytes = await warmUp(scene, { kind, size }, idleBytes)
    const before = await site.server.ask('cpu', undefined)
    const [outcome, visits] = await Promise.all([
      strangers(scene, kind, size, size.floodMs),
      visit(scene, size.floodMs),
    ])
    const cpuUs = (await site.server.ask('cpu', undefined)).us - before.us
    const endBytes = await settled(scene)
    return rowOf(kind, { calm, visits, outcome, cpuUs, idleBytes, startBytes, endBytes })
  } finally {
    await flood.stop()
    await site.stop()
  }
}

/** Floods until memory, once all is over, is what it was after the flood before: what is loaded and grown once is in it. */
async function warmUp(
  scene: Scene,
  { kind, size }: { readonly kind: Kind; readonly size: Size },
  idleBytes: number,
): Promise<number> {
  let bytes = idleBytes
  for (let round = 0; round < maxWarmUps; round++) {
    await Promise.all([strangers(scene, kind, size, size.warmUpMs), visit(scene, size.warmUpMs)])
    const now = await settled(scene)
    const same = Math.abs(now - bytes) <= bytes * plateau
    bytes = now
    if (same) break
  }
  return bytes
}

function strangers(scene: Scene, kind: Kind, size: Size, forMs: number): Promise<FloodOutcome> {
  const { site, flood } = scene
  return flood.run({
    port: site.server.port,
    request: kind.request(site).toString('latin1'),
    perSecond: size.strangersPerSecond,
    forMs,
    maxOpen,
  })
}

interface AllVisits {
  readonly handshakes: Visits
  readonly logins: Visits
}

/** Half of the handshakes by session, half by a ticket that the site is asked for. */
async function visit({ site, cookies, nextAccount }: Scene, forMs: number): Promise<AllVisits> {
  const [handshakes, logins] = await Promise.all([
    payVisits({ perSecond: handshakesPerSecond, forMs }, (at) => {
      const cookie = cookies[at % cookies.length] ?? ''
      return at % 2 === 0 ? visitBySession(site, cookie, at) : visitByTicket(site, cookie, at)
    }),
    payVisits(
      { perSecond: loginsPerSecond, forMs },
      async (at) => void (await logIn(site, nextAccount(), at)),
    ),
  ])
  return { handshakes, logins }
}

/** Waits until the server has ended all connections of strangers, and reads its memory. */
async function settled({ site, flood }: Scene): Promise<number> {
  const untilMs = performance.now() + settleMs
  while ((await flood.open()) > 0 && performance.now() < untilMs) await sleep(200)
  const left = await flood.open()
  await flood.drop()
  if (left > 0) throw new Error(`the server has not ended ${left} connections of strangers by itself`)
  await sleep(1_000)
  return (await site.server.ask('memory', undefined)).rssBytes
}

interface Measured {
  readonly calm: AllVisits
  readonly visits: AllVisits
  readonly outcome: FloodOutcome
  readonly cpuUs: number
  readonly idleBytes: number
  readonly startBytes: number
  readonly endBytes: number
}

function rowOf(kind: Kind, measured: Measured): Row {
  const { calm, visits, outcome, cpuUs } = measured
  const all = together([visits.handshakes, visits.logins])
  const mib = (bytes: number): number => bytes / 1_048_576
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
      'CPU %': (cpuUs / 1_000 / outcome.elapsedMs) * 100,
      'MiB before strangers': mib(measured.idleBytes),
      'MiB before': mib(measured.startBytes),
      'MiB after': mib(measured.endBytes),
      'times memory': measured.endBytes / measured.startBytes,
    },
    targets: [
      { figure: 'succeeded %', bound: 99, sense: 'at least' },
      { figure: 'p99', bound: 1_000, sense: 'at most' },
      { figure: 'times memory', bound: 1.2, sense: 'at most' },
    ],
    ...(all.failures.length === 0 ? {} : { note: [...new Set(all.failures)].slice(0, 5).join('; ') }),
  }
}
