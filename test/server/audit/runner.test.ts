import { describe, expect, it } from 'vitest'
import { audit } from '../../../packages/server/src/audit/audit.ts'
import type { Check } from '../../../packages/server/src/audit/check.ts'
import { openSocket } from '../../../packages/server/src/audit/checks/open-socket.ts'
import { pass } from '../../../packages/server/src/audit/verdict.ts'
import { openSite } from './support/site.ts'

/** A check that says when it ran. */
function noting(id: string, when: string[], more: Partial<Check> = {}): Check {
  return {
    ...openSocket,
    id,
    needs: [],
    run({ budget }) {
      const pause = more.waits === true ? 200 : 0
      return budget.pause(pause).then(() => {
        when.push(id)
        return pass('ran')
      })
    },
    ...more,
  }
}

describe('the runner', () => {
  it('runs what ends sessions when no other check runs any more, and what may crash the target last', async () => {
    const site = await openSite()
    const when: string[] = []
    const catalogue = [
      noting('X1', when, { crashes: true }),
      noting('X2', when, { lastly: true }),
      noting('X3', when, { waits: true }),
      noting('X4', when, { lastly: true }),
      noting('X5', when),
    ]
    try {
      const { results } = await audit(site.url, site.options, catalogue)
      expect(when).toEqual(['X5', 'X3', 'X2', 'X4', 'X1'])
      expect(results.map(({ check }) => check.id)).toEqual(['X1', 'X2', 'X3', 'X4', 'X5'])
    } finally {
      await site.close()
    }
  })

  it('grants more connections and time where the time of refusals is measured, unless it is told otherwise', async () => {
    const site = await openSite()
    const allowances: number[][] = []
    const looking = noting('X1', [], {
      run({ budget: { allowance } }) {
        allowances.push([allowance.maxConnections, allowance.maxMs])
        return Promise.resolve(pass('ran'))
      },
    })
    try {
      await audit(site.url, site.options, [looking])
      await audit(site.url, { ...site.options, timing: true }, [looking])
      await audit(site.url, { ...site.options, timing: true, allowance: { maxMs: 5_000 } }, [looking])
    } finally {
      await site.close()
    }
    expect(allowances).toEqual([
      [1_500, 60_000],
      [4_000, 120_000],
      [4_000, 5_000],
    ])
  })
})
