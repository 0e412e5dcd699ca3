/** What others issued for one use: noted once, found until it is over. */
import type { SpentRow } from '../core/records.ts'
import type { RecordsCases } from './records-suite.ts'
import { issuedAtMs, sampleHash } from './rows.ts'
import { expectEqual } from './suite.ts'

/** Enough to meet each other in any store that has a gap between looking and noting. */
const contenders = 50

/** Something that was used just now and is too old a minute later. */
export function sampleSpent(changes: Partial<SpentRow> = {}): SpentRow {
  return { key: sampleHash(), usedAtMs: issuedAtMs, untilMs: issuedAtMs + 60_000, ...changes }
}

/** Behaviours of `putSpent`, `findSpent`, and of `sweep` for them. */
export const spentCases: RecordsCases = {
  async 'notes what was used, and nothing besides'(records) {
    const row = sampleSpent()
    expectEqual(await records.findSpent(row.key), false, 'what was not noted')
    expectEqual(await records.putSpent(row), true, 'the first noting')
    expectEqual(await records.findSpent(row.key), true, 'what was noted')
    expectEqual(await records.findSpent(sampleHash()), false, 'something else')
  },
  async 'tells exactly one of fifty that it was the first to use it'(records) {
    const row = sampleSpent()
    const users = Array.from({ length: contenders }, async () => records.putSpent(row))
    const firsts = (await Promise.all(users)).filter((first) => first)
    expectEqual(firsts, [true], 'who was told to be the first')
    expectEqual(await records.putSpent(row), false, 'a later noting')
  },
  async 'forgets what is over, and keeps the rest'(records) {
    const over = sampleSpent({ untilMs: issuedAtMs + 1 })
    const live = sampleSpent({ untilMs: issuedAtMs + 2 })
    for (const row of [over, live]) await records.putSpent(row)
    expectEqual(await records.sweep(issuedAtMs + 1), 1, 'rows swept')
    expectEqual(await records.findSpent(over.key), false, 'what is over')
    expectEqual(await records.findSpent(live.key), true, 'what is not')
  },
  async 'keeps what is not over in a flood of others'(records) {
    const live = sampleSpent()
    await records.putSpent(live)
    for (let at = 0; at < 3000; at++) {
      await records.putSpent(sampleSpent({ usedAtMs: issuedAtMs + 20_000, untilMs: issuedAtMs + 20_001 }))
    }
    expectEqual(await records.findSpent(live.key), true, 'what is not over')
  },
}
