/** Every fixture of the catalogue's tests: the vulnerable one and its fixed twin, row by row of the checks. */
import { audit, type Report } from '../../packages/server/src/audit/audit.ts'
import { checks } from '../../packages/server/src/audit/checks.ts'
import { authenticationFixtures } from '../../test/server/audit/fixtures/authentication.ts'
import { authorizationFixtures } from '../../test/server/audit/fixtures/authorization.ts'
import { inputFixtures } from '../../test/server/audit/fixtures/input.ts'
import { originFixtures } from '../../test/server/audit/fixtures/origin.ts'
import { transportFixtures } from '../../test/server/audit/fixtures/transport.ts'
import type { Fixture } from '../../test/server/audit/support/fixture.ts'
import type { Part } from '../rig/part.ts'
import { rowOf } from './rows.ts'

const fixtures: readonly Fixture[] = [
  ...transportFixtures,
  ...originFixtures,
  ...authenticationFixtures,
  ...authorizationFixtures,
  ...inputFixtures,
]

async function scan(fixture: Fixture, open: Fixture['fixed']): Promise<Report> {
  const target = await open()
  try {
    return await audit(target.url, {
      ...target.options,
      ...fixture.options,
      ...target.overrides,
      only: [fixture.check],
    })
  } finally {
    await target.close()
  }
}

const kindOf = ({ results }: Report): string => results[0]?.outcome.kind ?? 'nothing'

/** The part. */
export const part: Part = {
  name: 'fixtures',
  async *measure() {
    for (const { id, title } of checks) {
      const own = fixtures.filter(({ check }) => check === id)
      const pairs = await Promise.all(
        own.map(async (fixture) => ({
          fixture,
          vulnerable: await scan(fixture, fixture.vulnerable),
          fixed: await scan(fixture, fixture.fixed),
        })),
      )
      yield rowOf('fixtures', `${id} ${title.slice(0, 48)}`, {
        count: {
          known: pairs.length,
          found: pairs.filter(
            ({ fixture: { foundAs = 'fail' }, vulnerable }) => kindOf(vulnerable) === foundAs,
          ).length,
          falsely: pairs.filter(({ fixed }) => kindOf(fixed) === 'fail').length,
        },
        reports: pairs.flatMap(({ vulnerable, fixed }) => [vulnerable, fixed]),
      })
    }
  },
}
