/** Published packages with known holes: the audit finds each in the version that has it, and nothing of it in the one that has not. */
import { beforeAll, describe, expect, it } from 'vitest'
import { knownHoles, type KnownHole } from '../../bench/audit/known.ts'
import {
  compare,
  expectedOf,
  foundBy,
  installPackages,
  scan,
  scanAll,
  showsHere,
  type Comparison,
} from '../../bench/audit/packages.ts'

const holes = knownHoles.filter(showsHere)

/** All at once: they wait more than they work. */
const compared = new Map<KnownHole, Promise<Comparison>>()

beforeAll(async () => {
  await installPackages()
  for (const hole of holes) compared.set(hole, compareAll(hole))
}, 600_000)

async function compareAll(hole: KnownHole): Promise<Comparison> {
  return compare(hole, ...(await Promise.all([scanAll(hole, 'old'), scanAll(hole, 'new')])))
}

describe.concurrent.each(holes)('$name ($advisory)', (hole) => {
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

  it('is all that the whole catalogue finds in the one and not in the other', async ({ annotate }) => {
    const comparison = await compared.get(hole)
    await annotate(`in both: ${comparison?.common.join(', ') ?? ''}`)
    expect(comparison?.difference).toEqual(expectedOf(hole))
  })
})
