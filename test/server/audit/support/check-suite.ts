/** The one suite of every check: finds the hole, finds nothing where it is closed, and would notice a change. */
import { describe, expect, it } from 'vitest'
import { audit } from '../../../../packages/server/src/audit/audit.ts'
import type { Check, Outcome } from '../../../../packages/server/src/audit/check.ts'
import type { Fixture } from './fixture.ts'
import { loadMutant } from './mutant.ts'
import type { Target } from './site.ts'

/** Runs one check against a target. */
async function outcomeOf(fixture: Fixture, open: () => Promise<Target>, check?: Check): Promise<Outcome> {
  const target = await open()
  try {
    const options = { ...target.options, ...fixture.options, ...target.overrides, only: [fixture.check] }
    const { results, unreachable, stopped } = await audit(target.url, options, check && [check])
    const [result] = results
    if (result === undefined) throw new Error(`no result: ${unreachable ?? stopped ?? 'nothing ran'}`)
    return result.outcome
  } finally {
    await target.close()
  }
}

/** Registers the tests of some pairs of targets. They wait more than they work, and so run side by side. */
export function checkSuite(fixtures: readonly Fixture[]): void {
  const named = fixtures.map((fixture) => ({
    ...fixture,
    title: `${fixture.check}${fixture.about === undefined ? '' : `, ${fixture.about}`}`,
  }))
  describe.concurrent.each(named)('$title', (fixture) => {
    suiteOf(fixture)
  })
}

function suiteOf(fixture: Fixture): void {
  const { vulnerable, fixed, fixedAs = 'pass', foundAs = 'fail', mutants } = fixture

  it('finds the hole', async () => {
    expect(await outcomeOf(fixture, vulnerable)).toMatchObject({ kind: foundAs })
  })

  it('finds nothing where the hole is closed', async () => {
    expect(await outcomeOf(fixture, fixed)).toMatchObject({ kind: fixedAs })
  })

  it.each(mutants)('would be noticed with “$replace”', async (mutant) => {
    const check = await loadMutant(fixture, mutant)
    const kinds = [await outcomeOf(fixture, vulnerable, check), await outcomeOf(fixture, fixed, check)].map(
      ({ kind }) => kind,
    )
    expect(kinds).not.toEqual([foundAs, fixedAs])
  })
}
