/** Published packages with known holes, each beside its fixed version. */
import type { Part } from '../rig/part.ts'
import { knownHoles } from './known.ts'
import { compare, expectedOf, foundBy, installPackages, scan, scanAll, showsHere } from './packages.ts'
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
    for (const hole of knownHoles.filter(showsHere)) {
      const reports = await Promise.all([scanAll(hole, 'old'), scanAll(hole, 'new')])
      const { difference, common } = compare(hole, ...reports)
      const expected = expectedOf(hole)
      yield rowOf('packages, the whole catalogue', `${hole.versions[0]} beside ${hole.versions[1]}`, {
        count: {
          known: expected.length,
          found: expected.filter((one) => difference.includes(one)).length,
          falsely: difference.filter((one) => !expected.includes(one)).length,
        },
        reports,
        note: `in both: ${common.join(', ')}`,
      })
    }
  },
}
