/** The examples: all planted holes in their insecure twins, and nothing in themselves. */
import type { Part } from '../rig/part.ts'
import { exampleScans, findingsOf, missedHoles, plantedHoles, scanExample } from './examples.ts'
import { rowOf } from './rows.ts'

/** The part. */
export const part: Part = {
  name: 'examples',
  async *measure() {
    for (const example of ['console', 'chat'] as const) {
      const scans = exampleScans.filter((scan) => scan.example === example)
      const holes = plantedHoles(example)
      const twins = await Promise.all(scans.map((scan) => scanExample(scan, true)))
      const missed = missedHoles(holes, twins)
      yield rowOf('examples, intrusive scans', `${example}, insecure`, {
        count: { known: holes.length, found: holes.length - missed.length, falsely: 0 },
        reports: twins,
        ...(missed.length === 0 ? {} : { note: `missed: ${missed.join(' ')}` }),
      })
      const own = await Promise.all(scans.map((scan) => scanExample(scan, false)))
      const found = own.flatMap(findingsOf)
      yield rowOf('examples, intrusive scans', example, {
        count: { known: 0, found: 0, falsely: found.length },
        reports: own,
        ...(found.length === 0 ? {} : { note: found.join('; ') }),
      })
    }
  },
}
