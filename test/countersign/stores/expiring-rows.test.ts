import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ExpiringRows } from '../../../packages/countersign/src/stores/expiring-rows.ts'
import { saltingCensus } from '../../../packages/countersign/src/stores/census.ts'

const runs = { numRuns: Number(process.env['COUNTERSIGN_FUZZ_RUNS'] ?? 1000) }

describe('expiring rows', () => {
  test('never drop a row that is alive, and hold at most twice as many rows as are alive, and 1,024', () => {
    const rows = new ExpiringRows<number, number>({ isOver: (untilMs, now) => untilMs <= now })
    for (let now = 0; now < 20_000; now++) {
      const lifeMs = now % 3 === 0 ? 3000 : 10
      rows.put(now, now + lifeMs, now)
      expect(rows.size).toBeLessThan(2 * 1010 + 1024)
    }
    for (let key = 17_001; key < 20_000; key += 3) expect(rows.get(key - (key % 3))).toBeDefined()
  })

  test('tell of each row that leaves, however it leaves', () => {
    const left: string[] = []
    const rows = new ExpiringRows<string, string>({ isOver: () => true, left: (row) => left.push(row) })
    rows.put('a', 'replaced', 0)
    rows.put('a', 'taken', 0)
    expect(rows.take('a')).toBe('taken')
    expect(rows.take('a')).toBeUndefined()
    rows.put('a', 'swept', 0)
    expect(rows.sweep(1)).toBe(1)
    rows.put('a', 'cleared', 0)
    rows.clear()
    expect(left).toEqual(['replaced', 'taken', 'swept', 'cleared'])
  })
})

describe('the census of saltings', () => {
  test('agrees with counting, for any order of coming and going', () => {
    const salting = fc.option(
      fc.record({
        salt: fc.constantFrom('a', 'b'),
        iterations: fc.constantFrom(1, 2),
        keylen: fc.constant(32),
      }),
      { nil: undefined },
    )
    const events = fc.array(fc.record({ comes: fc.boolean(), salting }))
    fc.assert(
      fc.property(events, (list) => {
        const census = saltingCensus()
        const counted = new Map<string, number>()
        for (const { comes, salting } of list) {
          const name = JSON.stringify(salting) ?? 'unsalted'
          const count = counted.get(name) ?? 0
          if (comes) census.add(salting)
          else census.remove(salting)
          counted.set(name, Math.max(0, count + (comes ? 1 : -1)))
        }
        const names = census.list(16).map((one) => JSON.stringify(one) ?? 'unsalted')
        expect(names.sort()).toEqual(
          [...counted].flatMap(([name, count]) => (count > 0 ? [name] : [])).sort(),
        )
        expect(census.list(1).length).toBe(Math.min(1, names.length))
      }),
      runs,
    )
  })
})
