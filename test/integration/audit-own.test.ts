/** What is our own is clean: a default scan of every endpoint finds nothing, in a minute, with twenty sockets at a time. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findingsOf } from '../../bench/audit/examples.ts'
import { openLab, openServed, type OwnTargets } from '../../bench/audit/own.ts'
import { audit } from '../../packages/server/src/audit/audit.ts'

describe.concurrent.each([
  { name: 'the lab', open: openLab, least: 14 },
  { name: 'a configuration that is served', open: openServed, least: 4 },
])('$name', ({ open, least }) => {
  let own: OwnTargets
  beforeAll(async () => {
    own = await open()
  })
  afterAll(() => own.stop())

  it('is clean at every endpoint', async () => {
    const reports = await Promise.all(own.targets.map(({ url, options }) => audit(url, options)))
    const told = reports.map((report, at) => ({ ...report, name: own.targets[at]?.name }))
    expect(told.length).toBeGreaterThanOrEqual(least)
    const findings = told.flatMap((report) => findingsOf(report).map((says) => `${report.name}: ${says}`))
    expect(findings).toEqual([])
    for (const { name, stopped, unreachable, loginTroubles, spent } of told) {
      expect({ name, stopped, unreachable, loginTroubles }).toEqual({
        name,
        stopped: undefined,
        unreachable: undefined,
        loginTroubles: [],
      })
      expect(spent.ms).toBeLessThanOrEqual(60_000)
      expect(spent.mostOpen).toBeLessThanOrEqual(20)
    }
  })
})
