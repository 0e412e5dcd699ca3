/** Strangers by the thousand at the doors of the program, beside visitors who have every right to come in. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Flood } from '../rig/flood.ts'
import type { FloodOrder, FloodOutcome } from '../rig/flood-protocol.ts'
import type { Part } from '../rig/part.ts'
import { Server } from '../rig/process.ts'
import { startProgram, type ProgramSite } from '../rig/program-site.ts'
import type { Row } from '../rig/report.ts'
import { logIn, payVisits, visitBySession, visitByTicket } from '../rig/visits.ts'
import { kinds, type Kind } from './flood-kinds.ts'
import { rowOf, type AllVisits, type Cpu, type Settled } from './flood-row.ts'

/** How much of everything. */
interface Size {
  readonly strangersPerSecond: number
  readonly floodMs: number
  /** Of each flood before the one that counts. */
  readonly warmUpMs: number
}

const whole: Size = { strangersPerSecond: 5_000, floodMs: 10_000, warmUpMs: 3_000 }
const small: Size = { strangersPerSecond: 1_000, floodMs: 3_000, warmUpMs: 1_000 }
/** To a bare server, which keeps whoever has come. */
const floorPerSecond = 2_500
const handshakesPerSecond = 100
const loginsPerSecond = 5
/** Visits without a flood: the floor. */
const calmMs = 3_000
/** Until the server must have ended every connection by itself: deadline and linger, and something for a busy machine. */
const settleMs = 20_000
/** Connections that strangers hold at once: below what one process may have open here, server and visitors included. */
const maxOpen = 18_000
/** Two readings of memory that differ by no more are the same plateau. */
const plateau = 0.05
const maxWarmUps = 3

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
    const [calm, calmCpu] = await withCpu(site.server, () => visit(scene, calmMs))
    const idle = await settled(scene)
    const start = await warmUp(scene, { kind, size }, idle)
    const [[outcome, visits], floodCpu] = await withCpu(site.server, () =>
      Promise.all([strangers(scene, kind, size, size.floodMs), visit(scene, size.floodMs)]),
    )
    const { us: floodEndUs } = await site.server.ask('cpu', undefined)
    const end = await settled(scene)
    const floorUs = await measureFloor(scene, kind, size)
    return rowOf(kind, { calm, calmCpu, outcome, visits, floodCpu, floodEndUs, idle, start, end, floorUs })
  } finally {
    await flood.stop()
    await site.stop()
  }
}

/** What was done, and the server's CPU meanwhile. */
async function withCpu<T>(server: Server, work: () => Promise<T>): Promise<readonly [T, Cpu]> {
  const [before, startedAt] = [await server.ask('cpu', undefined), performance.now()]
  const done = await work()
  const [after, elapsedMs] = [await server.ask('cpu', undefined), performance.now() - startedAt]
  const us = after.us - before.us
  return [done, { us, percent: (us / 1_000 / elapsedMs) * 100 }]
}

/** What the same strangers cost a bare server, which lets everybody in until they go by themselves: µs each. */
async function measureFloor({ site, flood }: Scene, kind: Kind, { floodMs }: Size): Promise<number> {
  const floor = await Server.start({ kind: 'bare', application: 'idle' })
  const run = (forMs: number): Promise<FloodOutcome> =>
    flood.run({ ...orderOf(site, kind), port: floor.port, perSecond: floorPerSecond, forMs })
  try {
    await run(floodMs / 10)
    await flood.drop()
    const [outcome, cpu] = await withCpu(floor, async () => {
      const outcome = await run(floodMs / 5)
      await flood.drop()
      const untilMs = performance.now() + settleMs
      while ((await floor.ask('connections', undefined)).count > 0 && performance.now() < untilMs)
        await sleep(100)
      return outcome
    })
    return cpu.us / outcome.connected
  } finally {
    await floor.stop()
  }
}

/** Floods until memory, once all is over, is what it was after the flood before: what is loaded and grown once is in it. */
async function warmUp(
  scene: Scene,
  { kind, size }: { readonly kind: Kind; readonly size: Size },
  idle: Settled,
): Promise<Settled> {
  let last = idle
  for (let round = 0; round < maxWarmUps; round++) {
    await Promise.all([strangers(scene, kind, size, size.warmUpMs), visit(scene, size.warmUpMs)])
    const now = await settled(scene)
    const same = Math.abs(now.rssBytes - last.rssBytes) <= last.rssBytes * plateau
    last = now
    if (same) break
  }
  return last
}

function strangers({ site, flood }: Scene, kind: Kind, size: Size, forMs: number): Promise<FloodOutcome> {
  return flood.run({ ...orderOf(site, kind), perSecond: size.strangersPerSecond, forMs })
}

function orderOf(site: ProgramSite, kind: Kind): Omit<FloodOrder, 'firstAddress' | 'perSecond' | 'forMs'> {
  return { port: site.server.port, request: kind.request(site).toString('latin1'), maxOpen }
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
async function settled({ site, flood }: Scene): Promise<Settled> {
  const untilMs = performance.now() + settleMs
  while ((await flood.open()) > 0 && performance.now() < untilMs) await sleep(200)
  const left = await flood.open()
  await flood.drop()
  await sleep(1_000)
  const { us: cpuUs } = await site.server.ask('cpu', undefined)
  const { rssBytes } = await site.server.ask('memory', undefined)
  return { rssBytes, cpuUs, left }
}
