/** Published packages with known holes, each beside its fixed version. */
import type { Part } from '../rig/part.ts'
import { knownHoles } from './known.ts'
import { foundBy, installPackages, scan, showsHere } from './packages.ts'
import { rowOf } from './rows.ts'

/** The part. */
export const part: Part = {
  name: 'packages',
  async *measure() {
    await installPackages()
    for (const hole of knownHoles.filter(showsHere)) {
      const reports = [await scan(hole, 'old'), await scan(hole, 'new')] as const
      const [old, fixed] = hole.versions
      yield rowOf('packages', `${hole.advisory}: ${old}, not ${fixed}`, {
        count: {
          known: hole.checks.length,
          found: foundBy(hole, reports[0]).length,
          falsely: foundBy(hole, reports[1]).length,
        },
        reports,
      })
    }
  },
}
