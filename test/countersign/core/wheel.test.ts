import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Wheel, type WheelEntry } from '../../../packages/countersign/src/core/wheel.ts'

const tickMs = 10

interface Entry extends WheelEntry<Entry> {
  readonly name: number
}

function entry(name: number, dueMs: number): Entry {
  return { name, dueMs, next: undefined, previous: undefined, slot: -1 }
}

describe('the wheel', () => {
  test('calls what is due, once, and lets it go', () => {
    const called: number[] = []
    const wheel = new Wheel<Entry>(tickMs, 0, (one) => called.push(one.name))
    wheel.set(entry(1, 25))
    expect(wheel.size).toBe(1)
    wheel.advance(20)
    expect(called).toEqual([])
    wheel.advance(30)
    wheel.advance(60)
    expect(called).toEqual([1])
    expect(wheel.size).toBe(0)
  })

  test('moves an entry that is set again, and drops one that is never due', () => {
    const called: number[] = []
    const wheel = new Wheel<Entry>(tickMs, 0, (one) => called.push(one.name))
    const moved = entry(1, 20)
    wheel.set(moved)
    moved.dueMs = 100
    wheel.set(moved)
    expect(wheel.size).toBe(1)
    wheel.advance(50)
    expect(called).toEqual([])
    moved.dueMs = Infinity
    wheel.set(moved)
    expect(wheel.size).toBe(0)
    wheel.delete(moved)
    expect(wheel.size).toBe(0)
  })

  test('keeps its slots in order when entries leave from head, middle and tail', () => {
    for (const gone of [0, 1, 2]) {
      const called: number[] = []
      const wheel = new Wheel<Entry>(tickMs, 0, (one) => called.push(one.name))
      const all = [entry(0, 20), entry(1, 20), entry(2, 20)]
      for (const one of all) wheel.set(one)
      wheel.delete(all[gone] as Entry)
      wheel.advance(20)
      expect(called.toSorted((one, other) => one - other)).toEqual([0, 1, 2].filter((name) => name !== gone))
    }
  })

  test('calls an entry that is already late at the next tick', () => {
    const called: number[] = []
    const wheel = new Wheel<Entry>(tickMs, 1_000, (one) => called.push(one.name))
    wheel.set(entry(1, 5))
    wheel.advance(1_009)
    expect(called).toEqual([])
    wheel.advance(1_010)
    expect(called).toEqual([1])
  })

  test('does not call early an entry that hangs in a slot of a later lap', () => {
    const called: number[] = []
    const wheel = new Wheel<Entry>(tickMs, 0, (one) => called.push(one.name))
    wheel.set(entry(1, 2_048 * tickMs * 3 + 20))
    for (let now = 0; now <= 2_048 * tickMs * 3; now += tickMs) wheel.advance(now)
    expect(called).toEqual([])
    wheel.advance(2_048 * tickMs * 3 + 20)
    expect(called).toEqual([1])
  })

  test('is not late when the clock has gone back by an hour', () => {
    const hour = 3_600_000
    const called: number[] = []
    const wheel = new Wheel<Entry>(tickMs, hour, (one) => called.push(one.name))
    wheel.advance(hour)
    wheel.advance(0)
    wheel.set(entry(1, 40))
    wheel.advance(40)
    expect(called).toEqual([1])
  })
})

type Act =
  | { readonly kind: 'set'; readonly name: number; readonly inMs: number }
  | { readonly kind: 'delete'; readonly name: number }
  | { readonly kind: 'advance'; readonly byMs: number }

const names = 8
const acts: fc.Arbitrary<readonly Act[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('set' as const),
        name: fc.nat(names - 1),
        inMs: fc.oneof(
          fc.integer({ min: -200, max: 200 }),
          fc.integer({ min: 0, max: 60_000 }),
          fc.constant(Infinity),
        ),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), name: fc.nat(names - 1) }) },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('advance' as const),
        byMs: fc.oneof(
          { weight: 6, arbitrary: fc.nat(30) },
          { weight: 2, arbitrary: fc.nat(6_000) },
          { weight: 1, arbitrary: fc.nat(50_000_000) },
          { weight: 1, arbitrary: fc.integer({ min: -7_000, max: -1 }) },
        ),
      }),
    },
  ),
  { maxLength: 60 },
)

describe('against a plain list, the wheel', () => {
  test('is never early, at most two ticks late, and forgets nothing, whatever the clock does', () => {
    fc.assert(
      fc.property(acts, fc.array(fc.nat(names - 1), { maxLength: 4 }), (list, victims) => {
        let now = 100_000
        const all = Array.from({ length: names }, (_, name) => entry(name, Infinity))
        const waiting = new Map<number, { readonly dueMs: number; readonly setAtMs: number }>()
        const wheel = new Wheel<Entry>(tickMs, now, (one, at) => {
          const known = waiting.get(one.name)
          if (known === undefined) throw new Error('called what does not wait')
          if (at < known.dueMs) throw new Error('called early')
          waiting.delete(one.name)
          // A call may take others out, and hang itself in again.
          const victim = all[victims[one.name % victims.length] ?? names] ?? one
          if (victim !== one && victim.slot >= 0) {
            wheel.delete(victim)
            waiting.delete(victim.name)
          }
          if (one.name === 0) {
            one.dueMs = at + 35
            wheel.set(one)
            waiting.set(0, { dueMs: one.dueMs, setAtMs: at })
          }
        })
        for (const act of list) {
          if (act.kind === 'advance') {
            now += act.byMs
            wheel.advance(now)
            for (const { dueMs, setAtMs } of waiting.values()) {
              if (now >= Math.max(dueMs, Math.min(setAtMs, now)) + 2 * tickMs) throw new Error('too late')
            }
          } else {
            const one = all[act.name] as Entry
            waiting.delete(act.name)
            if (act.kind === 'delete') wheel.delete(one)
            else {
              one.dueMs = now + act.inMs
              wheel.set(one)
              if (act.inMs !== Infinity) waiting.set(act.name, { dueMs: one.dueMs, setAtMs: now })
            }
          }
          if (wheel.size !== waiting.size) throw new Error('lost count')
        }
      }),
      { numRuns: 2_000 },
    )
  })
})
