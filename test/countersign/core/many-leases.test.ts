import { describe, expect, test } from 'vitest'
import { Leases, wheelTickMs } from '../../../packages/countersign/src/core/leases.ts'
import type { Lease } from '../../../packages/countersign/src/core/lease.ts'
import type { Principal } from '../../../packages/countersign/src/core/principal.ts'
import type { Clock } from '../../../packages/countersign/src/core/ports.ts'
import { grantOf } from '../../../packages/countersign/src/core/rows.ts'
import { accept } from '../../../packages/countersign/src/core/verdict.ts'
import { Wheel, type WheelEntry } from '../../../packages/countersign/src/core/wheel.ts'
import { fakeClock, type FakeClock } from '../../../packages/countersign/src/testing/index.ts'
import { addressRules } from '../../../packages/countersign/src/wire/range.ts'

const many = 100_000
const minuteMs = 60_000

/** A clock that counts how often a timer was set. */
function countingClock(): { readonly clock: FakeClock; readonly timers: { set: number; stopped: number } } {
  const inner = fakeClock()
  const timers = { set: 0, stopped: 0 }
  const every: Clock['every'] = (everyMs, tick) => {
    timers.set++
    const stop = inner.every(everyMs, tick)
    return () => {
      timers.stopped++
      stop()
    }
  }
  return { clock: { now: () => inner.now(), advance: (ms) => inner.advance(ms), every }, timers }
}

const grant = grantOf({ subject: 'alice', roles: [], issuedAtMs: 0 })
const principal: Principal = {
  id: 'alice',
  roles: [],
  realm: undefined,
  method: 'm',
  provider: 'p',
  claims: {},
}

/** So many open leases, whose ends lie a millisecond apart from a minute on. */
function opened(leases: Leases, now: number): readonly Lease[] {
  return Array.from({ length: many }, (_, index) => {
    const untilMs = now + minuteMs + index
    const terms = {
      id: String(index),
      untilMs,
      neverAfterMs: Infinity,
      warnMs: 10_000,
      graceMs: 0,
      grantedAtMs: now,
    }
    const caller = { remoteAddress: '192.0.2.1', origin: undefined }
    const subject = `user-${index}`
    const lease = leases.add(terms, { principal, grant: { ...grant, subject }, caller })
    lease.open()
    return lease
  })
}

describe('a hundred thousand leases', () => {
  test('cost one timer, from the first to the end of the last, however often they are renewed', () => {
    const { clock, timers } = countingClock()
    const ended: Lease[] = []
    const leases = new Leases(clock, addressRules, (lease) => ended.push(lease))
    const all = opened(leases, clock.now())
    expect([leases.size, timers.set]).toEqual([many, 1])
    clock.advance(30_000)
    for (const lease of all) {
      const untilMs = clock.now() + 2 * minuteMs
      lease.renew(accept({ principal, grant: lease.grant, untilMs, neverAfterMs: Infinity }), clock.now())
    }
    clock.advance(2 * minuteMs - wheelTickMs)
    expect([leases.size, ended.length, timers.set]).toEqual([many, 0, 1])
    clock.advance(2 * wheelTickMs)
    expect([leases.size, ended.length]).toEqual([0, many])
    expect(timers).toEqual({ set: 1, stopped: 1 })
  })
})

/** Counts accesses to entries, and which entries they were to. */
class Touches {
  count = 0
  readonly entries = new Set<CountedEntry>()

  note(entry: CountedEntry): void {
    this.count++
    this.entries.add(entry)
  }

  reset(): void {
    this.count = 0
    this.entries.clear()
  }
}

/** An entry that notes every look at it and every change. */
class CountedEntry implements WheelEntry<CountedEntry> {
  readonly #touches: Touches
  #dueMs: number
  #next: CountedEntry | undefined = undefined
  #previous: CountedEntry | undefined = undefined
  #slot = -1

  constructor(touches: Touches, dueMs: number) {
    this.#touches = touches
    this.#dueMs = dueMs
  }

  get dueMs(): number {
    this.#touches.note(this)
    return this.#dueMs
  }
  set dueMs(ms: number) {
    this.#touches.note(this)
    this.#dueMs = ms
  }
  get next(): CountedEntry | undefined {
    this.#touches.note(this)
    return this.#next
  }
  set next(entry: CountedEntry | undefined) {
    this.#touches.note(this)
    this.#next = entry
  }
  get previous(): CountedEntry | undefined {
    this.#touches.note(this)
    return this.#previous
  }
  set previous(entry: CountedEntry | undefined) {
    this.#touches.note(this)
    this.#previous = entry
  }
  get slot(): number {
    this.#touches.note(this)
    return this.#slot
  }
  set slot(slot: number) {
    this.#touches.note(this)
    this.#slot = slot
  }
}

/** A wheel with so many entries in one slot and as many in another. */
function crowded(size: number): {
  readonly wheel: Wheel<CountedEntry>
  readonly touches: Touches
  readonly middle: CountedEntry
} {
  const touches = new Touches()
  const wheel = new Wheel<CountedEntry>(wheelTickMs, 0, () => undefined)
  const here = Array.from({ length: size }, () => new CountedEntry(touches, 1_000))
  const there = Array.from({ length: size }, () => new CountedEntry(touches, 2_000))
  for (const entry of [...here, ...there]) wheel.set(entry)
  const middle = here[Math.floor(size / 2)]
  if (middle === undefined) throw new Error('the slot is empty')
  touches.reset()
  return { wheel, touches, middle }
}

/** What moving an entry from the middle of a full slot into another full one takes, and taking it out. */
function costs(size: number): readonly (readonly [accesses: number, entries: number])[] {
  const { wheel, touches, middle } = crowded(size)
  const cost = (change: () => void): readonly [number, number] => {
    touches.reset()
    change()
    return [touches.count, touches.entries.size]
  }
  middle.dueMs = 2_000
  return [cost(() => wheel.set(middle)), cost(() => wheel.set(middle)), cost(() => wheel.delete(middle))]
}

describe('the wheel under a crowd', () => {
  test('touches as many entries to move or remove one of ten as of a hundred thousand: it and its neighbours', () => {
    const few = costs(10)
    expect(costs(many)).toEqual(few)
    for (const [, entries] of few) expect(entries).toBeLessThanOrEqual(4)
  })

  test('touches at a tick the entries of that slot alone', () => {
    const { wheel, touches } = crowded(1_000)
    wheel.advance(950)
    expect(touches.count).toBe(0)
    wheel.advance(1_000)
    expect([wheel.size, touches.entries.size]).toEqual([1_000, 1_000])
  })
})
