/** One round: sockets are opened, a trigger is pulled for each, and every promise about its end is held to. */
import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { reasons } from 'countersign'
import { hardEndMs } from '../../../../packages/countersign/src/core/lease-life.ts'
import { acquainted, type End, type Guest } from './guest.ts'
import type { Place } from './place.ts'
import { foundTown, type Town } from './town.ts'
import type { Trigger } from './triggers.ts'
import { openRealm, type WampPlaces } from './wamp-ways.ts'
import { openFrameworks } from './framework-ways.ts'
import { openSocketIo } from './socket-io-ways.ts'
import { openDoors, type Way } from './ways.ts'

/** Sockets of one way in and round that a trigger ends at least, each of an account of its own; one more looks on. */
const leastSockets = 6
/** Sockets of one round at least, however few ways in there are: of fewer the slowest would be the p99. */
const leastInRound = 100
/** Sockets that are open at once beside each other, all of them talking. */
const mostOpen = 10

/** How long one socket outlived its right, ms. */
export interface Latency {
  /** From the call to the close; of an expiry, from the end of the lease. */
  readonly wholeMs: number
  /** From the acknowledgement of the call to the close, 0 where that came first. */
  readonly afterMs: number
  /** How much of all that this thread was ready to run and others had the processor. `NaN`: the system does not say. */
  readonly waitedMs: number
}

/** Latencies of one round, by way. */
export type Round = ReadonlyMap<Way, readonly Latency[]>

/** What a trigger did to one socket. */
interface Pulled {
  readonly end: End
  /** By `performance.now()`: the call, and when it was acknowledged. */
  readonly calledAt: number
  readonly acknowledgedAt: number
  /** Numbers said until then by the application and by the client, and how much the application had heard. */
  readonly application: number
  readonly client: number
  readonly heard: number
}

/** Doors, opened once for all rounds. */
export class Measuring {
  readonly #town: Town
  readonly #realm: WampPlaces
  readonly #lasting: ReadonlyMap<string, Place>
  readonly #short: ReadonlyMap<string, Place>

  private constructor(town: Town, realm: WampPlaces, doors: readonly ReadonlyMap<string, Place>[]) {
    const [lasting = new Map(), short = new Map()] = doors
    this.#town = town
    this.#realm = realm
    this.#lasting = lasting
    this.#short = short
  }

  static async begin(): Promise<Measuring> {
    const town = await foundTown()
    return new Measuring(town, await openRealm(town), [
      await openPlaces(town, false),
      await openPlaces(town, true),
    ])
  }

  async end(): Promise<void> {
    for (const place of [...this.#lasting.values(), ...this.#short.values()]) await place.close()
    await this.#realm.close()
    await this.#town.close()
  }

  /** Pulls a trigger for some sockets of each of these ways in. */
  async round(trigger: Trigger, ways: readonly Way[]): Promise<Round> {
    const sockets = Math.max(leastSockets, Math.ceil(leastInRound / ways.length))
    const round = new Map<Way, readonly Latency[]>()
    for (const way of ways) {
      const latencies: Latency[] = []
      while (latencies.length < sockets) {
        const open = Math.min(mostOpen, sockets - latencies.length)
        latencies.push(...(await this.#cell(trigger, way, open)))
      }
      round.set(way, latencies)
    }
    return round
  }

  async #cell(trigger: Trigger, way: Way, sockets: number): Promise<readonly Latency[]> {
    const bystander = await this.#enter(way, false)
    const short = trigger.pull === undefined
    const guests = await Promise.all(Array.from({ length: sockets }, () => this.#enter(way, short)))
    const latencies: Latency[] = []
    for (const [nth, guest] of guests.entries())
      latencies.push(short ? await expired(guest) : await this.#pull(trigger, guest, nth))
    // Whoever fails to hear anything after the end has heard something before.
    expect(guests.some((guest) => guest.highest() > 0)).toBe(true)
    await expectAlive(bystander)
    return latencies
  }

  async #enter(way: Way, short: boolean): Promise<Guest> {
    const guest = await way.enter({
      town: this.#town,
      place: this.#placeOf(way, short),
      person: await this.#town.person(needsOf(way)),
    })
    await acquainted(guest)
    return guest
  }

  #placeOf(way: Way, short: boolean): Place {
    const wamp = way.roots.includes('wamp')
    const [lasting, brief] = wamp ? [this.#realm.places, this.#realm.short] : [this.#lasting, this.#short]
    const door = way.framework ?? way.door
    const name = wamp ? (way.accepts === 'tls' ? 'tls' : 'tcp') : door
    const place = (short ? brief : lasting).get(name)
    if (place === undefined) throw new Error(`${name} is not open`)
    return place
  }

  async #pull(trigger: Trigger, guest: Guest, nth: number): Promise<Latency> {
    const { person, place, said } = guest
    const heard = place.application.heard(person.subject)
    const waited = waitedMs()
    const calledAt = performance.now()
    await trigger.pull?.({ town: this.#town, kill: (session) => this.#realm.kill(session) }, guest, nth)
    const acknowledgedAt = performance.now()
    const numbers = { application: place.application.said.newest, client: said.newest, heard: heard.count }
    // Both go on talking at once, as if they had noticed nothing.
    place.application.speak()
    guest.speak()
    const pulled: Pulled = { end: await ended(guest), calledAt, acknowledgedAt, ...numbers }
    const waitedSince = waitedMs() - waited
    // Whatever is still on its way arrives before this does.
    await new Promise((resolve) => setTimeout(resolve, 1))
    expectSilence(guest, pulled)
    expectEnd(guest, pulled.end, trigger)
    return {
      wholeMs: pulled.end.at - calledAt,
      afterMs: Math.max(0, pulled.end.at - acknowledgedAt),
      waitedMs: waitedSince,
    }
  }
}

/** The doors of the lab and a server of each framework. */
async function openPlaces(town: Town, short: boolean): Promise<ReadonlyMap<string, Place>> {
  const frameworks = await openFrameworks(town, short)
  const own = new Map([...(await openDoors(town, short)), ['D14', await openSocketIo(town, short)]])
  return new Map([...own, ...frameworks])
}

/** What somebody needs for this way in. The secret of a login is made with the login. */
function needsOf({ roots }: Way): Parameters<Town['person']>[0] {
  return [
    ...(roots.includes('apiKey') ? (['apiKey'] as const) : []),
    ...(roots.includes('secret') && !roots.includes('session') ? (['secret'] as const) : []),
  ]
}

/**
 * What this thread has waited for a processor since it began, ms (proc(5), `schedstat`): what tells a busy machine from a
 * slow library.
 */
function waitedMs(): number {
  try {
    const [, waitedNs] = readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')
    return Number(waitedNs) / 1e6
  } catch {
    return Number.NaN
  }
}

async function expired(guest: Guest): Promise<Latency> {
  const endsAtMs = hardEndMs(guest.lease)
  const end = await ended(guest)
  expectEnd(guest, end, { reason: 'lease_expired' })
  // Neither too soon, nor anything that was said after the end.
  expect(end.atMs).toBeGreaterThanOrEqual(endsAtMs)
  const { application } = guest.place
  expect(application.said.saidAtMs(guest.highest())).toBeLessThan(endsAtMs)
  expect(guest.said.saidAtMs(application.heard(guest.person.subject).highest)).toBeLessThan(endsAtMs)
  return { wholeMs: end.atMs - endsAtMs, afterMs: end.atMs - endsAtMs, waitedMs: Number.NaN }
}

async function ended(guest: Guest): Promise<End> {
  let late: ReturnType<typeof setTimeout> | undefined
  const never = new Promise<never>((_resolve, reject) => {
    late = setTimeout(() => reject(new Error(`${guest.person.subject} was never closed`)), 5_000)
  })
  try {
    return await Promise.race([guest.closed, never])
  } finally {
    clearTimeout(late)
  }
}

/** Of what either side said after the acknowledgement the other has heard nothing. */
function expectSilence(guest: Guest, { application, client, heard }: Pulled): void {
  const hears = guest.place.application.heard(guest.person.subject)
  expect(guest.highest()).toBeLessThanOrEqual(application)
  expect(hears.highest).toBeLessThanOrEqual(client)
  // A plain socket hands messages to the application itself: not even what was said before arrives afterwards.
  if (guest.wampSession === undefined) expect(hears.count).toBe(heard)
}

/** The row of the table of refusals, and no other. */
function expectEnd(guest: Guest, end: End, { reason }: Pick<Trigger, 'reason'>): void {
  const { close, wamp } = reasons[reason]
  const goodbye = guest.wampSession === undefined ? undefined : wamp
  // Engine.IO closes without a code (RFC 6455 §7.1.5).
  expect(end).toMatchObject({ code: guest.coded ? close : 1005, reason, goodbye })
  expect([guest.lease.ended, guest.lease.reason]).toEqual([true, reason])
}

/** Somebody whom no trigger named: still heard and still spoken to. */
async function expectAlive(guest: Guest): Promise<void> {
  const { place, person, socket, lease } = guest
  expect([socket.readyState, lease.ended]).toEqual([socket.OPEN, false])
  const [newest, count] = [place.application.said.newest, place.application.heard(person.subject).count]
  const end = Date.now() + 5_000
  while (guest.highest() <= newest || place.application.heard(person.subject).count <= count) {
    if (Date.now() > end) throw new Error(`${person.subject} was forgotten`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  socket.terminate()
}
