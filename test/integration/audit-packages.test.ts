/** Published packages with known holes: the audit finds each in the version that has it, and nothing of it in the one that has not. */
import { beforeAll, describe, expect, it } from 'vitest'
import { knownHoles } from '../../bench/audit/known.ts'
import { foundBy, showsHere, installPackages, scan } from '../../bench/audit/packages.ts'

beforeAll(installPackages, 600_000)

describe.concurrent.each(knownHoles.filter(showsHere))('$name ($advisory)', (hole) => {
  const [old, fixed] = hole.versions

  it(`is found in ${old}`, async () => {
    expect(foundBy(hole, await scan(hole, 'old'))).toEqual(hole.checks)
  })

  it(`is not in ${fixed}`, async () => {
    const report = await scan(hole, 'new')
    expect(report).toMatchObject({ stopped: undefined, unreachable: undefined })
    expect(report.results.map(({ check, outcome }) => [check.id, outcome.kind === 'not tested'])).toEqual(
      hole.checks.map((id) => [id, false]),
    )
    expect(foundBy(hole, report)).toEqual([])
  })
})
